"""Writes what Sphinx has resolved as the Markdown that Jupyter shows: no roles or directives, numbers written out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode  # type: ignore[import-untyped]  # it has no types
from sphinx import addnodes
from sphinx.util import logging

from bindery.sphinxext.folds import Fold

logger = logging.getLogger(__name__)

SPECIAL = re.compile(r"[\\`*\[\]$]|(?<![^\W_])_|_(?![^\W_])")
"""Letters that Markdown would take for markup; inside a word an underscore is none."""
SPECIAL_IN_TABLE = re.compile(rf"{SPECIAL.pattern}|\|")
OPENING = re.compile(r"^(\d+)([.)]\s)|^([-+#=~:]|\|)(?=[\s#=~:-]|$)")
"""What at the beginning of a paragraph would make it a list, a heading or a table."""
ENVIRONMENT = re.compile(r"\s*\\begin\{(equation|gather|align|alignat|multline)\}(.*)\\end\{\1\}\s*", re.DOTALL)
INNER = {"gather": "gathered", "align": "aligned", "alignat": "alignedat", "equation": "", "multline": "multlined"}
BAR = re.compile(r"(\\\|)|\|")

INLINE = {nodes.emphasis: "*", nodes.strong: "**", nodes.title_reference: "*"}
SILENT = (nodes.target, nodes.comment, addnodes.index, nodes.substitution_definition, nodes.system_message)
TRANSPARENT = (
    nodes.inline,
    nodes.container,
    nodes.compound,
    nodes.generated,
    nodes.legend,
    nodes.label,
    nodes.definition,
)
QUOTED = ("quick-note", "provenance", "override-note")
"""Notes of ours, which the website sets apart."""
FURNITURE = ("exercise-solution", "solution-back", "saved-note")
"""What only leads from one place of the website to another."""


@dataclass
class Markdown:
    """Writes the nodes of one page. What only the page as a whole can show is gathered: citations and footnotes."""

    link: Callable[[str], str]
    """From the address of a reference on the website to the one in the notebook, or nothing if there is none."""
    picture: Callable[[nodes.image], str]
    """A picture as Markdown or HTML."""
    numbers: Mapping[str, Mapping[str, str]]
    """By kind (`section`, `figure`, `table`, `exercise`, …), the number of what has an id."""
    macros: Mapping[str, str]
    """The book's own commands in formulas."""
    equation: Callable[[nodes.math_block], str]
    """The number of an equation."""
    cited: list[str] = field(default_factory=list)
    footnotes: list[nodes.footnote] = field(default_factory=list)
    in_table: bool = False

    def inline(self, children: Iterable[nodes.Node]) -> str:
        """A run of text."""
        return "".join(self._inline(child) for child in children)

    def blocks(self, children: Iterable[nodes.Node]) -> str:
        """Blocks, one empty line between each two."""
        return "\n\n".join(text for text in (self.block(child) for child in children) if text)

    def block(self, node: nodes.Node) -> str:
        """A block; nothing for what a notebook does not show."""
        if isinstance(node, SILENT) or {*FURNITURE} & {*_classes(node)}:
            return ""
        if isinstance(node, (nodes.paragraph, nodes.rubric)):
            text = " ".join(self.inline(node.children).split())
            return f"**{text}**" if isinstance(node, nodes.rubric) else OPENING.sub(_escaped_opening, text)
        if isinstance(node, nodes.math_block):
            return f"$$\n{self.formula(node)}\n$$"
        if isinstance(node, nodes.literal_block):
            return _fenced(node.astext(), str(node.get("language", "")))
        if isinstance(node, (nodes.bullet_list, nodes.enumerated_list)):
            return self._list(node)
        if isinstance(node, nodes.definition_list):
            items = (list(item.findall(nodes.term)) for item in node.children if isinstance(item, nodes.Element))
            told = zip(items, node.children, strict=True)
            return "\n\n".join(
                f"**{self.inline(terms[0].children)}**: {self._definition(item)}" for terms, item in told
            )
        if isinstance(node, nodes.figure):
            return self.blocks(node.children)
        if isinstance(node, nodes.image):
            return self.picture(node)
        if isinstance(node, (nodes.caption, nodes.title)) and isinstance(node.parent, (nodes.figure, nodes.table)):
            return self.caption(node.parent)
        if isinstance(node, nodes.table):
            return self._table(node)
        if isinstance(node, nodes.Admonition) and isinstance(node, nodes.Element):
            return _quoted(self._admonition(node))
        if isinstance(node, nodes.block_quote) or {*QUOTED} & {*_classes(node)}:
            assert isinstance(node, nodes.Element)
            return _quoted(self.blocks(node.children))
        if isinstance(node, Fold):
            return self.fold(node)
        if isinstance(node, nodes.footnote):
            self.footnotes.append(node)
            return ""
        if isinstance(node, nodes.transition):
            return "---"
        if isinstance(node, nodes.raw):
            return node.astext() if node.get("format") == "html" else ""
        if isinstance(node, (*TRANSPARENT, HideCodeCellNode)):
            return self.blocks(node.children)
        return self._inline(node)

    def caption(self, node: nodes.Element) -> str:
        """Number and caption of a figure or table."""
        kind = "table" if isinstance(node, nodes.table) else "figure"
        title = next((each for each in node.children if isinstance(each, (nodes.caption, nodes.title))), None)
        if title is None:
            return ""
        number = next((self.numbers[kind][name] for name in node["ids"] if name in self.numbers.get(kind, {})), "")
        text = " ".join(self.inline(title.children).split())
        return f"**{kind.capitalize()} {number}.** {text}" if number else text

    def formula(self, node: nodes.math_block) -> str:
        """A displayed formula with its number, in what MathJax knows."""
        text = self._expanded(node.astext().strip())
        environment = ENVIRONMENT.fullmatch(text)
        if environment:
            name, inner = INNER[environment[1]], environment[2].strip()
            text = f"\\begin{{{name}}}\n{inner}\n\\end{{{name}}}" if name else inner
        else:
            parts = [part.strip() for part in text.split("\n\n") if part.strip()]
            parts = [f"\\begin{{split}}\n{part}\n\\end{{split}}" if _breaks(part) else part for part in parts]
            text = parts[0] if len(parts) == 1 else "\\begin{gathered}\n" + " \\\\\n".join(parts) + "\n\\end{gathered}"
        number = self.equation(node)
        return f"{text} \\tag{{{number}}}" if number else text

    def fold(self, node: Fold) -> str:
        """What folds on the website, as HTML that Jupyter folds, too."""
        title, *body = node.children
        inside = self.blocks(body)
        return f"<details><summary>{plain(title)}</summary>\n\n{inside}\n\n</details>"

    def _inline(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Text):
            special = SPECIAL_IN_TABLE if self.in_table else SPECIAL
            return special.sub(r"\\\g<0>", node.astext()).replace("&", "&amp;").replace("<", "&lt;")
        if isinstance(node, SILENT):
            return ""
        assert isinstance(node, nodes.Element)
        if isinstance(node, nodes.math):
            text = " ".join(self._expanded(node.astext()).split())
            return f"${BAR.sub(_bar, text) if self.in_table else text}$"
        if isinstance(node, nodes.literal):
            return _code(node.astext().replace("|", "\\|") if self.in_table else node.astext())
        if isinstance(node, nodes.footnote_reference):
            return f"<sup>{node.astext()}</sup>"
        if isinstance(node, (nodes.superscript, nodes.subscript)):
            name = "sup" if isinstance(node, nodes.superscript) else "sub"
            return f"<{name}>{self.inline(node.children)}</{name}>"
        if isinstance(node, (nodes.reference, addnodes.number_reference)):
            return self._reference(node)
        if isinstance(node, nodes.image):
            return self.picture(node)
        mark = next((mark for kind, mark in INLINE.items() if isinstance(node, kind)), None)
        if mark:
            return f"{mark}{self.inline(node.children)}{mark}"
        if not isinstance(node, (*TRANSPARENT, nodes.paragraph)):
            message = f"notebooks cannot show '{type(node).__name__}'; what it holds stands there without its form"
            logger.warning("%s", message, location=node, type="bindery", subtype="notebook")
        return self.inline(node.children)

    def _reference(self, node: nodes.Element) -> str:
        text = self.inline(node.children)
        target = str(node.get("refuri") or f"#{node['refid']}")
        fragment = target.partition("#")[2]
        if fragment.startswith("cite-"):
            self.cited.append(fragment)
            return text
        address = self.link(target)
        return f"[{text}]({address})" if address else text

    def _admonition(self, node: nodes.Element) -> str:
        title = next((child for child in node.children if isinstance(child, nodes.title)), None)
        name = self.inline(title.children) if title else type(node).__name__.capitalize()
        return "\n\n".join([f"**{name}**", self.blocks(child for child in node.children if child is not title)])

    def _definition(self, item: nodes.Node) -> str:
        assert isinstance(item, nodes.Element)
        return " ".join(self.blocks(item.findall(nodes.definition)).split())

    def _list(self, node: nodes.Element) -> str:
        first = int(node.get("start", 1))
        numbered, items = isinstance(node, nodes.enumerated_list), []
        for number, item in enumerate(node.children, start=first):
            assert isinstance(item, nodes.Element)
            mark = f"{number}. " if numbered else "- "
            text = self.blocks(item.children).replace("\n", "\n" + " " * len(mark))
            items.append(mark + text)
        return "\n".join(re.sub(r"(?m)^ +$", "", item) for item in items)

    def _table(self, node: nodes.Element) -> str:
        self.in_table = True
        rows = [[self._entry(entry) for entry in row.findall(nodes.entry)] for row in node.findall(nodes.row)]
        self.in_table = False
        if not any(True for _ in node.findall(nodes.thead)):
            rows.insert(0, [""] * len(rows[0]))
        lines = [f"| {' | '.join(row)} |" for row in rows]
        lines.insert(1, "|" + " --- |" * len(rows[0]))
        return "\n\n".join(part for part in (self.caption(node), "\n".join(lines)) if part)

    def _entry(self, entry: nodes.Element) -> str:
        return "<br>".join(" ".join(self.block(child).split()) for child in entry.children)

    def _expanded(self, formula: str) -> str:
        for name, body in self.macros.items():
            formula = expanded(formula, name, body)
        return formula


def expanded(formula: str, name: str, body: str) -> str:
    """A formula without one of the book's own commands, which MathJax in Jupyter has not been told."""
    count = max((int(digit) for digit in re.findall(r"#(\d)", body)), default=0)
    parts = re.split(re.escape(name) + r"(?![A-Za-z])", formula)
    for index, rest in enumerate(parts[1:], start=1):
        arguments = []
        for _ in range(count):
            argument, rest = _argument(rest.lstrip())
            arguments.append(argument)
        filled = body
        for number, argument in enumerate(arguments, start=1):
            filled = filled.replace(f"#{number}", argument)
        parts[index] = f"{{{filled}}}{rest}"
    return "".join(parts)


def _argument(text: str) -> tuple[str, str]:
    """What TeX takes as the next argument, and what follows it."""
    depth = 0
    for end, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth <= 0:
            return text[1:end] if text.startswith("{") else text[:1], text[end + 1 :]
    return text, ""


def plain(node: nodes.Node) -> str:
    """The words of a node in one line."""
    return " ".join(node.astext().split())


def _classes(node: nodes.Node) -> list[str]:
    return node.get("classes", []) if isinstance(node, nodes.Element) else []


def _breaks(formula: str) -> bool:
    return r"\\" in formula and not formula.lstrip().startswith(r"\begin")


def _bar(match: re.Match[str]) -> str:
    return r"\Vert " if match[1] else r"\vert "


def _escaped_opening(match: re.Match[str]) -> str:
    return f"{match[1]}\\{match[2]}" if match[1] else f"\\{match[3]}"


def _code(text: str) -> str:
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fenced(text: str, language: str) -> str:
    ticks = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    name = {"ipython3": "python", "default": "", "none": "", "myst-ansi": ""}.get(language, language)
    return f"{ticks}{name}\n{text.rstrip()}\n{ticks}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))

"""The book as LaTeX: Sphinx's numbers written out, no website furniture, and marks that lead back to the chapters."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.builders.latex.nodes import captioned_literal_block
from sphinx.config import Config
from sphinx.util import texescape
from sphinx.util.math import wrap_displaymath

from bindery.sphinxext.boxes import SHORT
from bindery.sphinxext.paperlinks import LinksOnPaper

STYLES = tuple(Path(__file__).with_name(name) for name in ("bindery.sty", "bindery.ist"))
MARK = "%@ "
"""Begins a comment that names page and line of what follows it in the LaTeX file."""
WHOLE = 7
"""Lines of a listing up to which it is not split between two pages."""
MARKED = (nodes.paragraph, nodes.math_block, nodes.literal_block, nodes.figure, nodes.table)

COUNTERS = {"figure": "figure", "table": "table", "code-block": "literalblock", "displaymath": "equation"}
"""By Sphinx's kind of numbered things, LaTeX's name of the counter."""
ENVIRONMENT = re.compile(r"\s*\\begin\{(equation|gather|align|alignat|multline)\}(.*)\\end\{\1\}\s*", re.DOTALL)
ENTRY = re.compile(r"([^@{}\\!]+)@\\spxentry\{\1\}")
"""An entry of the index that is sorted as it is written."""
INNER = {"gather": "gathered", "align": "aligned", "alignat": "alignedat"}


class BookTranslator(LinksOnPaper):
    """Writes the whole book as one LaTeX file."""

    begins_page = False
    """Whether the next heading is that of a page of the website."""
    indexed = 0
    """Lines of listings that the index leads to."""

    def dispatch_visit(self, node: nodes.Node) -> None:
        """Mark where a block comes from before it is written."""
        if isinstance(node, MARKED) and node.line and not (self.in_title or self.in_caption or self.table):
            self._mark(self.curfilestack[-1], node.line)
        super().dispatch_visit(node)

    def visit_start_of_file(self, node: nodes.Element) -> None:
        """Begin a page of the website, and before it the part of the book that it opens."""
        super().visit_start_of_file(node)
        self.begins_page = not node.get("gathered")
        self._mark(node["docname"], 1)
        for title, folders in self.config.bindery_parts:
            if folders and node["docname"] == f"{folders[0]}/index" and not node.get("gathered"):
                self.body.append(f"\\binderypart{{{self.encode(title)}}}\n")

    def visit_title(self, node: nodes.Element) -> None:
        """Give a heading the number that it has on the website, or none."""
        if isinstance(node.parent, nodes.section) and not self.this_is_the_title:
            numbers = self.builder.env.toc_secnumbers.get(self.curfilestack[-1], {})
            number = numbers.get(f"#{node.parent['ids'][0]}") or numbers.get("") or ()
            name = self.sectionnames[min(self.sectionlevel, len(self.sectionnames) - 1)]
            self.body.append("\\needspace{6\\baselineskip}\n")
            if self.begins_page and name == "chapter" and self.config.html_baseurl:
                self.body.append(f"\\binderycode{{{self._address()}}}\n")
            self.body.append(f"\\binderynumber{{{name}}}{{{'.'.join(map(str, number))}}}\n")
        super().visit_title(node)

    def depart_title(self, node: nodes.Element) -> None:
        """Say under the heading of a page where that is on the web."""
        begins, self.begins_page = self.begins_page, False
        super().depart_title(node)
        if begins and self.config.html_baseurl:
            self.body.append(f"\\binderylive{{{self._address()}}}\n")

    def _address(self) -> str:
        """Where the page that is being written is on the web."""
        return self.encode_uri(f"{self.config.html_baseurl.rstrip('/')}/{self.curfilestack[-1]}.html")

    def visit_caption(self, node: nodes.Element) -> None:
        """Set the number of the figure or listing that this is the caption of."""
        if isinstance(node.parent, nodes.figure):
            self._set_number("figure", node.parent)
        elif isinstance(node.parent, captioned_literal_block):
            self._set_number("code-block", node.parent)
        super().visit_caption(node)

    def visit_table(self, node: nodes.Element) -> None:
        """Set the table's number; one whose columns have widths may go on on the next page."""
        if "colwidths-given" in node["classes"] and not self.table:
            node["classes"].append("longtable")
        self._set_number("table", node)
        captioned = any(isinstance(child, nodes.title) for child in node.children)
        self.body.append("\n\\binderycaptioned\n" if captioned else "\n\\binderyuncaptioned\n")
        super().visit_table(node)

    def visit_term(self, node: nodes.Element) -> None:
        """Keep a term and what it means on one page."""
        self.body.append("\n\\needspace{3\\baselineskip}\n" if node is node.parent.children[0] else "")
        super().visit_term(node)

    def visit_literal(self, node: nodes.Element) -> None:
        """Write code in a line of text; no line ends inside it if it is short, but in the narrow columns of a table."""
        node["whole"] = len(node.astext()) <= SHORT and not (self.table or self.in_title or node.get("language"))
        self.body.append(r"\mbox{" if node["whole"] else "")
        super().visit_literal(node)

    def depart_literal(self, node: nodes.Element) -> None:
        """Close what was opened."""
        super().depart_literal(node)
        self.body.append("}" if node["whole"] else "")

    def visit_literal_block(self, node: nodes.Element) -> None:
        """Keep a short listing on one page, say how wide it is, and mark the lines that the index leads to."""
        lines = node.astext().expandtabs().rstrip("\n").split("\n")
        if len(lines) <= WHOLE and not isinstance(node.parent, captioned_literal_block):
            self.body.append(f"\n\\needspace{{{len(lines) + 2}\\baselineskip}}\n")
        self.body.append(f"\n\\binderycolumns{{{max(map(len, lines))}}}%\n")
        begin = len(self.body)
        try:
            super().visit_literal_block(node)
        finally:  # Sphinx skips what is inside by an exception
            indexed: list[tuple[int, str]] = node.get("indexed", [])
            for line, entry in indexed:
                self._index_line(begin, line, entry)

    def visit_index(self, node: nodes.Element) -> None:
        """Write entries of the index; of those with commands in them makeindex may see two for one."""
        begin = len(self.body)
        try:
            super().visit_index(node)
        finally:  # Sphinx skips what is inside by an exception
            self.body[begin:] = [ENTRY.sub(r"\1", text.replace(r"\sphinxhyphen{}", "-")) for text in self.body[begin:]]

    def visit_image(self, node: nodes.Element) -> None:
        """Centre a picture that stands alone."""
        if not self.is_inline(node) and not isinstance(node.parent, (nodes.figure, nodes.reference)):
            node.setdefault("align", "center")
        super().visit_image(node)

    def visit_math_block(self, node: nodes.math_block) -> None:
        """Write a displayed formula: one number for the whole of it, as on the website."""
        text, label = node.astext(), None
        numbered = bool(node.get("number"))
        if numbered:
            self._set_number("displaymath", node)
            label = f"equation:{node['docname']}:{node['label']}"
        environment = ENVIRONMENT.fullmatch(text)
        if numbered and environment:
            name, inner = environment.groups()
            name = INNER.get(name, name)
            if name in ("equation", "multline"):
                text = f"\\begin{{{name}}}\\label{{{label}}}{inner}\\end{{{name}}}"
            else:
                text = f"\\begin{{equation}}\\label{{{label}}}\\begin{{{name}}}{inner}\\end{{{name}}}\\end{{equation}}"
        elif not node.get("no-wrap", node.get("nowrap", False)):
            text = wrap_displaymath(text, label, numbering=False)
        self.body.append(text)
        raise nodes.SkipNode

    def _index_line(self, begin: int, line: int, entry: str) -> None:
        """Let an entry of the index lead to a line of the listing that was written from `begin` on."""
        self.indexed += 1
        code = next(number for number in range(begin, len(self.body)) if "\\begin{sphinxVerbatim}" in self.body[number])
        before, opening, listing = self.body[code].partition("\\begin{sphinxVerbatim}")
        written = listing.split("\n")
        # In a listing only digits mean what they say.
        written[line + 1] = f"\\binderyat{{{self.indexed}}}{written[line + 1]}"
        self.body[code] = before + opening + "\n".join(written)
        self.body.insert(begin, f"\\binderyentryat{{{self.indexed}}}{{{entry}}}%\n")

    def _mark(self, page: str, line: int) -> None:
        # An empty line would begin a paragraph.
        begin = "" if self.body and self.body[-1].endswith("\n") else "\n"
        self.body.append(f"{begin}{MARK}{page}:{line}\n")

    def _set_number(self, kind: str, node: nodes.Element) -> None:
        found = self.builder.env.toc_fignumbers.get(self.curfilestack[-1], {}).get(kind, {})
        number = next((found[name] for name in node["ids"] if name in found), None)
        if number:
            self.body.append(f"\\binderyset{{{COUNTERS[kind]}}}{{{'.'.join(map(str, number))}}}\n")


def connect(app: Sphinx) -> None:
    """Use the translator and the style."""
    app.add_config_value("bindery_imprint", {}, "", dict)
    app.add_config_value("bindery_licences", {}, "", dict)
    app.set_translator("latex", BookTranslator)
    app.connect("config-inited", _settle)
    app.connect("write-started", _keep_doctrees)


def _keep_doctrees(app: Sphinx, builder: Builder) -> None:
    # For each link to something with a number Sphinx would read the whole page of that from its file again.
    if builder.format == "latex":
        vars(app.env)["get_doctree"] = functools.cache(app.env.get_doctree)


def _settle(app: Sphinx, config: Config) -> None:
    texescape.init()
    # The root page is the website's front page: its text and buttons do not belong in a book, what it lists does.
    title, author = (texescape.escape(text, "xelatex") for text in (config.project, config.author))
    config.latex_documents = [(config.root_doc, "book.tex", title, author, "manual", True)]
    config.latex_additional_files = [*config.latex_additional_files, *map(str, STYLES)]
    config.latex_use_xindy = False
    config.latex_domain_indices = False
    elements = {
        "extraclassoptions": "openany,twoside",
        "sphinxsetup": "hmargin={28mm,28mm}, vmargin={25mm,27mm}",
        "fontpkg": "",
        "fncychap": "",
        # A figure stands where the text has it: it cuts no sentence and no cell in two.
        "figure_align": "H",
        "releasename": "Version",
        "preamble": _preamble(config),
    }
    config.latex_elements = {**elements, **config.latex_elements}


def _preamble(config: Config) -> str:
    imprint = {name: texescape.escape(text, "xelatex") for name, text in config.bindery_imprint.items()}
    lines = [f"© {texescape.escape(config.copyright, 'xelatex')}"]
    lines += [texescape.escape(f"{what}: {licence}", "xelatex") for what, licence in config.bindery_licences.items()]
    lines += [f"\\url{{{config.bindery_imprint[name]}}}" for name in ("url", "source") if imprint.get(name)]
    macros = [_macro(name, body) for name, body in config.katex_macros.items()]
    return "\n".join(
        [
            *([r"\usepackage{qrcode}"] if config.html_baseurl else []),
            r"\usepackage{bindery}",
            r"\renewcommand{\binderydescription}{" + imprint.get("description", "") + "}",
            r"\renewcommand{\binderyimprint}{" + r"\par ".join(lines) + "}",
            r"\setcounter{tocdepth}{1}",
            *macros,
        ]
    )


def _macro(name: str, body: str) -> str:
    # As KaTeX does it, a macro of the book replaces one that exists; some of LaTeX's appear only with the document.
    count = max((int(digit) for digit in re.findall(r"#(\d)", body)), default=0)
    parameters = "".join(f"#{number}" for number in range(1, count + 1))
    kept = f"\\csname bindery@{name.removeprefix(chr(92))}\\endcsname"
    return (
        f"\\expandafter\\def{kept}{parameters}{{{body}}}"
        f"\\AtBeginDocument{{\\expandafter\\let\\expandafter{name}{kept}}}"
    )

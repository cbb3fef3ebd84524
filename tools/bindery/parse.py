"""Reads one chapter file, Markdown or notebook: text in, a `Page` and problems out. Nothing else reads Markdown."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from bindery.cellcode import parse_cell
from bindery.jupyter import read_cells
from bindery.model import Cell, Location, Problem, Section
from bindery.options import check_cell, check_settings
from bindery.settings import SectionSettings
from bindery.validate import hint, read_yaml

FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
VERBATIM = ("code", "code-block", "literalinclude", "parsed-literal", "raw", "math", "sourcecode")
INFO = re.compile(r"\{([^}]+)\}\s*(.*)")
BROKEN = re.compile(r"\s*`{3,}\s*\{[\w:-]+\}[^`]*`")
CODE_CELL = re.compile(r"^\s*[`:~]{3,}\s*\{code-cell\}", re.MULTILINE)


@dataclass(frozen=True)
class Toctree:
    """One `{toctree}` directive: its entries as written, resolved to docnames by the reader of the book."""

    entries: tuple[tuple[str, Location], ...]
    numbered: bool
    location: Location
    end: Location
    """The line of its closing fence."""


@dataclass(frozen=True)
class Block:
    """A piece of a page as it is written: comment, label, heading or paragraph, or a directive and its argument."""

    kind: Literal["comment", "target", "heading", "text", "directive"]
    text: str
    location: Location
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What one file holds: its section and the toctrees that stand in it."""

    section: Section
    toctrees: tuple[Toctree, ...]


def read_page(path: str, text: str) -> tuple[Page, list[Problem]]:
    """Read a `.md` or `.ipynb` file; `path` is relative to the root and names the locations."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    return _read_notebook(path, text) if path.endswith(".ipynb") else _read_markdown(path, text)


def _read_markdown(path: str, text: str) -> tuple[Page, list[Problem]]:
    settings, keys, body_line, problems = _read_front_matter(path, text)
    lines = text.split("\n")
    body = "\n" * (body_line - 1) + "\n".join(lines[body_line - 1 :])
    tokens = _markdown().parse(body)
    cells: list[Cell] = []
    start = body_line - 1
    for token in tokens:
        if not token.map or _directive(token) != "code-cell" or token.level:
            problems += [*_hidden_cells(path, token), *_broken_fences(path, token)]
            continue
        first, last = token.map
        _add_markdown(cells, path, lines, start, first)
        cell, found = _read_code_cell(path, token, lines)
        problems += found
        cells.append(cell)
        start = last
    _add_markdown(cells, path, lines, start, len(lines))
    page, problems = _page(path, cells, settings, tokens, problems)
    return replace(page, section=replace(page.section, front_matter=keys)), problems


def _directive(token: Token) -> str:
    """The name of the directive that a token is, or nothing."""
    info = INFO.fullmatch(token.info.strip()) if token.type in ("fence", "colon_fence") else None
    return info[1] if info else ""


def _hidden_cells(path: str, token: Token, where: str = "another directive") -> list[Problem]:
    """A code cell that is, or stands in, something that does not run: in a directive, a list, or HTML but a comment."""
    name = _directive(token)
    if token.type == "html_block" and not token.content.lstrip().startswith("<!--"):
        where = "HTML"
    elif not name or name in VERBATIM:
        return []
    if not token.map or (name != "code-cell" and not CODE_CELL.search(token.content)):
        return []
    message = f"a code cell inside {where} does not run; move it to the top level"
    return [Problem(Location(path, token.map[0] + 1), "nested-code-cell", message)]


def _broken_fences(path: str, token: Token) -> list[Problem]:
    """Lines of a paragraph that look like a directive's first; with a backtick behind its name none begins."""
    if token.type != "inline" or not token.map:
        return []
    lines = enumerate(token.content.split("\n"), start=token.map[0] + 1)
    message = "this begins no directive, since it has a backtick behind its name; use `:::` or leave the backticks out"
    return [Problem(Location(path, line), "broken-fence", message) for line, text in lines if BROKEN.match(text)]


def _markdown() -> MarkdownIt:
    # What stands within a paragraph is no concern here.
    markdown = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])
    return markdown.use(colon_fence_plugin).use(myst_block_plugin)


def _read_front_matter(path: str, text: str) -> tuple[SectionSettings, tuple[str, ...], int, list[Problem]]:
    """The settings, all keys, the line on which the body begins, and what is wrong with the front matter."""
    match = FRONT_MATTER.match(text)
    if not match:
        if re.match(r"---[ \t]*\n", text):
            problem = Problem(Location(path, 1), "front-matter", "front matter has no closing `---`")
            return SectionSettings(), (), 1, [problem]
        if late := re.match(r"\s*\n(?=---[ \t]*\n)", text):
            line = late[0].count("\n") + 1
            problem = Problem(Location(path, line), "front-matter", "front matter begins on a file's first line")
            return SectionSettings(), (), 1, [problem]
        return SectionSettings(), (), 1, []
    data, line_of, problems = read_yaml(match[1], path, 2, "front-matter")
    settings, found = check_settings(data, path, line_of)
    keys = tuple(map(str, data)) if isinstance(data, dict) else ()
    return settings, keys, text[: match.end()].count("\n") + 1, problems + found


def _add_markdown(cells: list[Cell], path: str, lines: list[str], first: int, last: int) -> None:
    """Add the Markdown between two code cells, its blank edges left out."""
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    if first < last:
        cells.append(Cell("markdown", "\n".join(lines[first:last]), Location(path, first + 1)))


def _read_code_cell(path: str, token: Token, lines: Sequence[str]) -> tuple[Cell, list[Problem]]:
    first, last = token.map or [0, 0]
    problems = []
    closing = lines[min(last, len(lines)) - 1].strip()
    if not closing.startswith(token.markup) or closing.strip(token.markup[0]):
        problems.append(Problem(Location(path, first + 1), "unclosed-cell", "this code cell is never closed"))
    content = token.content.split("\n")[:-1] if token.content.endswith("\n") else token.content.split("\n")
    options: list[str] = []
    offset = 0
    if content and content[0].strip() == "---":
        end = next((i for i, line in enumerate(content[1:], 1) if line.strip() == "---"), 0)
        options, offset = content[1:end], end + 1
        if not end:
            message = "the options of this cell have no closing `---`"
            problems.append(Problem(Location(path, first + 2), "cell-option", message))
    else:
        while offset < len(content) and (match := re.match(r":([\w-]+):\s*(.*)", content[offset])):
            options.append(f"{match[1]}: {match[2]}")
            offset += 1
    option_line = first + 2 + (1 if options and content[0].strip() == "---" else 0)
    data, line_of, found = read_yaml("\n".join(options), path, option_line, "cell-option")
    while offset < len(content) and not content[offset].strip():
        offset += 1
    location = Location(path, first + 2 + offset)
    tags, kept, found_tags = check_cell(data, path, line_of)
    source = "\n".join(content[offset:]).rstrip()
    return Cell("code", source, location, tags, kept), problems + found + found_tags


def _read_notebook(path: str, text: str) -> tuple[Page, list[Problem]]:
    cells, settings, problems = read_cells(path, text)
    if problems and not cells:
        return Page(Section(path, path, "", (), settings), ()), problems
    tokens: list[Token] = []
    for cell in cells:
        if cell.kind == "markdown":
            # Blank lines above, so that tokens know their line in the file.
            tokens += _markdown().parse("\n" * (cell.location.line - 1) + cell.source)
    problems += [problem for token in tokens for problem in _hidden_cells(path, token, "a Markdown cell")]
    return _page(path, cells, settings, tokens, problems)


def _page(
    path: str, cells: list[Cell], settings: SectionSettings, tokens: list[Token], problems: list[Problem]
) -> tuple[Page, list[Problem]]:
    """Put title, label and toctrees, read off the tokens, to the cells."""
    title, label, line = "", "", 1
    toctrees = []
    for index, token in enumerate(tokens):
        if token.type == "myst_target" and not title:
            label = str(token.meta.get("label") or token.content)
        elif token.type == "heading_open" and token.tag == "h1" and not title:
            title = " ".join(tokens[index + 1].content.split())
            line = (token.map or [0])[0] + 1
        elif token.type in ("fence", "colon_fence") and token.info.strip() == "{toctree}" and token.map:
            toctrees.append(_read_toctree(path, token))
    if not title:
        message = "no title: a page begins with `# Title`"
        problems.append(Problem(Location(path, line), "no-title", message))
    problems += _check_parameters(path, [cell for cell in cells if "parameters" in cell.tags], settings, line)
    return Page(Section(path, title or path, label, tuple(cells), settings, line=line), tuple(toctrees)), problems


def _check_parameters(path: str, tagged: list[Cell], settings: SectionSettings, line: int) -> list[Problem]:
    """What is wrong with the cell tagged `parameters`, or with the values that `quick` puts in place of its own."""
    if len(tagged) > 1:
        return [Problem(tagged[1].location, "parameters", "a second cell is tagged `parameters`; keep one")]
    if not settings.quick:
        return []
    if not tagged:
        message = "`quick` has values but no cell is tagged `parameters`"
        return [Problem(Location(path, line), "parameters", message)]
    try:
        nodes = list(ast.walk(parse_cell(tagged[0].source)))
    except SyntaxError:
        return []  # running it will tell
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return [
        Problem(
            tagged[0].location, "parameters", f"`quick` has `{name}`, which this cell does not set{hint(name, bound)}"
        )
        for name in settings.quick
        if name not in bound
    ]


def _read_toctree(path: str, token: Token) -> Toctree:
    location = Location(path, (token.map or [0])[0] + 1)
    entries = []
    numbered = False
    for offset, line in enumerate(token.content.split("\n"), 1):
        entry = line.strip()
        if entry.startswith(":"):
            numbered = numbered or entry.startswith(":numbered:")
        elif entry:
            target = re.search(r"<([^<>]+)>$", entry)
            entries.append((target[1] if target else entry, location.down(offset)))
    end = Location(path, (token.map or [0, 1])[1])
    return Toctree(tuple(entries), numbered, location, end)


def blocks(cell: Cell) -> Iterator[Block]:
    """The pieces of a Markdown cell in order; what stands in directives that hold prose follows their own piece."""
    yield from _blocks(cell.source, cell.location)


def _blocks(text: str, start: Location) -> Iterator[Block]:
    tokens = _markdown().parse(text)
    for index, token in enumerate(tokens):
        location = start.down(token.map[0] if token.map else 0)
        if token.type == "myst_line_comment":
            for number, line in enumerate(token.content.split("\n")):
                yield Block("comment", line.strip(), location.down(number))
        elif token.type == "myst_target":
            yield Block("target", str(token.meta.get("label") or token.content), location)
        elif token.type == "inline":
            heading = tokens[index - 1].type == "heading_open"
            yield Block("heading" if heading else "text", token.content, location)
        elif token.type in ("fence", "colon_fence") and (info := INFO.fullmatch(token.info.strip())):
            options, body, offset = _options(token.content)
            yield Block("directive", info[2], location, info[1], options)
            if info[1] not in (*VERBATIM, "code-cell", "toctree"):
                yield from _blocks(body, location.down(1 + offset))


def _options(content: str) -> tuple[dict[str, str], str, int]:
    """The options at the head of a directive, what follows them, and how many lines they take."""
    lines = content.split("\n")
    end = 0
    if lines[0].strip() == "---":
        end = next((number for number, line in enumerate(lines[1:], 2) if line.strip() == "---"), len(lines))
    else:
        while end < len(lines) and re.match(r":[\w-]+:", lines[end].strip()):
            end += 1
    pairs = (line.strip().removeprefix(":").partition(":") for line in lines[:end] if ":" in line)
    return {name: value.strip() for name, _, value in pairs}, "\n".join(lines[end:]), end

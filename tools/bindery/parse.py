"""Reads one chapter file, Markdown or notebook: text in, a `Page` and problems out. Nothing else reads Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from bindery.model import Cell, Location, Problem, Section
from bindery.settings import SectionSettings
from bindery.validate import LineOf, check, hint, read_yaml

FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
FRONT_MATTER_KEYS = ("kernelspec", "bindery", "jupytext", "myst")
CELL_KEYS = ("tags", "mystnb")
TAGS = (
    *("parameters", "claim", "timing", "asynchronous", "raises-exception", "full-width", "scroll-output"),
    *("hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell"),
    *("remove-stdout", "remove-stderr"),
)
VERBATIM = ("code", "code-block", "literalinclude", "parsed-literal", "raw", "math", "sourcecode")
INFO = re.compile(r"\{([^}]+)\}\s*(.*)")


@dataclass(frozen=True)
class Toctree:
    """One `{toctree}` directive: its entries as written, resolved to docnames by the reader of the book."""

    entries: tuple[tuple[str, Location], ...]
    numbered: bool
    location: Location


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
    settings, body_line, problems = _read_front_matter(path, text)
    lines = text.split("\n")
    body = "\n" * (body_line - 1) + "\n".join(lines[body_line - 1 :])
    tokens = _markdown().parse(body)
    cells: list[Cell] = []
    start = body_line - 1
    for token in tokens:
        info = INFO.fullmatch(token.info.strip()) if token.type in ("fence", "colon_fence") else None
        if not info or not token.map:
            continue
        name, (first, last) = info[1], token.map
        if name == "code-cell" and token.level == 0:
            _add_markdown(cells, path, lines, start, first)
            cell, found = _read_code_cell(path, token, lines)
            problems += found
            cells.append(cell)
            start = last
        elif name == "code-cell" or (
            name not in VERBATIM and re.search(r"^\s*[`:]{3,}\{code-cell\}", token.content, re.M)
        ):
            message = "a code cell inside another directive does not run; move it to the top level"
            problems.append(Problem(Location(path, first + 1), "nested-code-cell", message))
    _add_markdown(cells, path, lines, start, len(lines))
    return _page(path, cells, settings, tokens, 0, problems)


def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table").use(colon_fence_plugin).use(myst_block_plugin)


def _read_front_matter(path: str, text: str) -> tuple[SectionSettings, int, list[Problem]]:
    """The settings, the line on which the body begins, and what is wrong with the front matter."""
    match = FRONT_MATTER.match(text)
    if not match:
        if re.match(r"---[ \t]*\n", text):
            problem = Problem(Location(path, 1), "front-matter", "front matter has no closing `---`")
            return SectionSettings(), 1, [problem]
        return SectionSettings(), 1, []
    data, line_of, problems = read_yaml(match[1], path, 2, "front-matter")
    settings, found = _check_settings(data, path, line_of)
    return settings, text[: match.end()].count("\n") + 1, problems + found


def _check_settings(data: Any, path: str, line_of: LineOf) -> tuple[SectionSettings, list[Problem]]:
    if data is None:
        return SectionSettings(), []
    if not isinstance(data, dict):
        return SectionSettings(), [Problem(Location(path, 2), "front-matter", "front matter is not a mapping")]
    problems = [
        Problem(Location(path, line_of((key,))), "front-matter", f"unknown key `{key}`{hint(key, FRONT_MATTER_KEYS)}")
        for key in map(str, data)
        if key not in FRONT_MATTER_KEYS
    ]
    settings, found = check(
        SectionSettings, data.get("bindery") or {}, path, lambda keys: line_of(("bindery", *keys)), "front-matter"
    )
    return settings or SectionSettings(), problems + found


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
    if not lines[min(last, len(lines)) - 1].strip().startswith(token.markup):
        problems.append(Problem(Location(path, first + 1), "unclosed-cell", "this code cell is never closed"))
    content = token.content.split("\n")[:-1] if token.content.endswith("\n") else token.content.split("\n")
    options: list[str] = []
    offset = 0
    if content and content[0].strip() == "---":
        end = next((i for i, line in enumerate(content[1:], 1) if line.strip() == "---"), 0)
        options, offset = content[1:end], end + 1
    else:
        while offset < len(content) and (match := re.match(r":([\w-]+):\s*(.*)", content[offset])):
            options.append(f"{match[1]}: {match[2]}")
            offset += 1
    option_line = first + 2 + (1 if options and content[0].strip() == "---" else 0)
    data, line_of, found = read_yaml("\n".join(options), path, option_line, "cell-option")
    while offset < len(content) and not content[offset].strip():
        offset += 1
    location = Location(path, first + 2 + offset)
    tags, found_tags = _check_cell(data or {}, path, line_of)
    kept = {key: value for key, value in (data or {}).items() if key != "tags"}
    source = "\n".join(content[offset:]).rstrip()
    return Cell("code", source, location, tags, kept), problems + found + found_tags


def _check_cell(data: dict[str, Any], path: str, line_of: LineOf) -> tuple[tuple[str, ...], list[Problem]]:
    """The tags of a cell; unknown keys and tags are problems, since a typing error would do nothing."""
    problems = [
        Problem(Location(path, line_of((key,))), "cell-option", f"unknown cell option `{key}`{hint(key, CELL_KEYS)}")
        for key in data
        if key not in CELL_KEYS
    ]
    tags = data.get("tags") or []
    tags = [tags] if isinstance(tags, str) else [str(tag) for tag in tags]
    problems += [
        Problem(Location(path, line_of(("tags",))), "cell-option", f"unknown tag `{tag}`{hint(tag, TAGS)}")
        for tag in tags
        if tag not in TAGS
    ]
    return tuple(tags), problems


def _read_notebook(path: str, text: str) -> tuple[Page, list[Problem]]:
    try:
        notebook = json.loads(text)
        raw_cells = notebook["cells"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        problem = Problem(Location(path, line), "notebook", f"not a version 4 notebook: {error}")
        return Page(Section(path, path, "", (), SectionSettings()), ()), [problem]
    metadata = {"bindery": notebook.get("metadata", {}).get("bindery", {})}
    settings, problems = _check_settings(metadata, path, lambda keys: _line_of_key(text, keys))
    cells = []
    position = 0
    for raw in raw_cells:
        source = raw["source"] if isinstance(raw["source"], str) else "".join(raw["source"])
        line, position = _find_source(text, raw["source"], position)
        tags, found = _check_cell({"tags": raw["metadata"].get("tags")}, path, lambda _, at=line: at)  # type: ignore[misc]
        problems += found
        options = {key: value for key, value in raw["metadata"].items() if key == "mystnb"}
        if raw["cell_type"] in ("markdown", "code") and source.strip():
            cells.append(Cell(raw["cell_type"], source.rstrip(), Location(path, line), tags, options))
    first = next((cell for cell in cells if cell.kind == "markdown"), None)
    tokens = _markdown().parse(first.source) if first else []
    return _page(path, cells, settings, tokens, first.location.line - 1 if first else 0, problems)


def _line_of_key(text: str, keys: tuple[int | str, ...]) -> int:
    """The line of the last key of a path in JSON text, close enough for a message."""
    at = 0
    for key in keys:
        found = text.find(json.dumps(key) + ":", at)
        at = found if found >= 0 else at
    return text.count("\n", 0, at) + 1


def _find_source(text: str, source: object, position: int) -> tuple[int, int]:
    """The line on which a cell's `source` begins in the notebook's JSON, and where to look for the next."""
    decoder = json.JSONDecoder()
    for match in re.compile(r'"source":\s*').finditer(text, position):
        value, end = decoder.raw_decode(text, match.end())
        if value == source:
            first = re.compile(r"\[?\s*").match(text, match.end())
            return text.count("\n", 0, first.end() if first else match.end()) + 1, end
    return 1, position


def _page(
    path: str, cells: list[Cell], settings: SectionSettings, tokens: list[Token], shift: int, problems: list[Problem]
) -> tuple[Page, list[Problem]]:
    """Put title, label and toctrees, read off the tokens, to the cells."""
    title, label, line = "", "", 1
    toctrees = []
    for index, token in enumerate(tokens):
        if token.type == "myst_target" and not title:
            label = str(token.meta.get("label") or token.content)
        elif token.type == "heading_open" and token.tag == "h1" and not title:
            title = tokens[index + 1].content
            line = (token.map or [0])[0] + 1 + shift
        elif token.type in ("fence", "colon_fence") and token.info.strip() == "{toctree}" and token.map:
            toctrees.append(_read_toctree(path, token))
    if not title:
        message = "no title: a page begins with `# Title`"
        problems.append(Problem(Location(path, line), "no-title", message))
    if sum("parameters" in cell.tags for cell in cells) > 1:
        second = [cell for cell in cells if "parameters" in cell.tags][1]
        problems.append(Problem(second.location, "parameters", "a second cell is tagged `parameters`; keep one"))
    if settings.quick and not any("parameters" in cell.tags for cell in cells):
        message = "`quick` has values but no cell is tagged `parameters`"
        problems.append(Problem(Location(path, line), "parameters", message))
    return Page(Section(path, title or path, label, tuple(cells), settings, line=line), tuple(toctrees)), problems


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
    return Toctree(tuple(entries), numbered, location)

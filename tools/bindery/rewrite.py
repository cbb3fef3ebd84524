"""Puts new lines into the code cells of a chapter file: its text and the changes in, its new text out. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bindery.jupyter import source_spans
from bindery.model import Cell, Section

WITH_ENDING = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
"""A line with what ends it; the lines that Python alone ends, such as those at a form feed, are no lines here."""
ENDING = re.compile(r"(?:\r\n|\r|\n)?\Z")


@dataclass(frozen=True)
class Change:
    """Lines `first` up to `last`, counted from 0 and the last left out, of a cell get other text."""

    first: int
    last: int
    lines: tuple[str, ...]


def rewrite(section: Section, text: str, changes: Mapping[int, Iterable[Change]]) -> str:
    """The text of a section's file with changes in its cells, which are named by their places in `section.cells`."""
    spans = source_spans(text) if section.path.endswith(".ipynb") else []
    lines = WITH_ENDING.findall(text)
    for place in sorted(changes, reverse=True):  # the last cell first, so that what is above stays where it is
        if spans:
            start, end = spans[place]
            if start:
                text = text[:start] + _changed_value(text[start:end], changes[place]) + text[end:]
        else:
            _change_lines(lines, section.cells[place], changes[place])
    return text if spans else "".join(lines)


def _change_lines(lines: list[str], cell: Cell, changes: Iterable[Change]) -> None:
    """Change a cell of a Markdown file, whose fence may be indented."""
    top = cell.location.line - 1
    raw = [_parted(line)[0] for line in lines[top:]]
    indent = max((line[: -len(own)] for line, own in zip(raw, cell.source.split("\n"), strict=False) if own), key=len)
    _change(lines, top, changes, indent)


def _change(lines: list[str], top: int, changes: Iterable[Change], indent: str = "") -> None:
    """Change lines that carry their endings; new ones get that of the line in whose place or behind which they come."""
    for change in sorted(changes, key=lambda each: each.first, reverse=True):
        first, last = top + change.first, top + change.last
        ending = _parted(lines[first if first < last or not first else first - 1])[1] or "\n"
        final = last == len(lines) and not _parted(lines[-1])[1]
        fresh = [f"{indent if line else ''}{line}{ending}" for line in change.lines]
        if final and not fresh and first:
            lines[first - 1] = _parted(lines[first - 1])[0]
        elif final and fresh:
            fresh[-1] = fresh[-1].removesuffix(ending)
            if first == last:
                lines[first - 1] += ending
        lines[first:last] = fresh


def _parted(line: str) -> tuple[str, str]:
    """A line's text, and what ends it."""
    match = ENDING.search(line)
    at = match.start() if match else len(line)
    return line[:at], line[at:]


def _changed_value(value: str, changes: Iterable[Change]) -> str:
    """The JSON of a cell's source, a text or a list of texts, with changes; texts that stay keep their spelling."""
    source = json.loads(value)
    lines = WITH_ENDING.findall("".join(source))
    _change(lines, 0, changes)
    if isinstance(source, str):
        return json.dumps("".join(lines), ensure_ascii=False)
    elements = _elements(value)
    written = {json.loads(value[start:end]): value[start:end] for start, end in elements}
    if len(elements) > 1:
        between = value[elements[0][1] : elements[1][0]]
    else:
        before = value[1 : elements[0][0]]
        between = "," + (before if "\n" in before else " ")
    texts = (written.get(line) or json.dumps(line, ensure_ascii=False) for line in lines)
    return value[: elements[0][0]] + between.join(texts) + value[elements[-1][1] :]


def _elements(value: str) -> list[tuple[int, int]]:
    """Where the texts of a JSON list of texts stand in it."""
    decoder = json.JSONDecoder()
    found: list[tuple[int, int]] = []
    at = value.find('"')
    while at >= 0:
        _, end = decoder.raw_decode(value, at)
        found.append((at, end))
        at = value.find('"', end)
    return found

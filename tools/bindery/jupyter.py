"""Reads the JSON of a notebook: text in, its cells with the lines on which they stand and problems out."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from bindery.model import Cell, Location, Problem
from bindery.options import check_cell, check_settings
from bindery.settings import SectionSettings, Strict
from bindery.validate import check

SOURCE = re.compile(r'"source"\s*:\s*')


class RawCell(Strict):
    """A cell as the file has it; what else stands there, such as outputs, is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    cell_type: Literal["markdown", "code", "raw"]
    source: tuple[str, ...]
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("source", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("source")
    @classmethod
    def _can_be_written(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        "".join(value).encode()  # half a surrogate pair, which JSON can hold, is a ValueError here
        return value


class RawNotebook(Strict):
    """A notebook as the file has it."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    nbformat: Literal[4]
    cells: tuple[RawCell, ...]
    metadata: dict[str, Any] = Field(default_factory=dict)


def read_cells(path: str, text: str) -> tuple[list[Cell], SectionSettings, list[Problem]]:
    """The Markdown and code cells of a notebook, its settings, and what is wrong with it."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        return [], SectionSettings(), [Problem(Location(path, line), "notebook", f"not a version 4 notebook: {error}")]
    notebook, problems = check(RawNotebook, data, path, lambda _: 1, "notebook")
    if notebook is None:
        return [], SectionSettings(), problems
    settings, problems = check_settings(
        {"bindery": notebook.metadata.get("bindery")}, path, lambda keys: _line_of_key(text, keys)
    )
    cells: list[Cell] = []
    position = 0
    for raw in notebook.cells:
        joined = "".join(raw.source)
        start, position = _find_source(text, joined, position)
        line = _line_of_value(text, start)
        source = _plain(joined)
        data = {key: value for key, value in raw.metadata.items() if key in ("tags", "mystnb")}
        tags, options, found = check_cell(data, path, lambda _, at=line: at)  # type: ignore[misc]
        problems += found
        if raw.cell_type == "raw" and source:
            message = "a raw cell would not be shown; make it Markdown or delete it"
            problems.append(Problem(Location(path, line), "notebook", message))
        elif raw.cell_type != "raw" and source:
            cells.append(Cell(raw.cell_type, source, Location(path, line), tags, options))
    return cells, settings, problems


def _line_of_key(text: str, keys: tuple[int | str, ...]) -> int:
    """The line of the last key of a path in JSON text, close enough for a message."""
    at = 0
    for key in keys:
        found = text.find(json.dumps(key) + ":", at)
        at = found if found >= 0 else at
    return text.count("\n", 0, at) + 1


def source_spans(text: str) -> list[tuple[int, int]]:
    """Where the sources of the cells that `read_cells` gives stand in the notebook's JSON, in the same order."""
    found = []
    position = 0
    for raw in json.loads(text.removeprefix("\ufeff"))["cells"]:
        source = "".join(raw["source"])
        start, position = _find_source(text, source, position)
        if raw["cell_type"] != "raw" and _plain(source):
            found.append((start, position))
    return found


def _plain(source: str) -> str:
    """A cell's source with plain ends of lines and nothing blank at its end."""
    return source.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def _find_source(text: str, source: str, position: int) -> tuple[int, int]:
    """Where a cell's source begins and ends in the notebook's JSON; the next one is looked for from its end."""
    decoder = json.JSONDecoder()
    for match in SOURCE.finditer(text, position):
        value, end = decoder.raw_decode(text, match.end())
        if value == source or (isinstance(value, list) and "".join(map(str, value)) == source):
            return match.end(), end
    return 0, position


def _line_of_value(text: str, start: int) -> int:
    """The line on which a JSON text, or the first one of a list, begins."""
    first = re.compile(r"\[?\s*").match(text, start) if start else None
    return text.count("\n", 0, first.end() if first else 0) + 1

"""The page that shows what has moved, before and after side by side. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bindery.baseline import Output
from bindery.drift import Moved
from bindery.model import Problem
from bindery.quantities import Move
from bindery.render import render

Segment = tuple[str, bool]
"""A piece of a text, and whether it has moved."""


@dataclass(frozen=True)
class Compared:
    """Something that has moved, with the notebooks that may still hold the whole of it."""

    moved: Moved
    before: Mapping[str, Any] | None
    """None if the cache has the baseline's notebook no longer."""
    now: Mapping[str, Any]


def to_page(title: str, compared: Sequence[Compared], sections: int, problems: Sequence[Problem]) -> bytes:
    """The page for people; `problems` are those of the baseline itself."""
    entries = [_entry(each) for each in compared]
    return render("drift.html", title=title, entries=entries, sections=sections, problems=problems)


def _entry(compared: Compared) -> dict[str, Any]:
    moved = compared.moved
    then = here = ""
    if moved.place:
        old, new, output = moved.place
        then = _picture(compared.before, old, output) if compared.before else ""
        here = _picture(compared.now, new, output)
    return {
        "moved": moved,
        "sides": [
            _side("before", moved.before, then, moved.moves),
            _side("after", moved.now, here, moved.moves),
        ],
        # Where one side is but a sketch, two sketches compare better than a sketch and a picture.
        "sketches": bool(here and not then),
    }


def _side(name: str, output: Output | None, picture: str, moves: Sequence[Move]) -> dict[str, Any]:
    # The labels of a plot that is shown say nothing new, unless they have moved.
    told = output and (output.kind == "text" or moves)
    text = segments(output, moves, now=name == "after") if told else []
    return {"name": name, "output": output, "picture": picture, "text": text}


def segments(output: Output | None, moves: Sequence[Move], now: bool) -> list[Segment]:
    """The text of an output in pieces, those marked that have moved."""
    text = "\n".join(output.text) if output else ""
    tokens = [token for move in moves for token in (move.now if now else move.before)]
    pieces: list[Segment] = []
    end = 0
    for token in sorted(tokens, key=lambda token: token.start):
        pieces += [(text[end : token.start], False), (token.text, True)]
        end = token.start + len(token.text)
    return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]


def _picture(notebook: Mapping[str, Any], cell: int, output: int) -> str:
    """The picture that an output of a notebook shows, as a data URL; empty where it shows none."""
    cells = [each for each in notebook["cells"] if each["cell_type"] == "code"]
    data = cells[cell]["outputs"][output].get("data", {})
    if "image/svg+xml" in data:
        return "data:image/svg+xml;base64," + base64.b64encode(data["image/svg+xml"].encode()).decode()
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            return f"data:{mime};base64," + "".join(str(data[mime]).split())
    return ""

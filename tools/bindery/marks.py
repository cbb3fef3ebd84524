"""Finds the comments `#@save` in a cell: text in, marks and problems out."""

from __future__ import annotations

import difflib
import io
import re
import tokenize
from dataclasses import dataclass

from bindery.model import Cell, Problem

MARK = re.compile(r"#\s*@save\b:?\s*(.*)")
LIKE_A_MARK = re.compile(r"#\s*@\s*sav|#@\s*(?P<word>\w+)", re.IGNORECASE)
"""What an author may mean as a mark; a word is one only if it is close to `save`."""


@dataclass(frozen=True)
class Mark:
    """A mark, where it stands in its cell, and whether it is alone on its line."""

    line: int
    column: int
    alone: bool
    override: bool


def find_marks(cell: Cell, python: str, problems: list[Problem]) -> list[Mark]:
    """The marks among the comments of a cell's Python; a comment that only looks like a mark is a problem."""
    marks = []
    for token in tokenize.generate_tokens(io.StringIO(python).readline):
        like = LIKE_A_MARK.search(token.string) if token.type == tokenize.COMMENT else None
        if not like or (like["word"] and not difflib.get_close_matches(like["word"].lower(), ["save"], cutoff=0.75)):
            continue
        match = MARK.fullmatch(token.string)
        message = ""
        if not match:
            message = f"`{token.string}` does not save; a mark is a comment of its own, `#@save` or `#@save override`"
        elif match[1] not in ("", "override"):
            message = f"`#@save {match[1]}` is not known; write `#@save` or `#@save override`"
        if message:
            problems.append(Problem(cell.location.down(token.start[0] - 1), "save-mark", message))
        if match:
            marks.append(Mark(*token.start, alone=token.start[1] == 0, override=match[1] == "override"))
    return marks

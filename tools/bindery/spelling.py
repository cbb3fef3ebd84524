"""The rule on spelling: pages in, problems out. What is a misspelling, codespell's dictionary says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources

from bindery.model import Cell, Location
from bindery.parse import Block
from bindery.prose import plain
from bindery.rules import Page, Piece, Rules

WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def check_spelling(rules: Rules, pages: Iterable[Page]) -> None:
    """Words that are common misspellings of others, in text, captions and descriptions of pictures."""
    if rules.style.spelling is None:
        return
    right = {word.lower() for word in rules.style.spelling}
    for piece in (piece for page in pages for piece in page.pieces):
        for text, where in _texts(piece):
            for number, line in enumerate(text.split("\n")):
                for word in WORD.findall(line):
                    meant = misspellings().get(word.lower().replace("\u2019", "'"))
                    if meant and word.lower() not in right:
                        message = f"`{word}` is a misspelling of `{'`, `'.join(meant)}`"
                        rules.tell(where.down(number), "spelling", message, piece.allowed)


def _texts(piece: Piece) -> Iterator[tuple[str, Location]]:
    """What people read of a block or a cell, without markup; of what stands in options only the first line is known."""
    content = piece.content
    if isinstance(content, Block):
        if content.kind in ("text", "heading"):
            yield plain(content.text), content.location
        yield plain(content.options.get("alt", "")), content.location
    else:
        yield from ((plain(text).replace("\n", " "), content.location) for text in _described(content))


def _described(cell: Cell) -> Iterator[str]:
    """The caption and the description of the picture that a cell draws."""
    shown = cell.options.get("mystnb")
    for kind, key in (("figure", "caption"), ("image", "alt")):
        part = shown.get(kind) if isinstance(shown, Mapping) else None
        if isinstance(part, Mapping) and isinstance(part.get(key), str):
            yield part[key]


@cache
def misspellings() -> Mapping[str, tuple[str, ...]]:
    """Wrong words with the right ones; a line of the dictionary is `wrong->right` or `wrong->one, another, reason`."""
    text = (resources.files("codespell_lib") / "data" / "dictionary.txt").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        wrong, _, right = line.partition("->")
        words = [word.strip() for word in right.split(",")]
        # After a last comma stands a reason for not mending it, or nothing.
        found[wrong.lower()] = tuple(words if len(words) == 1 else words[:-1])
    return found

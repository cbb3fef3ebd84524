"""Words and numbers of a text: words are compared to the letter, numbers within what rounding can do. Pure."""

from __future__ import annotations

import difflib
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

RELATIVE = 1e-3
"""How far another machine may move a number with a point, as a part of it: its sums are rounded in another order."""
ABSOLUTE = 1e-6
"""How far in any case: a difference that is nothing but rounding, such as 6e-08, has no digits to keep."""
WIDER = 3
"""A band that runs have shown is widened by so many times itself on both sides; few runs show little of it."""

Bands = Mapping[int, tuple[float, float]]
"""For numbers of a text, by their count from 0, the least and the greatest that several runs gave."""

_TOKEN = re.compile(
    r"""
    (?P<number>
      (?<![\w.]) [-+\u2212]? (?: \d{1,3}(?:,\d{3})+ | \d+ ) (?P<decimals>\.\d*)? (?:e(?P<exponent>[-+]?\d+))?
    )
    | \w+ | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MINUS = "\N{MINUS SIGN}"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_FOLDER = re.compile(r"/[^\s'\":]*/build/")


@dataclass(frozen=True)
class Token:
    """A word, a sign or a number, and where in the text it stands."""

    text: str
    start: int
    value: float | None = None
    """None unless it is a number."""
    unit: float = 0.0
    """One in the last decimal place that is printed; 0 where there is none, as in 3 or 1e-3."""
    whole: bool = False
    """Whether it is printed without a point."""


@dataclass(frozen=True)
class Move:
    """What of a text has moved: tokens before and now, and the band in which a number should have stayed."""

    before: tuple[Token, ...]
    now: tuple[Token, ...]
    context: str = ""
    """The words in front of it."""
    band: tuple[float, float] | None = None

    def __str__(self) -> str:
        then, now = (" ".join(token.text for token in side) or "nothing" for side in (self.before, self.now))
        band = f" (band {self.band[0]:.6g} to {self.band[1]:.6g})" if self.band else ""
        return f"{self.context}: {then} → {now}{band}" if self.context else f"{then} → {now}{band}"


def tidied(text: str) -> str:
    """A text without what differs between two runs of the same: addresses, the folder of the book, colours."""
    return _FOLDER.sub("…/build/", _ADDRESS.sub("0x…", _COLOURS.sub("", text)))


def tokens(text: str) -> list[Token]:
    """What a text consists of; how it is spaced means nothing, since widths of columns follow their numbers."""
    found = []
    for match in _TOKEN.finditer(text):
        written, start = match[0], match.start()
        if match["number"] is None:
            found.append(Token(written, start))
            continue
        decimals, exponent = match["decimals"], int(match["exponent"] or 0)
        unit = 10.0 ** (exponent - len(decimals) + 1) if decimals else 0.0
        value = float(written.replace(",", "").replace(_MINUS, "-"))
        found.append(Token(written, start, value, unit, decimals is None and match["exponent"] is None))
    return found


def numbers(found: Sequence[Token]) -> list[Token]:
    """Those tokens that are numbers."""
    return [token for token in found if token.value is not None]


def words(found: Sequence[Token]) -> list[str]:
    """The tokens with one sign in place of any number."""
    return [token.text if token.value is None else "#" for token in found]


def moves(before: str, now: str, bands: Bands) -> list[Move]:
    """What has moved from one text to the other: words, or if these are the same, numbers out of their bands."""
    then, here = tokens(before), tokens(now)
    if words(then) != words(here):
        return list(_moved_words(then, here))
    found = []
    lines = [before.count("\n", 0, token.start) for token in numbers(then)]
    common = {line: _common([i for i, other in enumerate(lines) if other == line], then, bands) for line in {*lines}}
    count = -1
    for position, (old, new) in enumerate(zip(then, here, strict=True)):
        if old.value is None or new.value is None:
            continue
        count += 1
        low, high = _band(old, new, bands.get(count), common[lines[count]])
        if not low <= new.value <= high:
            found.append(Move((old,), (new,), _context(before, then, position), (low, high)))
    return found


def spread(texts: Sequence[str]) -> dict[int, tuple[float, float]] | None:
    """The bands of those numbers that differ between runs; None if the runs do not even agree on the words."""
    runs = [tokens(text) for text in texts]
    if any(words(run) != words(runs[0]) for run in runs):
        return None
    columns = zip(*([token.value or 0.0 for token in numbers(run)] for run in runs), strict=True)
    return {index: (min(column), max(column)) for index, column in enumerate(columns) if min(column) < max(column)}


def _common(line: Sequence[int], found: Sequence[Token], bands: Bands) -> float:
    """By which part numbers of a line stray, if most with a point do; in few runs some stand still by chance."""
    here = numbers(found)
    pointed = [index for index in line if not here[index].whole]
    strayed = [bands[index] for index in pointed if index in bands]
    if not strayed or 2 * len(strayed) < len(pointed):
        return 0.0
    return statistics.median((high - low) / max(abs(low), abs(high)) for low, high in strayed)


def _band(old: Token, new: Token, learned: tuple[float, float] | None, common: float) -> tuple[float, float]:
    """Where a number may be: whole numbers where they were, others a little beside, all where runs have seen them."""
    middle = old.value or 0.0
    low, high = learned or (middle, middle)
    if old.whole and new.whole:
        room = 0.0
    else:
        # What is printed may fall on either side of a rounding boundary; the last part is for the reading of decimals.
        room = min(old.unit, new.unit) * 1.001 + RELATIVE * max(abs(low), abs(high)) + ABSOLUTE
    if learned or not old.whole:
        room += WIDER * max(high - low, common * max(abs(low), abs(high)))
    return low - room, high + room


def _context(text: str, found: Sequence[Token], position: int) -> str:
    """The last words that stand before a token in its line, as readers would call the number."""
    line = text.rfind("\n", 0, found[position].start) + 1
    near = [token.text for token in found[:position] if token.start >= line and token.value is None]
    return " ".join([word for word in near if word[0].isalpha()][-3:])


def _moved_words(then: Sequence[Token], here: Sequence[Token]) -> Iterator[Move]:
    matcher = difflib.SequenceMatcher(None, words(then), words(here), autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind != "equal":
            yield Move(tuple(then[first:last]), tuple(here[start:end]))

"""MathML as browsers and reading systems of today read it: letters of another typeface are characters of their own."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

STYLES = {
    "bold": "BOLD",
    "italic": "ITALIC",
    "bold-italic": "BOLD ITALIC",
    "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT",
    "fraktur": "FRAKTUR",
    "sans-serif": "SANS-SERIF",
    "bold-sans-serif": "SANS-SERIF BOLD",
    "monospace": "MONOSPACE",
}
"""Typefaces of MathML, by what they are in the names of characters."""

BLOCKS = (*range(0x2100, 0x2150), *range(0x1D400, 0x1D800))
"""Where these characters are. Those of the first block were there before the others, under names of their own."""

STYLED = re.compile(r'(?P<tag><m\w+)(?P<more>[^>]*?) mathvariant="(?P<style>[\w-]+)"(?P<rest>[^>]*)>(?P<text>[^<]*)<')


def mended(formula: str) -> str:
    """What KaTeX wrote, without what is invalid, and with characters where Chromium's engine knows no attribute."""
    return STYLED.sub(_lettered, formula.replace(' columnspacing=""', ""))


def _lettered(match: re.Match[str]) -> str:
    style = STYLES.get(match["style"], "")
    letters = [_alphabets().get((style, letter)) for letter in match["text"]]
    if not all(letters):
        return match[0]  # `normal` is the one that all engines know
    return f"{match['tag']}{match['more']}{match['rest']}>{''.join(filter(None, letters))}<"


@cache
def _alphabets() -> dict[tuple[str, str], str]:
    """By typeface and plain letter the letter of that typeface."""
    found: dict[tuple[str, str], str] = {}
    for code in BLOCKS:
        name = unicodedata.name(chr(code), "").replace("BLACK-LETTER", "FRAKTUR")
        words = re.match(r"(?:MATHEMATICAL )?([A-Z -]+?) (?:CAPITAL|SMALL|DIGIT) ", name)
        if words:
            # A letter's variant, such as that of theta, comes after it and has the same plain letter.
            found.setdefault((words[1], unicodedata.normalize("NFKC", chr(code))), chr(code))
    return found

"""MathML for reading systems: what KaTeX writes beside its HTML, made valid, and fit for engines that set it alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'

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

ROWS = ("mrow", "mstyle", "mtd", "mpadded", "math")
SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
APPLY = "\N{FUNCTION APPLICATION}"
THIN = "0.1667em"


def mended(formula: str) -> str:
    """A formula as KaTeX wrote it, as it stands in an EPUB."""
    root = ElementTree.fromstring(formula.replace(NAMESPACE, ""))
    for math in root.iter("math"):
        _name(math)
    for element in list(root.iter()):
        if element.get("columnspacing") == "":
            del element.attrib["columnspacing"]
        _letter(element)
        _join(element)
    for element in list(root.iter()):
        if element.tag in ROWS:
            element[:] = list(_spaced(list(element)))
    return ElementTree.tostring(root, encoding="unicode").replace("<math", f"<math{NAMESPACE}")


def _name(math: Element) -> None:
    """Make what the author wrote the formula's alternative text: as an annotation, some systems show it."""
    meaning, annotation = next(math.iter("semantics"))
    math[:] = [meaning]
    math.set("alttext", " ".join((annotation.text or "").split()))


def _letter(element: Element) -> None:
    """Put characters in place of the attribute `mathvariant`, of which Chromium's engine knows only `normal`."""
    style = STYLES.get(element.get("mathvariant", ""), "")
    letters = [_alphabets().get((style, letter), "") for letter in element.text or ""]
    if letters and all(letters):
        element.text = "".join(letters)
        del element.attrib["mathvariant"]


def _join(element: Element) -> None:
    """Make one thing of a function's name and the sign that it is applied: an exponent is a single thing."""
    for index, (name, sign) in enumerate(zip(list(element), list(element)[1:], strict=False)):
        if sign.text == APPLY and not (element.tag == "mrow" and len(element) == 2):
            both = Element("mrow")
            both[:] = [name, sign]
            element[index : index + 2] = [both]
            return _join(element)
    return None


def _spaced(row: list[Element]) -> Iterator[Element]:
    """The things of a row with the space that a function's name has beside numbers and letters."""
    for index, thing in enumerate(row):
        pair = row[index - 1 : index + 1] if index else []
        if any(map(_has_name, pair)) and all(map(_takes_space, pair)):
            yield Element("mspace", width=THIN)
        yield thing


def _takes_space(thing: Element) -> bool:
    """Whether this is something, and does not bring its own space."""
    return thing.tag not in ("mo", "mspace") and not (thing.tag == "mrow" and len(thing) == 0)


def _has_name(thing: Element) -> bool:
    """Whether this is the name of a function, such as `log`, maybe with an index or an exponent."""
    if thing.tag in SCRIPTS:
        return _has_name(thing[0])
    return thing.tag == "mrow" and len(thing) > 0 and thing[-1].text == APPLY


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

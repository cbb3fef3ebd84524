"""What LaTeX complains of, as problems of the chapters: errors, lost references, and what is wider than the page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bindery.model import Location, Problem
from bindery.site import HOME, Complaint, exact_line

OVERFULL = 1.0
"""Points that a line may be wider than the text."""

MARK = re.compile(r"^%@ (?P<page>.+):(?P<line>\d+)$")
ERROR = re.compile(r"^(?:\./)?book\.tex:(?P<line>\d+): (?P<message>.*)$")
STYLE_ERROR = re.compile(r"^(?P<file>[^\s:]+\.(?:sty|cls|tex|toc|aux|out|ind)):(?P<line>\d+): (?P<message>.*)$")
SHOWN = re.compile(r"^l\.\d+ ?(?P<text>.*)$")
MISSING = re.compile(r"Missing character: There is no (?P<character>.) ")
WIDE = re.compile(r"^Overfull \\[hv]box \((?P<points>[\d.]+)pt too (?P<what>wide|high)\).*?(?:at lines?) (?P<line>\d+)")
WARNED = re.compile(r"^LaTeX Warning: (?P<message>.*(?:undefined|multiply defined|too large).*?)\.?$")
INPUT_LINE = re.compile(r" on input line (?P<line>\d+)")
NO_IMAGE = re.compile(r"(?:<|\\PYGZlt\{\}|\\textless\{\})Figure size ")


def complaints(log: str, text: str, sources: Mapping[str, str], finished: bool = True) -> Iterator[Problem]:
    """What is wrong by LaTeX's log: its errors, or once there are none, lines too wide and references to nothing."""
    lines, tex = log.splitlines(), text.splitlines()
    for number, line in enumerate(lines):
        error, style, wide, warned = (pattern.match(line) for pattern in (ERROR, STYLE_ERROR, WIDE, WARNED))
        if error:
            shown = next((SHOWN.match(after) for after in lines[number : number + 12] if SHOWN.match(after)), None)
            yield _problem(int(error["line"]), error["message"], shown["text"] if shown else "", tex, sources)
        elif style:
            yield Problem(HOME, "latex", f"{style['file']}:{style['line']}: {style['message']}")
        elif finished and wide and float(wide["points"]) > OVERFULL:
            what = f"{float(wide['points']):.0f} points {'wider' if wide['what'] == 'wide' else 'higher'}"
            message = f"on paper this is {what} than there is room"
            yield _located(int(wide["line"]), Complaint("", 0, "bindery.too-wide", message), tex, sources)
        elif finished and warned:
            at = INPUT_LINE.search(line)
            complaint = Complaint("", 0, "bindery.latex", warned["message"])
            yield _located(int(at["line"]) if at else 1, complaint, tex, sources)


def pictures_missing(text: str, sources: Mapping[str, str]) -> Iterator[Problem]:
    """Outputs of which LaTeX would print the words that stand for a picture."""
    tex = text.splitlines()
    for number, line in enumerate(tex, start=1):
        if NO_IMAGE.search(line):
            message = "this output is a picture in no format that LaTeX can include (SVG, PNG, JPEG or PDF)"
            yield _located(number, Complaint("", 0, "bindery.no-picture", message), tex, sources)


def _problem(number: int, message: str, shown: str, tex: Sequence[str], sources: Mapping[str, str]) -> Problem:
    absent = MISSING.search(message)
    if absent:
        said = f"no font of the PDF has the character '{absent['character']}' (U+{ord(absent['character']):04X})"
        return _located(number, Complaint("", 0, "bindery.missing-character", said), tex, sources)
    # LaTeX shows the line up to what it stumbled over: the last command in it is what an author can look for.
    last = re.search(r"\\[A-Za-z]+\*?$", shown.strip()) or re.search(r"\S{1,40}$", shown.strip())
    said = f"LaTeX: {message}" + (f" at '{last[0]}'" if last else "")
    return _located(number, Complaint("", 0, "bindery.latex", said), tex, sources)


def _located(number: int, complaint: Complaint, tex: Sequence[str], sources: Mapping[str, str]) -> Problem:
    """The complaint on a line of the LaTeX file as a problem of the chapter that the last mark before it names."""
    marks = (MARK.match(line) for line in reversed(tex[:number]))
    mark = next((mark for mark in marks if mark), None)
    found = mark and next((p for s in (".md", ".ipynb") if (p := f"chapters/{mark['page']}{s}") in sources), None)
    if not mark or not found:
        return Problem(HOME, complaint.rule, complaint.message)
    located = Complaint(found, int(mark["line"]), complaint.kind, complaint.message)
    return Problem(Location(found, exact_line(located, sources[found].splitlines())), complaint.rule, complaint.message)

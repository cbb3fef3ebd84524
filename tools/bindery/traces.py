"""What a kernel's traceback says, told in lines of the book: pure functions from text to text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from bindery.model import Location

Origins = Mapping[str, Sequence[tuple[int, int, str, int]]]
"""`_origin.json`: per library file its ranges (first line, last line, chapter file, chapter line of the first)."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CELL = re.compile(r"\s*Cell In\[(?P<count>\d+)\], line (?P<line>\d+)(?P<rest>, in .*)?$")
_FILE = re.compile(r"\s*File (?P<file>[^\"].*?):(?P<line>\d+)(?P<rest>, in .*)?$")
_PLAIN = re.compile(r"[ |]*File \"(?P<file>.+?)\", line (?P<line>\d+)(?P<rest>, in .*)?$")
_COMPILED = re.compile(r"ipykernel_\d+$")
_ARROW = re.compile(r"-+> ?\d+ ?(?P<code>.*)$")
_EXCERPT = re.compile(r"\s*(\d+( |$)|\(\.\.\.\)$)")
_COMPILED_NAME = re.compile(r" \(\d+\.py, line \d+\)$")


@dataclass(frozen=True)
class Place:
    """Where a cell that ran stands in the book; `blank` leading lines are gone from the numbers IPython gives."""

    location: Location
    lines: int
    blank: int = 0

    @classmethod
    def of(cls, source: str, location: Location) -> Place:
        """The place of a cell's source; IPython drops its leading blank lines before it counts."""
        lines = source.split("\n")
        blank = next((number for number, line in enumerate(lines) if line.strip()), 0)
        return cls(location, len(lines), blank)

    def line(self, number: int) -> Location:
        """The chapter line of a line of the cell, numbered from 1 as in a traceback."""
        return self.location.down(min(max(number, 1) + self.blank, self.lines) - 1)


@dataclass(frozen=True)
class Sources:
    """What frames can be mapped with: cells by execution count and by compiled file name, and library lines."""

    cells: Mapping[int, Place] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    """Names that ipykernel compiles cells under (`1234567.py`), with the execution count."""
    library: str = ""
    """The library's directory as the kernel sees it."""
    origins: Origins = field(default_factory=dict)

    def locate(self, line: str) -> tuple[Location | None, int, str] | None:
        """What a frame's first line points to: location, execution count if in a cell, and ` in function`; or None."""
        if match := _CELL.match(line):
            count = int(match["count"])
        elif match := _FILE.match(line) or _PLAIN.match(line):
            file = PurePath(match["file"])
            count = self.files.get(file.name, 0) if _COMPILED.match(file.parent.name) else 0
            if not count:
                return self._library_line(file, int(match["line"])), 0, match["rest"] or ""
        else:
            return None
        place = self.cells.get(count)
        return place.line(int(match["line"])) if place else None, count, match["rest"] or ""

    def _library_line(self, file: PurePath, line: int) -> Location | None:
        """The chapter line of a library line, if a saved block put it there."""
        # IPython writes `~` for the home directory, so the end of the path has to be enough.
        if not str(PurePath(self.library, "d2l", "torch")).endswith(str(file.parent).removeprefix("~")):
            return None
        for first, last, path, chapter_line in self.origins.get(file.name, ()):
            if first <= line <= last:
                return Location(path, chapter_line + line - first)
        return None


def plain(text: str) -> str:
    """The text without ANSI escape sequences."""
    return _ANSI.sub("", text)


def headline(name: str, value: str) -> str:
    """An exception in one line, as in `ZeroDivisionError: division by zero`."""
    first = _COMPILED_NAME.sub("", plain(value).strip().partition("\n")[0].rstrip())
    return f"{name}: {first}" if first else name


def raised_at(traceback: str, count: int, sources: Sources) -> Location | None:
    """The last line of the cell with this execution count that the traceback passes through."""
    found = None
    for line in plain(traceback).split("\n"):
        located = sources.locate(line)
        if located and located[1] == count:
            found = located[0] or found
    return found


def readable(traceback: str, sources: Sources, most: int = 15) -> str:
    """The end of a traceback: per frame its place in the book, or its file, and the line of code that ran."""
    lines: list[str] = []
    in_frame = False
    for line in plain(traceback).split("\n"):
        located = sources.locate(line)
        if located:
            location, _, rest = located
            lines.append(f"{location}{rest}" if location else line.strip())
            in_frame = True
        elif not line.strip() or set(line) == {"-"} or "Traceback (most recent call last)" in line:
            in_frame = False
        elif in_frame and (arrow := _ARROW.match(line)):
            lines.append(f"    {arrow['code'].strip()}")
        elif not (in_frame and _EXCERPT.match(line)):
            lines.append(line.rstrip())
    return "\n".join(lines[-most:])

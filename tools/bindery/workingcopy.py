"""A copy of the library in which authors edit saved code, and what it was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bindery import files
from bindery.library import Library
from bindery.model import Location, Problem, ProblemsFound

MANIFEST = "made-from.json"


@dataclass(frozen=True)
class WorkingCopy:
    """The copy in a folder of the book's build folder."""

    root: Path
    folder: Path

    @property
    def name(self) -> str:
        """The folder as locations name it."""
        return self.folder.relative_to(self.root).as_posix()

    @property
    def exists(self) -> bool:
        """Whether it has been made."""
        return (self.folder / MANIFEST).is_file()

    @property
    def _made_from(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return found

    def make(self, library: Library) -> None:
        """Write the library's files, and note what the chapters with its code hold."""
        before = self._made_from["files"] if self.exists else {}
        paths = sorted({block.location.path for block in library.blocks})
        chapters = {path: _digest((self.root / path).read_bytes()) for path in paths}
        manifest = {"chapters": chapters, "files": _digests(library.files)}
        # Last comes what says that the copy is whole.
        files.remove(self.folder / MANIFEST)
        for path in before.keys() - library.files.keys():
            files.remove(self.folder / path)
        for path, text in library.files.items():
            files.write_if_changed(self.folder / path, text.encode())
        files.write_if_changed(self.folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())

    def texts(self) -> dict[str, str]:
        """Its files by path, Python's caches and what other tools hide left out; raises `ProblemsFound`.

        The end of a last line, which some editors drop, is there in any case.
        """
        found = {}
        problems = []
        for file in sorted(self.folder.rglob("*")):
            path = file.relative_to(self.folder)
            hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
            if hidden or not file.is_file() or path.as_posix() == MANIFEST:
                continue
            try:
                text = file.read_text(encoding="utf-8")
                found[path.as_posix()] = text if text.endswith("\n") or not text else f"{text}\n"
            except UnicodeDecodeError as error:
                line = error.object.count(b"\n", 0, error.start) + 1
                where = Location(f"{self.name}/{path.as_posix()}", line)
                problems.append(Problem(where, "encoding", f"not UTF-8: {error.reason}"))
        if problems:
            raise ProblemsFound(problems)
        return found

    def edits(self) -> list[Problem]:
        """The files that have been edited, as reasons not to make the copy anew."""
        digests = _digests(self.texts())
        changed = sorted(
            path
            for path in digests.keys() | self._made_from["files"].keys()
            if digests.get(path) != self._made_from["files"].get(path)
        )
        message = (
            f"edited and not taken back; `bindery untangle --write` takes it back, and where {self.name} is "
            "removed, the edit is dropped"
        )
        return [Problem(Location(f"{self.name}/{path}", 1), "untangle", message) for path in changed]

    def outdated(self, library: Library) -> list[Problem]:
        """What has changed in the chapters since the copy was made."""
        changed = []
        for path, digest in self._made_from["chapters"].items():
            file = self.root / path
            if not file.is_file() or _digest(file.read_bytes()) != digest:
                changed.append(file)
        problems = self.overtaken(changed)
        if not problems and _digests(library.files) != self._made_from["files"]:
            where = Location(f"{self.name}/{MANIFEST}", 1)
            message = "the order of sections, or bindery, has changed since this copy was made; make a new one"
            problems.append(Problem(where, "untangle", message))
        return problems

    def overtaken(self, chapters: Iterable[Path]) -> list[Problem]:
        """Say that chapter files have changed since the copy was made, so that its edits have lost their places."""
        message = (
            f"changed since {self.name} was made; undo that, or move the copy away and carry its edits into a new one"
        )
        paths = sorted(file.relative_to(self.root).as_posix() for file in chapters)
        return [Problem(Location(path, 1), "untangle", message) for path in paths]


def _digests(texts: Mapping[str, str]) -> dict[str, str]:
    return {path: _digest(text.encode()) for path, text in texts.items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""An author's desk, where the library is taken apart and put together again."""

from __future__ import annotations

from bindery import files
from bindery.model import Mistyped, Problem
from bindery.tangle import tangle
from bindery.untangle import untangle
from bindery.until import book_until
from bindery.validate import hint
from bindery.workingcopy import WorkingCopy
from bindery.workshop import Workshop


class Desk(Workshop):
    """A workshop with what authors do besides building: each method does one thing and tells what it did."""

    def tangle(self, until: str) -> list[Problem]:
        """Tangle the book, or what a reader has read at the end of a section."""
        if not until:
            return self.lib()
        name = until.removeprefix("chapters/").removesuffix(".md").removesuffix(".ipynb")
        sections = {section.name: section for section in self.book.sections()}
        if name not in sections:
            raise Mistyped(f"no section `{name}`{hint(name, sections)}")
        library = tangle(book_until(self.book, self.library, name))
        link = self.build / "library-until" / name
        self.put(library, link)
        counts = self.counts(library)
        self.say(f"library: {counts} at the end of {sections[name].heading}, in {link.relative_to(self.root)}")
        return []

    def untangle(self, edit: bool, write: bool) -> list[Problem]:
        """Make a working copy of the library, or take its edits back to the chapters; show them before writing."""
        copy = WorkingCopy(self.root, self.build / "edit")
        with files.locked(self.build / "locks" / "edit"):
            if edit:
                return self._make_copy(copy)
            if not copy.exists:
                raise Mistyped("there is no working copy; `bindery untangle --edit` makes one in build/edit")
            return self._take_back(copy, write)

    def _make_copy(self, copy: WorkingCopy) -> list[Problem]:
        problems = copy.edits() if copy.exists else []
        if not problems:
            copy.make(self.library)
            self.say(
                f"untangle: edit the library in {copy.name}; `bindery untangle` shows what becomes of the chapters"
            )
        return problems

    def _take_back(self, copy: WorkingCopy, write: bool) -> list[Problem]:
        paths = {block.location.path for block in self.library.blocks}
        before = {path: (self.root / path).read_bytes() for path in paths}
        if problems := copy.outdated(self.library):
            return problems
        texts = {path: content.decode() for path, content in before.items()}
        untangled = untangle(self.book, self.library, copy.texts(), texts, copy.name)
        for diff in untangled.diffs(texts):
            self.say(diff)
        shown = ", ".join(sorted(untangled.texts))
        if not shown:
            self.say(f"untangle: {copy.name} has no edits")
        elif not write:
            self.say(f"untangle: nothing is written yet; `bindery untangle --write` would change {shown}")
        else:
            changes = {self.root / path: (before[path], text.encode()) for path, text in untangled.texts.items()}
            if others := files.replace_together(changes):
                return copy.overtaken(others)
            copy.make(untangled.library)
            self.say(f"untangle: changed {shown}")
        return []

"""The library that a book's saved blocks make: its modules, and what each of its names reaches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bindery.merge import Line
from bindery.saved import SavedBlock
from bindery.symbols import Uses


@dataclass(frozen=True)
class Definition:
    """One name of the library (or several bound at once), with all the saved blocks that make it."""

    names: tuple[str, ...]
    module: str
    block: SavedBlock
    sources: tuple[str, ...]
    """The chapter source of the definition, its extensions and its items, in book order."""
    uses: frozenset[str]
    """Names of the library used by it, bare or with the prefix."""
    whole: bool
    at_import: bool
    packages: frozenset[str]
    """Top-level modules that it imports itself."""


@dataclass(frozen=True)
class Library:
    """The package as text, and its symbol graph."""

    files: Mapping[str, str]
    """Path inside the library (`d2l/torch/gan.py`) to text."""
    definitions: Mapping[str, Definition]
    blocks: tuple[SavedBlock, ...] = field(default=(), repr=False)
    lines: Mapping[str, tuple[Line, ...]] = field(default_factory=dict, repr=False)
    """The lines of each chapter's module, by the module's path, with what each was copied from."""

    @cached_property
    def digest(self) -> str:
        """Names the library by its content."""
        digest = hashlib.sha256()
        for path, text in sorted(self.files.items()):
            digest.update(f"{path}\0{len(text.encode())}\0{text}".encode())
        return digest.hexdigest()[:20]

    @cached_property
    def _at_import(self) -> frozenset[str]:
        """The names whose definitions run when the library is imported."""
        return frozenset(name for name, definition in self.definitions.items() if definition.at_import)

    def reach(self, uses: Uses) -> list[Definition]:
        """All definitions that code with these uses can reach, ordered by name."""
        if uses.whole:
            return self._ordered(self.definitions)
        start = set(uses.names)
        if uses.imports:
            start |= self._at_import
        reached: set[str] = set()
        while start:
            name = start.pop()
            if name in reached:
                continue
            definition = self.definitions.get(name)
            if definition is None:
                inside = {key for key, each in self.definitions.items() if each.module == name}
                if not inside:  # `d2l.__all__`, say, tells of all names
                    return self._ordered(self.definitions)
                start |= inside - reached  # the name of a chapter's module, as in `d2l.gan.update_D`
                continue
            if definition.whole:
                return self._ordered(self.definitions)
            reached.update(definition.names)
            start |= definition.uses - reached
        return self._ordered(reached)

    def _ordered(self, names: Iterable[str]) -> list[Definition]:
        found = {self.definitions[name].names[0]: self.definitions[name] for name in names}
        return [found[name] for name in sorted(found)]

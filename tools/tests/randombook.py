"""Books with a random symbol graph that is known from the outset, and what an edit of them must make run again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

SECTIONS, CHAPTERS = 9, 3
KINDS = ("function", "function", "class", "extension", "override", "table", "item", "value", "constant")


@dataclass
class Piece:
    """One saved statement: the name it belongs to, the names it uses, and a constant that an edit may change."""

    kind: str
    name: str
    owner: str
    """The name of the library that it is part of: a class for its extensions, a table for its items."""
    chapter: int
    section: int
    uses: tuple[str, ...]
    constant: int
    calls: bool = False
    """Whether importing it calls something that is not a builtin."""


@dataclass
class Section:
    """What a section does besides saving: the names that it prints, and how it writes them."""

    uses: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of a name and a way to write its use."""
    constant: int = 0
    imports: bool = False


class RandomBook:
    """Pieces and sections; each piece uses earlier ones only."""

    def __init__(self, seed: int) -> None:
        """Make one from a seed."""
        self.random = random.Random(seed)
        self.pieces: list[Piece] = []
        self.sections = [Section(constant=self.random.randrange(100)) for _ in range(SECTIONS)]
        for number, section in enumerate(self.sections):
            for _ in range(self.random.randrange(1, 5)):
                self.add_piece(number)
            names = self.usable(number)
            section.imports = self.random.random() < 0.8
            ways = ("prefix", "prefix", "from", "time", "cell time")
            for name in self.random.sample(names, min(len(names), self.random.randrange(3))):
                section.uses.append((name, self.random.choice(ways)))
            if section.imports and names and self.random.random() < 0.1:
                section.uses.append((self.random.choice(names), "whole"))

    def usable(self, section: int) -> list[str]:
        """The names that can be evaluated with the argument 1 from this section on."""
        return sorted({p.owner for p in self.pieces if p.kind in ("function", "class", "table", "value", "constant")})

    def add_piece(self, section: int) -> None:
        """Save one more statement in a section."""
        chapter = section * CHAPTERS // SECTIONS
        kind = self.random.choice(KINDS)
        owners = {p.name: p for p in self.pieces}
        classes = [p.name for p in self.pieces if p.kind == "class"]
        tables = [p.name for p in self.pieces if p.kind == "table"]
        if (kind in ("extension", "override") and not classes) or (kind == "item" and not tables):
            kind = "function"
        name = f"{kind[0]}{len(self.pieces)}"
        owner = name
        if kind in ("extension", "override"):
            owner = self.random.choice(classes)
        elif kind == "item":
            owner = self.random.choice(tables)
        if kind == "override" and any(p.kind == "override" and p.owner == owner for p in self.pieces):
            kind, name = "extension", f"e{len(self.pieces)}"
        names = [name for name in self.usable(section) if name != owner]
        if owner in owners:  # what stands in a class or table of another place may not use what came after it
            first = self.pieces.index(owners[owner])
            names = [name for name in names if self.pieces.index(owners[name]) < first]
        uses = tuple(self.random.sample(names, min(len(names), self.random.randrange(3))))
        uses = () if kind in ("table", "constant") else uses
        calls = kind in ("value", "item") and any(owners[use].kind in ("function", "class", "table") for use in uses)
        self.pieces.append(Piece(kind, name, owner, chapter, section, uses, self.random.randrange(100), calls))

    # ---- The oracle ---------------------------------------------------------------------------------------------

    def reached(self, number: int) -> set[str]:
        """All names whose code a section's result may depend on, besides its own cells."""
        section = self.sections[number]
        parts: dict[str, list[Piece]] = {}
        for piece in self.pieces:
            parts.setdefault(piece.owner, []).append(piece)
        if any(way == "whole" for _, way in section.uses):
            return {*parts, "add_to_class"}
        own = [piece for piece in self.pieces if piece.section == number]
        prefixed = {use for piece in own for use in piece.uses if not self.is_bare(piece, use)}
        prefixed |= {piece.owner for piece in own if piece.kind in ("extension", "override", "item")}
        if any(piece.kind in ("extension", "override") for piece in own):
            prefixed.add("add_to_class")
        waiting = list(prefixed | {name for name, _ in section.uses})
        if waiting or self.needs_import(number):
            waiting += [piece.owner for piece in self.pieces if piece.calls]
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += [use for piece in parts.get(name, []) for use in piece.uses]
        return found

    def affected(self, piece: Piece) -> set[int]:
        """The sections that must run again when a piece changes: its own, and those that reach what it is part of."""
        return {piece.section} | {n for n in range(SECTIONS) if piece.owner in self.reached(n)}

    # ---- As text ------------------------------------------------------------------------------------------------

    def is_bare(self, piece: Piece, use: str) -> bool:
        """Whether a piece writes a name without the prefix: it may where both stand in the same section."""
        return any(p.name == use and p.section == piece.section for p in self.pieces)

    def needs_import(self, number: int) -> bool:
        """Whether a section imports the library."""
        own = [piece for piece in self.pieces if piece.section == number]
        extends = any(piece.kind in ("extension", "override", "item") for piece in own)
        prefixed = any(not self.is_bare(piece, use) for piece in own for use in piece.uses)
        return self.sections[number].imports or extends or prefixed or bool(self.sections[number].uses)

    def evaluate(self, use: str, prefix: str) -> str:
        """An expression that a name's code decides."""
        kind = next(p.kind for p in self.pieces if p.name == use)
        return {
            "function": f"{prefix}{use}(1)",
            "class": f"sum({prefix}{use}().all())",
            "table": f"sum({prefix}{use}.values())",
        }.get(kind, f"{prefix}{use}")

    def code_of(self, piece: Piece) -> str:
        """The saved statement of a piece."""
        terms = [self.evaluate(use, "" if self.is_bare(piece, use) else "d2l.") for use in piece.uses]
        value = " + ".join([str(piece.constant), *terms])
        if piece.kind == "function":
            return f"def {piece.name}(x):  #@save\n    return x + {value}"
        if piece.kind == "class":
            method = f"    def value(self):\n        return {value}"
            every = "    def all(self):\n        names = [name for name in dir(self) if name[0] in 've']\n"
            every += "        return [getattr(self, name)() for name in names]"
            return f"class {piece.name}:  #@save\n{method}\n\n{every}"
        if piece.kind in ("extension", "override"):
            mark, name = ("#@save override", "value") if piece.kind == "override" else ("#@save", piece.name)
            return f"@d2l.add_to_class(d2l.{piece.owner})  {mark}\ndef {name}(self):\n    return {value}"
        if piece.kind == "item":
            return f"d2l.{piece.owner}['{piece.name}'] = {value}  #@save"
        if piece.kind == "table":
            return f"{piece.name} = {{'first': {piece.constant}}}  #@save"
        return f"{piece.name} = {value}  #@save"

    def cells(self, number: int) -> list[str]:
        """The code cells of a section."""
        section = self.sections[number]
        cells = ["from d2l import torch as d2l"] if self.needs_import(number) else []
        cells += [self.code_of(piece) for piece in self.pieces if piece.section == number]
        for name, way in section.uses:
            if way == "from":
                cells.append(f"from d2l.torch import {name}\nprint({self.evaluate(name, '')})")
            elif way == "whole":
                cells.append(f"print(type(getattr(d2l, '{name}')).__name__)")
            else:
                magic = {"time": "%time ", "cell time": "%%time\n"}.get(way, "")
                cells.append(f"{magic}print({self.evaluate(name, 'd2l.')})")
        return [*cells, f"print({section.constant})"]

    def write(self, root: Path) -> None:
        """Write the book."""
        (root / "chapters").mkdir(parents=True, exist_ok=True)
        (root / "chapters" / "book.yml").write_text("title: Random\nversion: 0.0.1\nauthors: []\n", encoding="utf-8")
        first = "# Start\n\n```{code-cell} python\ndef add_to_class(cls):  #@save\n"
        first += "    return lambda f: setattr(cls, f.__name__, f)\n```\n"
        chapters: list[list[str]] = [[] for _ in range(CHAPTERS)]
        for number in range(SECTIONS):
            chapter = number * CHAPTERS // SECTIONS
            chapters[chapter].append(f"s{number}")
            cells = "\n\n".join(f"```{{code-cell}} python\n{cell}\n```" for cell in self.cells(number))
            page(root, f"part{chapter}/s{number}.md", f"# Section {number}\n\nProse.\n\n{cells}\n")
        page(root, "part0/start.md", first)
        chapters[0].insert(0, "start")
        for chapter, names in enumerate(chapters):
            toctree = "\n".join(names)
            page(root, f"part{chapter}/index.md", f"# Chapter {chapter}\n\n```{{toctree}}\n{toctree}\n```\n")
        entries = "\n".join(f"part{chapter}/index" for chapter in range(CHAPTERS))
        page(root, "index.md", f"# Random\n\n```{{toctree}}\n:numbered:\n{entries}\n```\n")


def page(root: Path, path: str, text: str) -> None:
    """Write one page of the book."""
    file = root / "chapters" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")

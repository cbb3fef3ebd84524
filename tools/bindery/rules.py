"""The rules of style: their names and reasons, where an author excepts a place from one, and what they have found."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bindery.model import Cell, Edit, Location, Problem, Section
from bindery.parse import Block, blocks
from bindery.settings import Style
from bindery.validate import hint

RULES: Mapping[str, str] = {
    "draft": "what stands in a page that was just begun is there to be replaced",
    "word": "some words promise and do not say, others point where a new order of pages would bend them",
    "spelling": "a misspelled word looks like one that nobody has read",
    "long-sentence": "a sentence that has to be read twice is too long",
    "median-sentence": "a page of long sentences tires, even if none of them is too long",
    "long-paragraph": "a paragraph holds one thought",
    "repeat": "what is said twice in the same words is a copy that will not be kept up",
    "typed-number": "a number that is typed is wrong after the next new section",
    "cut-formula": "a line that begins like a list ends a formula, and the rest of it is printed as it is written",
    "notation": "a typeface in a formula means something, which the section on notation says",
    "alt-text": "some readers cannot see the picture",
    "unknown-citation": "a citation leads to an entry of the bibliography",
    "citation": "readers must be able to find a source",
    "unused-citation": "an entry that nobody cites is left over, or its citation is missing",
    "broken-reference": "a reference leads to a label",
    "label": "what has no label cannot be referred to, and its address changes with its title",
    "label-prefix": "the source of a reference tells what it leads to",
    "unused-label": "a figure or table that the text does not mention is not read; a numbered equation asks for it",
    "code-width": "a longer line does not fit on the page",
    "imports-first": "the first cell tells what a section needs, and fails at once if that is missing",
    "name": "one thing has one name in the whole book",
    "unsaved-name": "each section runs alone, so it sees of the others only what they have saved",
    "not-yet-defined": "whoever reads in order has the library only as far as the section has come",
    "unused-save": "the library is what others need; what nobody needs makes it harder to read",
    "front-matter": "Jupyter opens the file as a notebook, and no setting is there that does nothing",
    "allow": "an exception has a reason, and goes when it is no longer needed",
}
"""Each rule with the reason for it."""

ALLOW = re.compile(r"allow ([\w-]+)(: *\S.*)?$")

Allowed = Mapping[str, Location]
"""The rules that something need not keep, each with the place where its author has said so."""


@dataclass(frozen=True)
class Piece:
    """A block of a page or one of its code cells, with the rules that it need not keep."""

    content: Block | Cell
    allowed: Allowed

    @property
    def location(self) -> Location:
        """Its first line."""
        return self.content.location


@dataclass(frozen=True)
class Page:
    """A page in pieces."""

    section: Section
    pieces: tuple[Piece, ...]

    @property
    def allowed(self) -> Allowed:
        """The rules that the page as a whole need not keep: those from which its title is excepted."""
        return next((piece.allowed for piece in self.pieces if _is_heading(piece)), {})

    @property
    def top(self) -> Location:
        """The line of its title."""
        return Location(self.section.path, self.section.line)

    def allowed_at(self, location: Location) -> Allowed:
        """The rules that the piece which holds this line need not keep."""
        before = [piece for piece in self.pieces if piece.location <= location]
        return before[-1].allowed if before else {}


@dataclass
class Rules:
    """The style of a book, and what is not as it asks."""

    style: Style
    problems: list[Problem] = field(default_factory=list)
    exceptions: dict[Location, str] = field(default_factory=dict)
    """Where an author has made an exception, and from which rule."""
    used: set[Location] = field(default_factory=set)

    def tell(
        self, location: Location, rule: str, message: str, allowed: Allowed | None = None, edit: Edit | None = None
    ) -> None:
        """Note a problem unless the author has allowed it."""
        assert rule in RULES
        if allowed and rule in allowed:
            self.used.add(allowed[rule])
        else:
            self.problems.append(Problem(location, rule, message, edit=edit))

    def page(self, section: Section) -> Page:
        """A section in pieces; what is wrong with its exceptions is told."""
        pieces = list(self._pieces(section))
        whole = Page(section, tuple(pieces)).allowed
        return Page(section, tuple(Piece(piece.content, {**whole, **piece.allowed}) for piece in pieces))

    def _pieces(self, section: Section) -> Iterator[Piece]:
        allowed: dict[str, Location] = {}
        for cell in section.cells:
            if cell.kind == "code":
                yield Piece(cell, allowed)
                allowed = {}
                continue
            for block in blocks(cell):
                if block.kind == "comment":
                    allowed = {**allowed, **self.exception(block.location, block.text)}
                else:
                    yield Piece(block, allowed)
                    # A directive's first paragraph, and what a label stands before, need not keep them either.
                    allowed = allowed if block.kind in ("directive", "target") else {}

    def exception(self, location: Location, text: str) -> Allowed:
        """The rule that a comment excepts from, if it is such a comment."""
        match = ALLOW.match(text)
        if not match:
            return {}
        if match[1] not in RULES:
            self.tell(location, "allow", f"no rule is called `{match[1]}`{hint(match[1], RULES)}")
        elif not match[2]:
            self.tell(location, "allow", f"say why: `% allow {match[1]}: reason`")
        self.exceptions[location] = match[1]
        return {match[1]: location}

    def unused_exceptions(self, without: Collection[str]) -> None:
        """Tell of exceptions that nothing needs, but for those from rules that could not be checked."""
        for location, rule in self.exceptions.items():
            if location not in self.used and rule in RULES and rule not in without:
                message = f"nothing here needs `allow {rule}`; delete it"
                self.tell(location, "allow", message, edit=None if is_json(location) else Edit(location, 1, ""))


def _is_heading(piece: Piece) -> bool:
    return isinstance(piece.content, Block) and piece.content.kind == "heading"


def is_json(location: Location) -> bool:
    """Whether a place is in a notebook, whose lines nobody edits."""
    return location.path.endswith(".ipynb")

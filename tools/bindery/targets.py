"""Rules on what can be referred to: labels with their uses, and the entries of the bibliography."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bindery.model import Cell, Edit, Location
from bindery.parse import Block
from bindery.rules import Allowed, Page, Piece, Rules, is_json
from bindery.validate import hint

PREFIXES = {
    "chapter": "chap_",
    "section": "sec_",
    "figure": "fig_",
    "table": "tab_",
    "equation": "eq_",
    "exercise": "ex_",
}
DIRECTIVES = {
    "figure": "figure",
    "table": "table",
    "list-table": "table",
    "csv-table": "table",
    "math": "equation",
    "exercise": "exercise",
}
"""What kind of thing a directive makes."""
BARE = ("math",)
"""Directives that need no label."""
EQUATION = re.compile(r"(?<!\\)\$\$.+?\$\$ *\(([\w:-]+)\)", re.DOTALL)
ROLE = re.compile(r"\{(?:\w+:)?(?:ref|numref|eq|any)\}`(?:[^`<]*<)?([^`<>]+)>?`|\]\(#([\w:-]+)\)")
SPAN = re.compile(r"(?:\{([\w:]+)\})?(?<!`)(`+)(?!`)(.+?)(?<!`)\2(?!`)", re.DOTALL)
"""Code, or a role with its content."""
REFERRING, CITING = ("ref", "numref", "eq"), ("cite",)
"""Roles, whatever follows a colon in their names."""
OTHERS = ("genindex", "modindex", "search")
"""Labels that Sphinx brings."""
ENTRY = re.compile(r"^@\w+\{([^,\s]+)", re.MULTILINE)
IDENTIFIER = re.compile(r"^\s*(?:doi|eprint|isbn|url|howpublished|publisher|pages)\s*=", re.MULTILINE | re.IGNORECASE)
BIBLIOGRAPHY = "chapters/references.bib"


@dataclass(frozen=True)
class Target:
    """Something that has a label, or should have one: then `label` is empty."""

    kind: str
    """A key of `PREFIXES`, or empty for what may have any of their values."""
    label: str
    location: Location
    allowed: Allowed


def check_labels(rules: Rules, pages: Iterable[Page], openings: set[str]) -> None:
    """What all rules on labels find; `openings` are the names of the pages that open a chapter."""
    pages = list(pages)
    used = {label for page in pages for label in _uses(page)}
    for page in pages:
        if not page.section.label:
            kind = "chapter" if page.section.name in openings else "section"
            label = PREFIXES[kind] + re.sub(r"\W", "_", page.section.name.removesuffix("/index").rpartition("/")[2])
            edit = None if is_json(page.top) else Edit(page.top, 0, f"({label})=\n")
            message = f"this page has no label: write `({label})=` on the line before its title"
            rules.tell(page.top, "label", message, page.allowed, edit)
        for target in _targets(page, openings):
            prefix = PREFIXES.get(target.kind, "")
            prefixes = (prefix,) if prefix else tuple(PREFIXES.values())
            if not target.label:
                message = f"this {target.kind} has no label, which would begin with `{prefix}`"
                rules.tell(target.location, "label", message, target.allowed)
            elif not target.label.startswith(prefixes):
                what = f"the label of a {target.kind} begins" if target.kind else "labels begin"
                message = f"`{target.label}`: {what} with `{'`, `'.join(prefixes)}`"
                rules.tell(target.location, "label-prefix", message, target.allowed)
            if target.kind in rules.style.mentioned and target.label and target.label not in used:
                message = f"nothing refers to `{target.label}`"
                rules.tell(target.location, "unused-label", message, target.allowed)


def check_references(rules: Rules, pages: Iterable[Page]) -> None:
    """References to labels that nothing has."""
    pages = list(pages)
    labels = {target.label for page in pages for target in _targets(page, set())}
    labels |= {page.section.label for page in pages} | set(OTHERS)
    labels.discard("")
    known = {label.lower() for label in labels}
    for piece in (piece for page in pages for piece in page.pieces if isinstance(piece.content, Block)):
        for content, where in _roles(REFERRING, piece):
            label = content.rpartition("<")[2].removesuffix(">").strip()
            if label.lower() not in known:
                message = f"nothing has the label `{label}`{hint(label, labels)}"
                rules.tell(where, "broken-reference", message, piece.allowed)


def _roles(names: Sequence[str], piece: Piece) -> Iterator[tuple[str, Location]]:
    """What stands in these roles of a block, with its place; a role that is quoted as code does not count."""
    assert isinstance(piece.content, Block)
    text = piece.content.text
    for match in SPAN.finditer(text):
        if match[1] and match[1].partition(":")[0] in names:
            yield match[3], piece.location.down(text.count("\n", 0, match.start(3)))


def _targets(page: Page, openings: set[str]) -> Iterator[Target]:
    """What has a label on a page, or should have one, in order."""
    titled = False
    for piece in page.pieces:
        content = piece.content
        if isinstance(content, Cell):
            yield from _figure_of(content, piece)
        elif content.kind == "target":
            opening = "chapter" if page.section.name in openings else "section"
            yield Target("" if titled else opening, content.text, piece.location, piece.allowed)
        elif content.kind == "directive":
            yield from _made_by(content, piece)
        else:
            titled = titled or content.kind == "heading"
            for match in EQUATION.finditer(content.text):
                down = content.text.count("\n", 0, match.start(1))
                yield Target("equation", match[1], piece.location.down(down), piece.allowed)


def _figure_of(cell: Cell, piece: Piece) -> Iterator[Target]:
    shown = cell.options.get("mystnb")
    figure = shown.get("figure") if isinstance(shown, Mapping) else None
    if isinstance(figure, Mapping):
        yield Target("figure", str(figure.get("name") or ""), cell.location, piece.allowed)


def _made_by(block: Block, piece: Piece) -> Iterator[Target]:
    label = block.options.get("name") or block.options.get("label") or ""
    kind = DIRECTIVES.get(block.name, "")
    if label or (kind and block.name not in BARE):
        yield Target(kind, label, block.location, piece.allowed)


def _uses(page: Page) -> Iterator[str]:
    """The labels that a page refers to."""
    for cell in page.section.cells:
        if cell.kind == "markdown":
            yield from (role or link for role, link in ROLE.findall(cell.source))
    for piece in page.pieces:
        if isinstance(piece.content, Block):
            yield from (piece.content.options.get("link", ""), piece.content.text)


def check_bibliography(rules: Rules, text: str, pages: Iterable[Page]) -> None:
    """Citations of no entry, entries that nobody cites, and entries by which a source cannot be found."""
    entries = list(ENTRY.finditer(text))
    known, cited = {entry[1] for entry in entries}, set()
    for piece in (piece for page in pages for piece in page.pieces if isinstance(piece.content, Block)):
        for keys, where in _roles(CITING, piece):
            cited |= (found := {key.strip() for key in keys.split(",")})
            for key in sorted(found - known):
                message = f"`{key}` is not in {BIBLIOGRAPHY}{hint(key, known)}"
                rules.tell(where, "unknown-citation", message, piece.allowed)
    for number, entry in enumerate(entries, 1):
        end = entries[number].start() if number < len(entries) else len(text)
        where = Location(BIBLIOGRAPHY, text[: entry.start()].count("\n") + 1)
        allowed = _exceptions_before(rules, text[: entry.start()], where)
        if entry[1] not in cited:
            rules.tell(where, "unused-citation", f"nothing cites `{entry[1]}`", allowed)
        if not IDENTIFIER.search(text[entry.start() : end]):
            message = f"`{entry[1]}` has no DOI, arXiv number, ISBN, publisher, pages or URL"
            rules.tell(where, "citation", message, allowed)


def _exceptions_before(rules: Rules, text: str, where: Location) -> Allowed:
    """Those in the comments on the lines before an entry."""
    allowed: dict[str, Location] = {}
    for line in reversed(text.split("\n")[:-1]):
        where = replace(where, line=where.line - 1)
        if not line.startswith("%"):
            break
        allowed |= rules.exception(where, line.removeprefix("%").strip())
    return allowed

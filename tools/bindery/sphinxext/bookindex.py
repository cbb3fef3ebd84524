"""The index of the printed book: terms of the glossary and names of the library, with the pages that a reader wants."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import solution_node  # type: ignore[import-untyped]  # it has no types

from bindery.sphinxext.library import NAME, PYTHON
from bindery.sphinxext.solutions import page_of

OFTEN = 12
"""Sections that mention a term or a name, above which the index names only those that say what it is."""

SAVED = re.compile(r"^(?:class|def)\s+(?P<name>\w+)|^(?P<variable>[A-Za-z]\w*)\s*=", re.MULTILINE)
EXTENDED = re.compile(r"^@d2l\.add_to_class\((?:d2l\.)?(?P<of>\w+)\)")
UNSPOKEN = (nodes.literal, nodes.math, nodes.title, nodes.caption, nodes.reference, nodes.footnote, solution_node)
"""What mentions no term: code, formulas, and what is read after or beside the text."""


@dataclass
class Mention:
    """A place in the text that has a term."""

    page: str
    text: nodes.Text
    term: str
    start: int
    main: bool = False
    """Whether the page says what the term means."""


class IndexTerms(SphinxPostTransform):
    """Let the index lead from each term to its first mention in a section, in bold where it is introduced."""

    # After references have got their texts, before footnotes are taken out of their places (600).
    default_priority = 590
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Change the whole book."""
        introduced: dict[str, set[str]] = {}
        for entry in self.document.findall(nodes.definition_list_item):
            if (term := _term(entry)) is not None:
                introduced[term] = {_target(link) for link in entry.findall(nodes.reference)}
        mentions: dict[str, list[Mention]] = {term: [] for term in introduced}
        for mention in self._mentions(sorted(introduced)):
            mentions[mention.term].append(mention)
        places: dict[int, list[Mention]] = {}
        for term, found in mentions.items():
            for mention in found:
                mention.main = mention.page in introduced[term]
                if mention.main or len(found) <= OFTEN:
                    places.setdefault(id(mention.text), []).append(mention)
        for entries in places.values():
            text = entries[0].text
            text.parent.replace(text, list(_split(text, sorted(entries, key=lambda mention: mention.start))))

    def _mentions(self, terms: list[str]) -> Iterator[Mention]:
        """The first mention of each term on each page."""
        if not terms:
            return
        pattern, term_of = _pattern(terms)
        seen: set[tuple[str, str]] = set()
        for paragraph in self.document.findall(nodes.paragraph):
            page = page_of(paragraph)
            if page is None or _lies_in(paragraph, (nodes.definition, *UNSPOKEN)):
                continue
            for element in [paragraph, *paragraph.findall(nodes.inline), *paragraph.findall(nodes.emphasis)]:
                _join_texts(element)
            for text in paragraph.findall(nodes.Text):
                if _lies_in(text, UNSPOKEN):
                    continue
                for match in pattern.finditer(str(text)):
                    term = term_of[" ".join(match[0].split())]
                    if (page, term) not in seen:
                        seen.add((page, term))
                        yield Mention(page, text, term, match.start())


class IndexListings(SphinxPostTransform):
    """Let the index lead from each name of the library to its code, in bold, and to sections that use it."""

    default_priority = 590
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Give each listing of the book the attribute `indexed`: by line from zero, what the index is to say."""
        uses: dict[str, dict[str, tuple[nodes.literal_block, int]]] = {}
        known = self.env.domains.python_domain.objects
        for code in self.document.findall(nodes.literal_block):
            if code.get("language") not in PYTHON:
                continue
            page = page_of(code)
            # Examples of books inside the book save names of their own.
            code["indexed"] = [(line, entry) for line, entry, name in _saved(code) if f"d2l.{name}" in known]
            if page is not None:
                for line, name in _used(code):
                    if f"d2l.{name}" not in known:
                        continue
                    uses.setdefault(name, {}).setdefault(page, (code, line))
        for name, places in uses.items():
            for code, line in places.values() if len(places) <= OFTEN else ():
                code["indexed"].append((line, _code(name)))


def connect(app: Sphinx) -> None:
    """Register both."""
    app.add_post_transform(IndexTerms)
    app.add_post_transform(IndexListings)


def _saved(code: nodes.literal_block) -> Iterator[tuple[int, str, str]]:
    """By line, the entries for what a listing puts into the library, each with the name that the library has for it."""
    lines, of = code.astext().splitlines(), ""
    for number, line in enumerate(lines):
        if extended := EXTENDED.match(line):
            of = extended["of"]
        elif (found := SAVED.match(line)) and any("#@save" in near for near in lines[max(0, number - 2) : number + 1]):
            entry = _code(found["name"] or found["variable"])
            name = of or found["name"] or found["variable"]
            yield number, f"{_code(of)}!{entry}|spxpagem" if of else f"{entry}|spxpagem", name
            of = ""


def _used(code: nodes.literal_block) -> Iterator[tuple[int, str]]:
    """By line, the names of the library that a listing uses."""
    for number, line in enumerate(code.astext().splitlines()):
        yield from ((number, name) for name in NAME.findall(line) if not EXTENDED.match(line))


def _code(name: str) -> str:
    escaped = name.replace("_", r"\_")
    return f"{name.strip('_').replace('_', ' ')}@\\texttt{{{escaped}}}"


def _term(entry: nodes.definition_list_item) -> str | None:
    """The term of an entry of the glossary; other lists define nothing for the index."""
    index = next(iter(entry.findall(addnodes.index)), None)
    if not isinstance(entry.parent.parent, addnodes.glossary) or index is None:
        return None
    term = str(index["entries"][0][1])
    # The glossary is one page of those in the index, and not the first to look at.
    index["entries"] = [("single", term, "", "", None)]
    return term


def _target(link: nodes.reference) -> str:
    """The page that a link leads to."""
    return str(link.get("refuri", "")).removeprefix("%").partition("#")[0]


def _pattern(terms: list[str]) -> tuple[re.Pattern[str], dict[str, str]]:
    """What finds terms in a text, also as plurals and capitalised; and of each form the term."""
    forms = {}
    for term in terms:
        for plural in (term, f"{term}s", f"{term}es", re.sub("y$", "ies", term)):
            forms[plural] = term
            if plural.islower():
                forms[plural.capitalize()] = term
    longest_first = sorted(forms, key=len, reverse=True)
    joined = "|".join(r"\s+".join(map(re.escape, form.split())) for form in longest_first)
    return re.compile(rf"(?<![\w-])(?:{joined})(?![\w-])"), forms


def _join_texts(element: nodes.Element) -> None:
    """Make one text of those that only the ends of lines in the source divide."""
    groups = itertools.groupby(element.children, lambda child: isinstance(child, nodes.Text))
    element[:] = [
        child
        for plain, children in groups
        for child in ([nodes.Text("".join(map(str, children)))] if plain else list(children))
    ]


def _split(text: nodes.Text, mentions: list[Mention]) -> Iterator[nodes.Node]:
    """The text in pieces, with an entry for the index before each mention."""
    begin = 0
    for mention in mentions:
        yield nodes.Text(str(text)[begin : mention.start])
        main = "main" if mention.main else ""
        yield addnodes.index(entries=[("single", mention.term, "", main, None)], inline=True)
        begin = mention.start
    yield nodes.Text(str(text)[begin:])


def _lies_in(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    here: nodes.Node | None = node
    while here is not None and not isinstance(here, addnodes.start_of_file):
        if isinstance(here, kinds):
            return True
        here = here.parent
    return False

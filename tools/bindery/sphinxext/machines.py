"""What programs read of a page: its description, cards for those who share it, and what it is part of."""

from __future__ import annotations

import json
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from bindery.settings import Facts

LONGEST = 155
"""Characters of a description that search engines show."""


def connect(app: Sphinx) -> None:
    """Connect the event."""
    app.connect("html-page-context", _describe)


def description(doctree: nodes.document) -> str:
    """The beginning of a page's first paragraph, cut between words."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.document):
            text = " ".join(paragraph.astext().split())
            if len(text) > LONGEST:
                text = text[:LONGEST].rsplit(" ", 1)[0] + "\N{HORIZONTAL ELLIPSIS}"
            return text
    return ""


def part_of(facts: Facts, page: str, root: str, title: str, chapter: str) -> dict[str, Any]:
    """A page in the terms of schema.org."""
    base = facts.url.rstrip("/")
    book: dict[str, Any] = {
        "@type": "Book",
        "name": facts.title,
        "author": [{"@type": "Person", "name": author.name} for author in facts.authors],
        "inLanguage": facts.language,
        "bookEdition": facts.version,
        "isAccessibleForFree": True,
    }
    if facts.description:
        book["description"] = facts.description
    if base:
        book["url"] = f"{base}/"
    if page == root:
        return {"@context": "https://schema.org", **book}
    found = {"@context": "https://schema.org", "@type": "Chapter", "name": title, "isPartOf": book}
    if base:
        found["url"] = f"{base}/{page}.html"
    if chapter:
        found["isPartOf"] = {"@type": "Chapter", "name": chapter, "isPartOf": book}
    return found


def _describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    facts: Facts | None = app.config.bindery_facts
    if facts is None or doctree is None:
        return
    title = app.env.titles[page].astext()
    opening = f"{page.rpartition('/')[0]}/index"
    chapter = app.env.titles[opening].astext() if opening in app.env.titles and opening != page else ""
    text = facts.description if page == app.config.root_doc else description(doctree)
    context["description"] = text or facts.description
    data = part_of(facts, page, app.config.root_doc, title, chapter)
    # `<` could end the element that it is written into.
    context["linked_data"] = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")

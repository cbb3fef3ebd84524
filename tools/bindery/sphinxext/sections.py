"""What a reader can do with a section besides reading it: run it, cite it, mend it, talk about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import get_node_line

from bindery.settings import Facts, Links


def connect(app: Sphinx) -> None:
    """Take the book's facts as a setting, and give the templates what they show of a section."""
    app.add_config_value("bindery_facts", None, "html", (Facts, type(None)))
    app.connect("html-page-context", _add_tools)


def filled(template: str, **values: str | int) -> str:
    """The address that a template of `book.yml` makes of these values."""
    return re.sub(r"\{(\w+)\}", lambda match: quote(str(values[match[1]]), safe="/"), template)


def citation(facts: Facts, title: str, page: str) -> str:
    """The section as an entry for BibTeX."""
    authors = " and ".join(author.name if " " not in author.name else f"{{{author.name}}}" for author in facts.authors)
    fields = {
        "author": authors,
        "title": title,
        "booktitle": facts.title,
        "year": str(facts.year or ""),
        "note": f"Version {facts.version}",
        "url": f"{facts.url.rstrip('/')}/{page}" if facts.url else "",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    key = re.sub(r"\W+", "-", page.removesuffix(".html"))
    return "\n".join([f"@incollection{{{key},", *lines, "}"])


def _add_tools(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    facts: Facts | None = app.config.bindery_facts
    context["section_tools"] = None
    if (
        facts is None
        or doctree is None
        or "/" not in page
        or page.endswith("/index")
        or app.env.metadata[page].get("orphan")
    ):
        return
    path = _written(app, page)
    has_code = Path(app.srcdir, f"{page}.ipynb").is_file()
    title = app.env.titles[page].astext()
    values = {
        "page": context["pathto"](page) and f"{page}.html",
        "notebook": f"{page}.ipynb",
        "path": path,
        "title": title,
        "version": facts.version,
    }
    links: Links = facts.links
    context["section_tools"] = {
        "notebook": f"notebooks/{page}.ipynb" if has_code else "",
        "run": [(name, filled(url, line=1, **values)) for name, url in links.run.items()] if has_code else [],
        "edit": _with_line(links.edit, values),
        "report": _with_line(links.report, values),
        "discuss": filled(links.discuss, line=1, **values) if links.discuss else "",
        "giscus": links.giscus,
        "citation": citation(facts, title, f"{page}.html"),
        "lines": _heading_lines(doctree),
    }


def _with_line(template: str | None, values: dict[str, str]) -> str:
    """An address in which the line is left open, for a script that knows where the reader is."""
    return filled(template, line="LINE", **values) if template else ""


def _written(app: Sphinx, page: str) -> str:
    """The file that a person wrote for a page, relative to the book's root."""
    for suffix in (".md", ".ipynb"):
        if Path(app.confdir, "chapters", f"{page}{suffix}").is_file():
            return f"chapters/{page}{suffix}"
    return f"chapters/{page}.md"


def _heading_lines(doctree: nodes.document) -> dict[str, int]:
    """The line of each heading in the file that a person wrote, by its id."""
    lines = {}
    for section in doctree.findall(nodes.section):
        line = get_node_line(section)
        if line:
            lines[section["ids"][0]] = line
    return lines

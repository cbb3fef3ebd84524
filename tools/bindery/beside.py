"""What stands on the site beside its pages: notebooks, Markdown, and what search engines and other programs read.

Book and notebooks in, files out. Pure.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from bindery.model import Book, Section

NOTEBOOKS, MARKDOWN = "notebooks", "markdown"
"""The folders of these files."""

FILES = ("llms.txt", "robots.txt", "sitemap.xml")
"""The files at the root."""

MOVED = """\
<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title><meta name="robots" content="noindex">
<link rel="canonical" href="{target}"><meta http-equiv="refresh" content="0; url={target}"></head>
<body><p><a href="{target}">{title}</a> is here now.</p></body>
</html>
"""


def beside_pages(book: Book, notebooks: Mapping[str, bytes], pages: list[str]) -> dict[str, bytes]:
    """The files by relative path; `pages` are the names of all pages of the site."""
    found = {f"{NOTEBOOKS}/{name}": content for name, content in notebooks.items()}
    found |= {f"{MARKDOWN}/{section.name}.md": _markdown(book, section).encode() for section in book.pages()}
    found["llms.txt"] = _for_language_models(book).encode()
    if book.facts.url:
        found["sitemap.xml"] = _sitemap(book.facts.url, pages).encode()
        found["robots.txt"] = f"User-agent: *\nAllow: /\nSitemap: {_address(book, 'sitemap.xml')}\n".encode()
    titles = {section.name: section.title for section in book.pages()}
    for old, new in book.facts.redirects.items():
        way = "../" * old.count("/") + f"{new}.html"
        moved = MOVED.format(language=book.facts.language, title=html.escape(titles.get(new, new)), target=way)
        found[f"{old}.html"] = moved.encode()
    return found


def _address(book: Book, path: str) -> str:
    """Of a file of the site, absolute if the book has an address."""
    return urljoin(book.facts.url.rstrip("/") + "/", path) if book.facts.url else path


def _markdown(book: Book, section: Section) -> str:
    """A section as its author wrote it; of a notebook the cells as Markdown."""
    if section.path.endswith(".md"):
        return (book.root / section.path).read_text(encoding="utf-8")
    cells = (cell.source if cell.kind == "markdown" else f"```python\n{cell.source}\n```" for cell in section.cells)
    return "\n\n".join(cells) + "\n"


def _for_language_models(book: Book) -> str:
    """The book's contents as https://llmstxt.org asks for them."""
    lines = [f"# {book.facts.title}", ""]
    if book.facts.description:
        lines += [f"> {book.facts.description}", ""]
    lines += ["The links lead to the source of each section: MyST Markdown with executable Python cells.", ""]
    for chapter in book.chapters:
        lines += [f"## {chapter.title}", ""]
        for section in chapter.sections:
            lines.append(f"- [{section.title}]({_address(book, f'{MARKDOWN}/{section.name}.md')})")
        lines.append("")
    return "\n".join(lines)


def _sitemap(url: str, pages: list[str]) -> str:
    addresses = (urljoin(url.rstrip("/") + "/", f"{page}.html") for page in sorted(pages))
    lines = [f"<url><loc>{escape(address)}</loc></url>" for address in addresses]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
            *lines,
            "</urlset>\n",
        ]
    )

"""The book as an EPUB: pages of well-formed XML with nothing around the text, the website's numbers, a drawn cover."""

from __future__ import annotations

import html
import uuid
from collections.abc import Iterator, Set
from functools import cached_property
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder, NavPoint
from sphinx.config import Config
from sphinx.errors import NoUri
from sphinx.highlighting import PygmentsBridge
from sphinx.transforms.post_transforms import SphinxPostTransform

from bindery import files
from bindery.notebooks import archive
from bindery.settings import Author, Facts
from bindery.sphinxext.cards import cover
from bindery.sphinxext.pictures import named_once

PARTS = Path(__file__).with_name("epub")
"""The files that tell a reading system what is where, as templates of Sphinx, and the style sheet."""

EPUB = "book.epub"
SHEET, COVER = "_static/book.css", "_static/cover.png"

NOTES = {
    'role="doc-noteref"': 'role="doc-noteref" epub:type="noteref"',
    'role="doc-footnote"': 'role="doc-footnote" epub:type="footnote"',
}
"""What makes a reading system show a footnote where its mark stands."""

INVISIBLE = dict.fromkeys({*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF} - {0x09, 0x0A, 0x0D})
"""Characters that a program may print and that XML does not know."""

NOT_IN_BOOKS = ("text/html", "application/javascript", "application/vnd.jupyter.widget-view+json")
"""Kinds of output that only a browser can be trusted with; the others of the same output are shown, as on paper."""


def licences(facts: Facts) -> str:
    """What of the book is under which licence, in one line."""
    return ". ".join(f"{what}: {licence}" for what, licence in facts.licences.items())


class BookBuilder(Epub3Builder):
    """Sphinx's builder for EPUB 3, made to write all pages of the reading order every time, and nothing else."""

    template_dir = PARTS  # type: ignore[assignment]  # Sphinx's own kind of path has the same methods

    @cached_property
    def order(self) -> frozenset[str]:
        """The pages that one reaches by turning pages."""
        return frozenset(self.env.collect_relations())

    def get_outdated_docs(self) -> Iterator[str]:
        """All: what an earlier build left behind makes no difference."""
        yield from self.env.found_docs

    def write_documents(self, docnames: Set[str]) -> None:
        """Write the pages; those about the names of the library are for the web, as on paper."""
        super().write_documents(self.order & docnames)

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        """The address of a page; a link to one that is not in the book becomes its text."""
        if docname in self.env.all_docs and docname not in self.order:
            raise NoUri(docname, typ)
        return super().get_target_uri(docname, typ)

    def get_refnodes(self, doctree: nodes.Node, result: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The entries of the table of contents, which are pages, with the numbers that they have on the website."""
        known = len(result)
        super().get_refnodes(doctree, result)
        if isinstance(doctree, nodes.reference) and len(result) > known:
            if "#" in result[-1]["refuri"]:
                result.pop()
            elif doctree.get("secnumber"):
                number = ".".join(map(str, doctree["secnumber"]))
                result[-1]["text"] = f"{number}{self.config.html_secnumber_suffix}{result[-1]['text']}"
        return result

    def build_navlist(self, navnodes: list[dict[str, Any]]) -> list[NavPoint]:
        """The table of contents as a tree; the chapters of a part stand under its title."""
        entries = super().build_navlist(navnodes)
        for title, folders in self.config.bindery_parts:
            held = [entry for entry in entries if entry.refuri.partition("/")[0] in folders]
            if held:
                entries[entries.index(held[0])] = NavPoint(html.escape(title), held[0].refuri, held)
                entries = [entry for entry in entries if entry not in held]
        return entries

    def handle_page(
        self,
        pagename: str,
        addctx: dict[str, Any],
        templatename: str = "page.html",
        *,
        outfilename: Path | None = None,
        event_arg: Any = None,
    ) -> None:
        """Write one page. Extensions are not asked what they would put around it."""
        way = "../" * pagename.count("/")
        context = {**addctx, "language": self.config.language, "sheet": way + SHEET}
        template = "epub-page.xhtml" if templatename == "page.html" else templatename
        page = self.templates.render(template, context).translate(INVISIBLE)
        for role, both in NOTES.items():
            page = page.replace(role, both)
        files.write_if_changed(self.get_output_path(pagename), page.encode())

    def gen_additional_pages(self) -> None:
        """A book needs no page for wrong addresses."""

    def copy_static_files(self) -> None:
        """Write the one style sheet, with the colours of code for light and dark, and the cover."""
        light = self.highlighter.get_stylesheet()
        night = PygmentsBridge("html", self.config.html_theme_options.get("pygments_dark_style", "monokai"))
        dark = f"@media (prefers-color-scheme: dark) {{\n{night.get_stylesheet()}}}\n"
        sheet = f"{light}\n{dark}\n{(PARTS / 'book.css').read_text(encoding='utf-8')}"
        files.write_if_changed(Path(self.outdir, SHEET), sheet.encode())
        held = self.env.toctree_includes
        chapters = [len(held.get(name, ())) for name in held.get(self.config.root_doc, ()) if name.endswith("/index")]
        files.write_if_changed(Path(self.outdir, COVER), cover(facts_of(self.config), chapters))

    def copy_image_files(self) -> None:
        """Copy the pictures. Where a plot shows a picture twice, Matplotlib gives both the same name."""
        super().copy_image_files()
        for name in self.images.values():
            if name.endswith(".svg"):
                file = Path(self.outdir, "_images", name)
                files.write_if_changed(file, named_once(file.read_text(encoding="utf-8")).encode())

    def handle_finish(self) -> None:
        """Write what tells a reading system of the pages, once all that is none of theirs is gone."""
        pages = {Path(self.get_output_path(name)).relative_to(self.outdir) for name in self.order}
        pictures = {Path("_images", name) for name in self.images.values()}
        files.prune(Path(self.outdir), pages | pictures | {Path(SHEET), Path(COVER)})
        super().handle_finish()

    def content_metadata(self) -> dict[str, Any]:
        """What the book says of itself, all of it from its facts: the same pages make the same bytes."""
        facts = facts_of(self.config)
        rights = ". ".join(text.rstrip(".") for text in (owner(facts), licences(facts)) if text)
        texts = {"description": facts.description, "source": facts.source or facts.url, "rights": rights}
        return {
            **super().content_metadata(),
            **{name: html.escape(text) for name, text in texts.items()},
            "creators": [html.escape(author.name) for author in facts.authors],
            "year": facts.year,
            "modified": f"{facts.year or 2020}-01-01T00:00:00Z",
            "properties_of": self._properties,
        }

    def _properties(self, name: str) -> str:
        """What a reading system must know of a page before it opens it."""
        text = Path(self.outdir, name).read_text(encoding="utf-8") if name.endswith(self.out_suffix) else ""
        return " ".join(kind for kind, mark in {"mathml": "<math", "svg": "<svg"}.items() if mark in text)

    def build_toc(self) -> None:
        """Write no contents for readers of EPUB 2, which know neither MathML nor the elements of our pages."""

    def build_epub(self) -> None:
        """Pack what the list of contents names; by its first bytes a reading system knows what the file is."""
        names = ["mimetype", "META-INF/container.xml", "content.opf", *self.files]
        contents = {name: Path(self.outdir, name).read_bytes() for name in names}
        files.write_if_changed(Path(self.outdir, EPUB), archive(contents, first="mimetype"))


class TitlePage(SphinxPostTransform):
    """Make the website's front page the book's title page: its text and buttons do not belong in a book."""

    default_priority = 5
    builders = ("epub",)

    def run(self, **kwargs: Any) -> None:
        """Keep title and contents, and say whose the book is."""
        if self.env.current_document.docname != self.config.root_doc:
            return
        facts = facts_of(self.config)
        section = next(self.document.findall(nodes.section))
        lists = [toctree.parent for toctree in self.document.findall(addnodes.toctree)]
        lines = {
            "authors": ", ".join(author.name for author in facts.authors),
            "description": facts.description,
            "imprint": " · ".join(filter(None, [f"Version {facts.version}", str(facts.year or ""), owner(facts)])),
            "licence": licences(facts),
        }
        imprint = [nodes.paragraph("", text, classes=[name]) for name, text in lines.items() if text]
        section.children = []
        section += [nodes.title("", facts.title), *imprint, *lists]


class LeaveOutMarkup(SphinxPostTransform):
    """Leave out what authors and extensions wrote in HTML: it need not be XML, and paper does not show it either."""

    default_priority = 400
    builders = ("epub",)

    def run(self, **kwargs: Any) -> None:
        """Change one page."""
        for markup in list(self.document.findall(nodes.raw)):
            markup.parent.remove(markup)


def connect(app: Sphinx) -> None:
    """Register builder and transforms."""
    app.add_builder(BookBuilder, override=True)
    app.add_post_transform(TitlePage)
    app.add_post_transform(LeaveOutMarkup)
    app.connect("config-inited", _settle)


def facts_of(config: Config) -> Facts:
    """The book's facts; where `conf.py` does not hand them over, those that Sphinx knows."""
    facts: Facts | None = config.bindery_facts
    return facts or Facts(
        title=config.project,
        version=config.version or "0",
        authors=(Author(name=config.author),),
        language=config.language,
        copyright=config.copyright,
    )


def owner(facts: Facts) -> str:
    """Who has the copyright."""
    return f"© {facts.copyright}" if facts.copyright else ""


def _settle(app: Sphinx, config: Config) -> None:
    facts = facts_of(config)
    authors = ", ".join(author.name for author in facts.authors)
    # A new version is a new book to a reading system, the same version built again is the one that it has.
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{facts.url or facts.title} {facts.version}")
    config.epub_title, config.epub_author, config.epub_publisher = facts.title, authors, authors
    config.epub_description, config.epub_contributor = facts.description or facts.title, authors
    config.epub_copyright, config.epub_language = facts.copyright or authors, facts.language
    config.epub_uid, config.epub_identifier = "book", f"urn:uuid:{name}"
    config.epub_cover = (COVER, "epub-cover.xhtml")
    config.epub_show_urls, config.epub_tocscope = "no", "includehidden"
    config.epub_use_index = False
    unwanted = [("epub", kind, None) for kind in NOT_IN_BOOKS]
    config.nb_mime_priority_overrides = [*config.nb_mime_priority_overrides, *unwanted]

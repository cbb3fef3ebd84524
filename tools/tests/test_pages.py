"""The files of the website: links lead somewhere, pages are valid and light, programs find what they look for."""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib
import pytest
from browsing import KINDS
from building import bindery, edit
from PIL import Image

pytestmark = pytest.mark.slow


class Anchors(HTMLParser):
    """Collects the ids and the links of a page."""

    def __init__(self, text: str) -> None:
        """Read the page."""
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is called and where it leads."""
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in ("img", "script") and "src" in values:
            self.loaded.append(values["src"])
        if tag == "link" and "href" in values and values.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(values["href"])


@pytest.fixture(scope="module")
def pages(book: Path) -> dict[str, Anchors]:
    """All pages of the real book's site by their paths."""
    site = book / "build" / "html"
    paths = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path.relative_to(site).as_posix(): Anchors(path.read_text(encoding="utf-8")) for path in paths}


def test_every_link_and_anchor_resolves(book: Path, pages: dict[str, Anchors]) -> None:
    """On the whole site, pictures and scripts included."""
    site = book / "build" / "html"
    broken = []
    for path, anchors in pages.items():
        for link in anchors.links + anchors.loaded:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            base = site if path == "404.html" else (site / path).parent
            target = (base / unquote(parts.path)).resolve() if parts.path else site / path
            target = target / "index.html" if target.is_dir() else target
            name = target.relative_to(site.resolve() if parts.path else site).as_posix()
            missing = not target.is_file()
            if missing or (parts.fragment and name in pages and unquote(parts.fragment) not in pages[name].ids):
                broken.append((path, link))
    assert broken == []
    assert len(pages) > 130


def test_no_id_stands_twice_on_a_page(pages: dict[str, Anchors]) -> None:
    """Or links to it would be ambiguous."""
    twice = {path: [name for name, count in Counter(page.ids).items() if count > 1] for path, page in pages.items()}
    assert {path: names for path, names in twice.items() if names} == {}


@pytest.mark.parametrize("path", KINDS.values(), ids=KINDS)
def test_pages_are_valid_html(book: Path, path: str) -> None:
    """As the parser of the HTML standard sees it."""
    parser = html5lib.HTMLParser()
    parser.parse((book / "build" / "html" / urlsplit(path).path).read_text(encoding="utf-8"))
    errors = [(place, code) for place, code, _ in parser.errors]
    assert errors == []


def test_pages_are_light(book: Path) -> None:
    """What a reader's browser has to fetch, as a server sends it: compressed."""
    site = book / "build" / "html"
    report = json.loads((book / "build/report/report.json").read_text(encoding="utf-8"))
    sizes = [len(gzip.compress((site / f"{each['section']}.html").read_bytes())) for each in report["sections"]]
    assert statistics.median(sizes) <= 150_000
    assert max(sizes) <= 500_000
    page = Anchors((site / "gan/gan.html").read_text(encoding="utf-8"))
    shared = [site / "gan" / urlsplit(path).path for path in page.loaded if "_static" in path]
    assert sum(len(gzip.compress(path.read_bytes())) for path in shared if path.suffix in (".css", ".js")) <= 250_000
    assert sum(path.suffix == ".css" for path in shared) == 1


def test_nothing_blocks_a_page_but_its_style(book: Path) -> None:
    """Scripts of files are deferred."""
    text = (book / "build/html/gan/gan.html").read_text(encoding="utf-8")
    scripts = [part.partition(">")[0] for part in text.split("<script ")[1:]]
    assert [script for script in scripts if "src=" in script and "defer" not in script] == []


LINKS = """
url: https://book.example/en/
source: https://code.example/book
year: 2026
redirects: {one/former: one/uses}
links:
  run: {Colab: "https://run.example/open?file={notebook}"}
  edit: "https://code.example/edit/{path}#L{line}"
  report: "https://code.example/new?title={title}&where={path}:{line}&version={version}"
  discuss: "https://forum.example/{page}"
  giscus: {repo: a/b, repo_id: R_1, category: General, category_id: C_1}
"""


@pytest.fixture(scope="module")
def linked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small book that has an address and says where its sections lead to."""
    root = Path(shutil.copytree(built, tmp_path_factory.mktemp("linked") / "book", symlinks=True))
    edit(root, "book.yml", "version: 0.0.1\n", "version: 0.0.1\n" + LINKS)
    assert bindery(root, "html")[::2] == (0, "")
    return root / "build" / "html"


def test_section_leads_where_the_book_says(linked: Path) -> None:
    """With its file and version; the line is filled in by a script."""
    text = (linked / "one/defines.html").read_text(encoding="utf-8")
    for link in (
        "https://run.example/open?file=one/defines.ipynb",
        "https://code.example/edit/chapters/one/defines.md#LLINE",
        "https://code.example/new?title=Defining&amp;where=chapters/one/defines.md:LINE&amp;version=0.0.1",
        "https://forum.example/one/defines.html",
    ):
        assert f'href="{link}"' in text
    assert 'data-repo="a/b"' in text
    assert "giscus.app/client.js" not in text
    assert "url = {https://book.example/en/one/defines.html}," in text
    assert "year = {2026}," in text


def test_programs_find_what_they_look_for(linked: Path) -> None:
    """Addresses, a description, what the page is part of, the source of each section."""
    text = (linked / "one/defines.html").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://book.example/en/one/defines.html" />' in text
    data = json.loads(text.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    assert (data["@type"], data["name"], data["isPartOf"]["name"]) == ("Chapter", "Defining", "One")
    assert data["isPartOf"]["isPartOf"]["author"] == [{"@type": "Person", "name": "Ada"}]
    assert '<meta name="description" content="Prose with x^2' in text
    assert '<meta property="og:image" content="https://book.example/en/_static/cards/one.png"/>' in text
    with Image.open(linked / "_static/cards/one.png") as card:
        assert card.size == (1200, 630)
    sitemap = (linked / "sitemap.xml").read_text(encoding="utf-8")
    assert "<loc>https://book.example/en/one/uses.html</loc>" in sitemap
    assert "search.html" not in sitemap
    assert "Sitemap: https://book.example/en/sitemap.xml" in (linked / "robots.txt").read_text(encoding="utf-8")
    listed = (linked / "llms.txt").read_text(encoding="utf-8")
    assert "- [Defining](https://book.example/en/markdown/one/defines.md)" in listed
    assert (linked / "markdown/one/defines.md").read_text(encoding="utf-8").startswith("---\nbindery:")


def test_pages_that_moved_and_pages_that_never_were(linked: Path) -> None:
    """An old address leads on; a wrong one to a page that finds its style wherever it is shown."""
    moved = (linked / "one/former.html").read_text(encoding="utf-8")
    assert '<meta http-equiv="refresh" content="0; url=../one/uses.html">' in moved
    assert '<base href="/en/"/>' in (linked / "404.html").read_text(encoding="utf-8")


def test_addresses_are_templates_that_can_be_filled(root: Path) -> None:
    """A name that nobody knows is told where it stands."""
    edit(root, "book.yml", "version: 0.0.1\n", "version: 0.0.1\nlinks: {edit: 'https://code.example/{file}'}\n")
    code, _, errors = bindery(root, "html")
    assert code == 1
    assert "chapters/book.yml" in errors and "{path}" in errors

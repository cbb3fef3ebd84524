"""The EPUB: what EPUBCheck says of it, the website's numbers, MathML, and nothing that only a browser can show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browsing import served, visit
from bs4 import BeautifulSoup
from building import bindery, contents, edit, write
from conftest import REPOSITORY, TESTS
from paper import faults, in_epub, on_site
from playwright.sync_api import sync_playwright
from rich.console import Console

from bindery import site
from bindery.press import Press
from bindery.workshop import Choices

HARD = r"""
=== chapters/two/hard.md
# Hard

A note.[^note] A vector $\mathbf{x} \in \mathbb{R}$, $o^{\max}$ and $\log p$.

[^note]: It stands at the foot.

```{code-cell} python
def shown(x):  #@save
    "Give it back."
    return x
```

```{code-cell} python
from d2l import torch as d2l
print("bell\x07\ufffe", d2l.shown("tolls"), *range(400))
for _ in range(50):
    print("line")
```

```{code-cell} python
display({"text/html": "<table border=1><td>web", "text/plain": "paper"}, raw=True)
```

```{code-cell} python
from IPython.display import SVG
SVG('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path id="a" d="M0 0"/><path id="a" d="M9 9"/></svg>')
```

See [the library](/library/index) and {py:obj}`d2l.shown`.
=== chapters/two/markup.md
# Markup

A page with code may have none, since notebooks could not show it. A <b>bold</b> word.

```{raw} html
<p>Only on the web<br>
```
"""
"""What might not be valid, and what leads out of the book."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book with its site and its EPUB."""
    root = tmp_path_factory.mktemp("epub") / "book"
    write(root, (TESTS / "paper.txt").read_text(encoding="utf-8") + HARD)
    edit(root, "two/index.md", "last", "last\nhard\nmarkup")
    edit(root, "book.yml", "A book of nothing.", "It's <new>.\nyear: 1843")
    shutil.copy(REPOSITORY / "conf.py", root)
    assert bindery(root, "html")[::2] == (0, "")
    assert bindery(root, "epub")[::2] == (0, "")
    return root


@pytest.fixture(scope="module")
def unpacked(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files in its EPUB."""
    folder = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(made / "build/epub/book.epub", folder, "zip")
    return folder


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of that book, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "book", symlinks=True))


def page(folder: Path, name: str) -> str:
    """The text of a page."""
    return (folder / f"{name}.xhtml").read_text(encoding="utf-8")


def pages(folder: Path) -> Iterator[ElementTree.Element]:
    """All pages as trees of XML."""
    return (ElementTree.parse(path).getroot() for path in folder.rglob("*.xhtml"))


@pytest.mark.slow
def test_epubcheck_finds_nothing(made: Path) -> None:
    """Neither an error nor a warning, also with names twice in a plot, HTML outputs and control characters."""
    assert faults(made / "build/epub/book.epub") == []


@pytest.mark.slow
def test_numbers_are_those_of_the_website(made: Path, unpacked: Path) -> None:
    """Sections, figures, tables, equations and exercises; and the table of contents, which has the parts as well."""
    expected = on_site(made / "build/html")
    assert in_epub(unpacked) == expected
    assert len(expected) > 20
    listed = [link.text for link in BeautifulSoup(page(unpacked, "nav"), "html.parser").select("a")]
    front = BeautifulSoup((made / "build/html/index.html").read_text(encoding="utf-8"), "html.parser")
    shown = [link.text for link in front.select(".toctree-wrapper a") if "#" not in str(link["href"])]
    assert [entry for entry in listed if entry not in ("Tiny", "Basics", "More")] == shown
    assert listed[:7] == ["Tiny", "Preface", "Basics", "1. One", "1.1. Plain", "1.2. Run", "More"]


@pytest.mark.slow
def test_pages_bring_nothing_of_the_website(unpacked: Path) -> None:
    """No scripts, nothing from other hosts, no buttons, no front page, no library; each picture says what it shows."""
    names = {path.name for path in unpacked.rglob("*") if path.is_file()}
    assert {Path(name).suffix for name in names} == {".xhtml", ".xml", ".opf", ".css", ".svg", ".png", ""}
    assert not (unpacked / "library").exists()
    for tree in pages(unpacked):
        tags = [(element.tag.rpartition("}")[2], element) for element in tree.iter()]
        assert not {"script", "button", "iframe", "form"} & {tag for tag, _ in tags}
        assert all(element.get("alt") for tag, element in tags if tag == "img")
        assert not any(element.get("src", "").startswith("http") for _, element in tags)
        assert "headerlink" not in {element.get("class") for _, element in tags}
    assert "http" not in (unpacked / "_static/book.css").read_text(encoding="utf-8")
    assert "Only on" not in "".join(page(unpacked, name) for name in ("index", "two/markup"))
    assert "saved-note" not in page(unpacked, "two/hard")
    assert 'href="../library' not in page(unpacked, "two/hard")


@pytest.mark.slow
def test_outputs_are_those_that_paper_can_show(unpacked: Path) -> None:
    """Text in place of HTML; what is long folds; a footnote is one that a reading system can show where its mark is."""
    hard = page(unpacked, "two/hard")
    assert "<pre><span></span>paper" in hard
    assert "bell tolls" in hard
    assert "<summary>52 lines of output</summary>" in hard
    assert 'epub:type="noteref"' in hard
    assert 'epub:type="footnote"' in hard


@pytest.mark.slow
def test_formulas_are_mathml(unpacked: Path) -> None:
    """With what the author wrote as their alternative text, and nothing for browsers beside them."""
    plain, hard = page(unpacked, "one/plain"), page(unpacked, "two/hard")
    assert 'alttext="e = f"' in plain
    assert "<mi>\N{MATHEMATICAL BOLD SMALL X}</mi>" in hard
    assert "katex-html" not in plain + hard
    assert 'properties="mathml"' in (unpacked / "content.opf").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_book_says_what_it_is(unpacked: Path) -> None:
    """Title, people, language, date and rights are those of `book.yml`, also on its title page."""
    metadata = ElementTree.parse(unpacked / "content.opf").getroot()[0]
    found = {
        element.tag.rpartition("}")[2]: element.text for element in metadata if element.tag.startswith("{http://purl")
    }
    identifier = found.pop("identifier")
    assert identifier is not None
    assert re.fullmatch(r"urn:uuid:[\da-f-]{36}", identifier)
    assert found == {
        "title": "Tiny & small",
        "language": "en",
        "creator": "Ada",
        "description": "It's <new>.",
        "source": "https://book.example/en/",
        "rights": "© Ada. Code: MIT licence",
        "date": "1843",
    }
    first = " ".join(BeautifulSoup(page(unpacked, "index"), "html.parser").text.split())
    assert first.startswith(
        "Tiny Tiny & small Ada It's <new>. Version 0.0.1 · 1843 · © Ada Code: MIT licence Preface Thanks 1. One"
    )


@pytest.mark.slow
def test_a_narrow_screen_shows_all_code(unpacked: Path) -> None:
    """On 360 pixels lines of code and of output wrap; in light and in the dark code has a ground of its own."""
    with sync_playwright() as playwright, served(unpacked) as address:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for dark in (False, True):
            with visit(browser, address, width=360, dark=dark) as opened:
                shown = opened.open("two/hard.xhtml")
                assert shown.evaluate("document.documentElement.scrollWidth") == 360
                wide = (
                    "[...document.querySelectorAll('pre')].filter(each => each.scrollWidth > each.clientWidth).length"
                )
                assert shown.evaluate(wide) == 0
                ground = "getComputedStyle(document.querySelector('.cell_input .highlight')).backgroundColor"
                assert shown.evaluate(ground) == ("rgb(28, 33, 40)" if dark else "rgb(243, 244, 246)")
        browser.close()


@pytest.mark.slow
def test_nothing_changed_starts_no_sphinx(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second build finds the EPUB as it should be."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("this must not be called")

    monkeypatch.setattr(site, "run_sphinx", forbidden)
    assert Press(root, Choices(), Console(quiet=True)).epub() == []


@pytest.mark.slow
def test_two_builds_give_the_same_bytes(root: Path) -> None:
    """A build from nothing, and one after a page has come and gone."""
    first = (root / "build/epub/book.epub").read_bytes()
    write(root, "=== chapters/two/more.md\n# More\n\n```{figure} ../img/dot.svg\n:alt: a dot\n```\n")
    edit(root, "two/index.md", "markup", "markup\nmore")
    assert bindery(root, "epub")[0] == 0
    assert (root / "build/epub/book.epub").read_bytes() != first
    edit(root, "two/index.md", "markup\nmore", "markup")
    (root / "chapters/two/more.md").unlink()
    assert bindery(root, "epub")[0] == 0
    assert (root / "build/epub/book.epub").read_bytes() == first
    for folder in ("epub", "sphinx"):
        shutil.rmtree(root / "build" / folder)
    assert bindery(root, "epub")[0] == 0
    assert (root / "build/epub/book.epub").read_bytes() == first


FAULTS: dict[str, tuple[str, str]] = {
    "a formula that KaTeX cannot set": (
        "Some prose, then\na line with $\\nothing$ in it.",
        'chapters/one/plain.md:7: KaTeX cannot set "\\nothing": ',
    ),
    "a reference to nothing": ("See {ref}`sec_nowhere`.", "chapters/one/plain.md:6: undefined label: 'sec_nowhere'"),
    "a picture that is not there": (
        "Some prose.\n\n![a cat](cat.png)",
        "chapters/one/plain.md:8: image file not readable: one/cat.png",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_problem_and_leaves_the_earlier_epub_alone(root: Path, fault: str) -> None:
    """It names the chapter and the line, and is gone when it is mended."""
    text, message = FAULTS[fault]
    before = contents(root / "build/epub")
    edit(root, "one/plain.md", "## First\n", f"## First\n\n{text}\n")
    code, _, errors = bindery(root, "epub")
    lines = [line for line in errors.splitlines() if line.startswith("chapters/")]
    assert (code, len(lines)) == (1, 1), errors
    assert lines[0].startswith(message)
    assert contents(root / "build/epub") == before
    edit(root, "one/plain.md", f"## First\n\n{text}\n", "## First\n")
    assert bindery(root, "epub")[::2] == (0, "")
    assert contents(root / "build/epub") == before

"""Holds all products of a book against each other: what the website shows stands in PDF, EPUB and notebooks, too.

Of each page, headings, captions, numbers of equations and exercises, code, printed outputs, footnotes and citations
must be there in order. What belongs to solutions and footnotes may stand elsewhere, in order again.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bindery.model import Book, Location, Problem, Section

ITEMS = "items"
"""The folder beside the website's own output that holds what its pages hold."""

LEFT_OUT = (
    "the front page and the pages of the library are on the website only",
    "pages without code have no notebook",
    "notes that only lead to pages of the library are on the website only",
    "headings of sections that hold only solutions are not in the PDF, which has all solutions at its end",
)
"""What is missing somewhere on purpose."""

NAMES = {"figure": "Figure", "table": "Table", "exercise": "Exercise"}
SKIPPED = ("math", "headerlink", "equation-body", "copybtn")
"""Classes of what on a page of HTML is a formula or no text."""
FORMULA = re.compile(r"\$\$.*?\$\$|(?<![\\$])\$[^$]+\$", re.DOTALL)
MARKUP = re.compile(r"<[^>]+>|\]\([^()\s]+\)")
"""Tags, and the addresses of links."""
ANSI = re.compile(r"\x1b\[[\d;]*m")
TAG = re.compile(r"\\tag\{([\d.]+)\}")
MARGIN = 62
"""Points at the top and the foot of a page that belong to running heads."""


@dataclass(frozen=True)
class Item:
    """Something that a page holds: its kind, its number if it has one, and its words between formulas or line ends."""

    kind: str
    number: str
    words: tuple[str, ...]
    apart: bool
    """Whether it belongs to a solution or is a footnote."""

    def __str__(self) -> str:
        """As a reader would name it."""
        words = " … ".join(part.strip() for part in self.words if part.strip())
        return " ".join(part for part in (self.kind, self.number, repr(words[:60]) if words else "") if part)

    def pattern(self) -> re.Pattern[str]:
        """What is to be found of it in the letters of a product."""
        if self.kind == "equation":
            return re.compile(re.escape(f"({self.number})"))
        name = NAMES.get(self.kind, "")
        begin = re.escape(name + self.number) + r"[.:]*" if self.number else ""
        return re.compile(begin + ".*?".join(re.escape(part) for part in map(letters, self.words) if part))


def letters(text: str) -> str:
    """The letters, digits, brackets and full stops of a text: all else depends on how it is set."""
    return re.sub(r"[^\w().]|_", "", unicodedata.normalize("NFKC", text))


def missing(items: Sequence[Item], text: str) -> Iterator[Item]:
    """The items that are not in a text of letters, or not in this order."""
    for apart in (False, True):
        at = 0
        for item in items:
            if item.apart == apart:
                found = item.pattern().search(text, at)
                if found is None:
                    yield item
                else:
                    at = found.end()


def of_html(page: bytes) -> str:
    """The letters of a page of the website or of the EPUB, formulas left out."""
    from lxml import html as parser  # type: ignore[import-untyped]  # it has no types

    tree = parser.fromstring(page)
    (body,) = tree.xpath("//article[contains(@class, 'bd-article')]") or tree.xpath("//body")
    wanted = "|".join(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]" for name in SKIPPED)
    for node in body.xpath(f"{wanted}|.//math|.//script|.//style|.//svg"):
        # The box of a displayed formula has its number beside the formula.
        if "equation" not in node.get("class", "").split():
            node.drop_tree()
    return letters(body.text_content())


def of_notebook(content: bytes) -> str:
    """The letters of a notebook: its text with numbers of equations for formulas, its code and what that printed."""
    parts = []
    for cell in json.loads(content)["cells"]:
        if cell["cell_type"] == "code":
            parts += [cell["source"], *(_printed(output) for output in cell["outputs"])]
        else:
            text = FORMULA.sub(lambda found: "".join(f"({number})" for number in TAG.findall(found[0])), cell["source"])
            parts.append(html.unescape(MARKUP.sub("", text)))
    return letters("\n".join(parts))


def of_epub(file: Path) -> dict[str, str]:
    """By page, the letters of an EPUB."""
    with zipfile.ZipFile(file) as book:
        return {name.removesuffix(".xhtml"): of_html(book.read(name)) for name in book.namelist() if ".xhtml" in name}


def of_pdf(file: Path, sections: Sequence[Section]) -> dict[str, str]:
    """By page of the website, the letters of the PDF from where it begins to the end of the book."""
    import pypdfium2  # type: ignore[import-untyped]  # it has no types

    document = pypdfium2.PdfDocument(file)
    marks = [(letters(mark.get_title()), mark.get_dest().get_index()) for mark in document.get_toc()]
    pages = [letters(_between_margins(page)) for page in document]
    found, last = {}, 0
    for section in sections:
        title = re.compile(r"[\d.]*" + re.escape(letters(section.title)))
        at = next((index for index in range(last, len(marks)) if title.fullmatch(marks[index][0])), None)
        if at is not None:
            found[section.name], last = "".join(pages[marks[at][1] :]), at + 1
    return found


def compare(book: Book, build: Path) -> list[Problem]:
    """What of the pages in a build folder is missing in which product of the same folder."""
    work = build / "sphinx" / ITEMS
    items = {
        path.relative_to(work).with_suffix("").as_posix(): [
            Item(**each | {"words": tuple(each["words"])}) for each in json.loads(path.read_bytes())
        ]
        for path in work.rglob("*.json")
    }
    pages = [section for section in book.sections() if section.name in items]
    products = {
        "website": {page.name: of_html((build / "html" / f"{page.name}.html").read_bytes()) for page in pages},
        "notebook": {
            page.name: of_notebook(file.read_bytes())
            for page in pages
            if (file := build / "notebooks" / f"{page.name}.ipynb").is_file()
        },
        "EPUB": of_epub(build / "epub" / "book.epub"),
        "PDF": of_pdf(build / "pdf" / "book.pdf", pages),
    }
    return unequal(pages, items, products)


def unequal(
    pages: Sequence[Section], items: Mapping[str, Sequence[Item]], products: Mapping[str, Mapping[str, str]]
) -> list[Problem]:
    """What is missing where: `products` give by name and page the letters that stand there."""
    problems = []
    for section in pages:
        for product, texts in products.items():
            text = texts.get(section.name)
            if text is None and product == "notebook":
                continue
            location = Location(section.path, 1)
            if text is None:
                problems.append(Problem(location, "parity", f"the {product} has nothing of this page"))
                continue
            problems += [
                Problem(location, "parity", f"{item} of the website is not in the {product}, or not in its order")
                for item in missing(items[section.name], text)
                if (product, item.kind) != ("PDF", "heading of solutions")
            ]
    return problems


def _between_margins(page: Any) -> str:
    width, height = page.get_size()
    return str(page.get_textpage().get_text_bounded(0, MARGIN, width, height - MARGIN))


def _printed(output: Mapping[str, Any]) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "") or "\n".join(output.get("traceback", ()))
    return ANSI.sub("", "".join(text))

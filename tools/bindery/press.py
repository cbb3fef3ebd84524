"""Makes what readers get of an executed book: wheel, notebooks, website, PDF, downloads; and the report for authors."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bindery import files
from bindery.downloads import offer
from bindery.imprint import commit_of, imprint
from bindery.model import Book, Problem, ProblemsFound
from bindery.notebooks import archive, reader_notebooks
from bindery.report import make_report, to_json, to_page
from bindery.weave import weave
from bindery.workshop import Workshop

if TYPE_CHECKING:
    from bindery.site import Sphinx

SITE_MAKERS = ("sphinx", "myst-nb", "myst-parser", "docutils", "pydata-sphinx-theme", "sphinx-exercise")


PAPER = ("pdf", "imprint", "offprints")
"""Modules on which the PDF's bytes depend, besides what happens inside Sphinx."""

SITE_ARCHIVE = "website.zip"


class Press(Workshop):
    """A workshop whose sections, once run, become products: each method makes one and tells what it did."""

    site_made = False
    """Whether this command has made the website; one that it found unchanged keeps the report that it has."""
    in_a_hurry = False
    """Whether the website may do without a new index for its search."""
    sphinx: Sphinx | None = None
    """A Sphinx that got ready before there was anything to do."""

    def wheel(self) -> list[Problem]:
        """Pack the wheel."""
        from bindery.package import build_wheel  # pulls in the packaging tools, which no other command needs

        wheel = build_wheel(self.book.facts, self.library, self.build / "wheel")
        files.write_if_changed(self._stamp("wheel"), self._wheel_inputs().encode())
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.say(f"wheel: build/wheel/{wheel.name}, sha256 {digest}")
        return []

    def notebooks(self) -> list[Problem]:
        """Write the readers' notebooks and their archive."""
        notebooks = reader_notebooks(self.book, self.library, self.executions)
        with files.locked(self.build / "locks" / "notebooks"):
            files.write_tree(self.build / "notebooks", notebooks)
            files.write_if_changed(self.build / "notebooks.zip", archive(notebooks))
            files.write_if_changed(self._stamp("notebooks"), self._digest(self.pages).encode())
        self.say(f"notebooks: {len(notebooks)} in build/notebooks, all of them in build/notebooks.zip")
        return []

    def html(self) -> list[Problem]:
        """Let Sphinx build the site."""
        from bindery.site import build_site, sphinx_at_hand

        output = self.build / "html"
        # Where a source has changed, Sphinx is needed almost certainly, and can get ready beside all that comes first.
        sources = self._sources()
        changed = not self._is_current("sources", output / "index.html", sources)
        ready = nullcontext(self.sphinx) if self.sphinx or not changed else sphinx_at_hand(self.root)
        with ready as sphinx:

            def make(source: Path, work: Path) -> list[Problem]:
                found = build_site(self.root, source, work, output, sphinx, self._beside, search=not self.in_a_hurry)
                self.site_made = not found
                return found

            problems = self._bind("website", output / "index.html", make)
        if not problems:
            with files.locked(self.build / "locks" / "weave"):
                files.write_if_changed(self._stamp("sources"), sources.encode())
                files.write_if_changed(output / "build.json", self._build_facts())
                offer(self.book.facts, self._downloads(), output / "downloads")
        return problems

    def serve(self, port: int) -> list[Problem]:
        """Build the website and serve it, again after every change, until the user interrupts."""
        from bindery.serve import serve
        from bindery.site import sphinx_at_hand

        with ExitStack() as stack:
            waiting = stack.enter_context(sphinx_at_hand(self.root))

            def build() -> list[Problem]:
                nonlocal waiting
                press = Press(self.root, self.choices, self.console)
                press.in_a_hurry, press.sphinx = (self.build / "html" / "pagefind").is_dir(), waiting
                try:
                    problems = press.html()
                except ProblemsFound as found:
                    problems = found.problems
                press.report(problems)
                for problem in problems:
                    self.say(str(problem))
                if waiting.stdin is None or waiting.stdin.closed:
                    waiting = stack.enter_context(sphinx_at_hand(self.root))
                return problems

            serve(self.root, port, build, self.say)
        return []

    def archive(self) -> list[Problem]:
        """Pack the website, its downloads included, for readers without a network."""
        problems = self.html()
        if not problems:
            site, packed = self.build / "html", self.build / SITE_ARCHIVE
            with files.locked(self.build / "locks" / "weave"):
                own = site / "downloads" / SITE_ARCHIVE
                paths = [path for path in site.rglob("*") if path.is_file() and path != own]
                contents = {path.relative_to(site).as_posix(): path.read_bytes() for path in paths}
                files.write_if_changed(packed, archive(contents))
                files.write_if_changed(self._stamp("archive"), self._digest(self.pages).encode())
                offer(self.book.facts, self._downloads(), site / "downloads")
            self.say(f"archive: the website in build/{SITE_ARCHIVE}")
        return problems

    def _beside(self, pages: list[str]) -> dict[str, bytes]:
        from bindery.beside import beside_pages

        return beside_pages(self.book, self.library, self.executions, pages)

    def _sources(self) -> str:
        """A digest of all that authors write."""
        paths = [self.root / "conf.py", *sorted((self.root / "chapters").rglob("*"))]
        return _digest_of((str(path.relative_to(self.root)), path.read_bytes()) for path in paths if path.is_file())

    def _downloads(self) -> dict[str, Path | None]:
        """What readers can download; a product that is older than the site is not offered with it."""
        pages = self._digest(self.pages)
        wheel = next((self.build / "wheel").glob("*.whl"), self.build / "wheel" / "none")
        made = {
            "pdf": (self.build / "pdf" / "book.pdf", pages),
            "notebooks": (self.build / "notebooks.zip", pages),
            "wheel": (wheel, self._wheel_inputs()),
            "archive": (self.build / SITE_ARCHIVE, pages),
        }
        return {name: file if self._is_current(name, file, inputs) else None for name, (file, inputs) in made.items()}

    def _stamp(self, product: str) -> Path:
        """The file that says what a product was made from."""
        return self.build / "sphinx" / f"{product}.digest"

    def _is_current(self, product: str, file: Path, inputs: str) -> bool:
        stamp = self._stamp(product)
        return file.is_file() and stamp.is_file() and stamp.read_text() == inputs

    def _wheel_inputs(self) -> str:
        return hashlib.sha256(f"{self.library.digest} {self.book.facts!r}".encode()).hexdigest()

    def report(self, problems: list[Problem]) -> None:
        """Write what this build did and what was wrong; the website gets a copy if it was made."""
        if not (self.root / "chapters").is_dir():
            return  # somebody else's folder
        folder, site = self.build / "report", self.build / "html"
        kept = folder / "report.json"
        try:
            book: Book | None = self.book
        except ProblemsFound:
            book = None
        before = kept.read_bytes() if kept.is_file() else b""
        report = make_report(book, self.choices.profile, self.done.values(), problems, before)
        places = [(folder, "../html/" if (site / "index.html").is_file() else "")]
        if self.site_made:
            places.append((site / "report", "../"))
        for place, way in places:
            files.write_if_changed(place / "report.json", to_json(report))
            files.write_if_changed(place / "index.html", to_page(report, way))

    def pdf(self) -> list[Problem]:
        """Let Sphinx write the book for LaTeX, and LaTeX typeset it."""
        from bindery.offprints import offprints
        from bindery.pdf import typeset
        from bindery.site import run_sphinx
        from bindery.texlive import lacking

        output = self.build / "pdf" / "book.pdf"
        problems = lacking()
        if problems:
            return problems

        def make(source: Path, work: Path) -> list[Problem]:
            folder = work / "latex"
            made = imprint(commit_of(self.root), self.executions.values())
            files.write_if_changed(folder / "imprint.tex", made.encode())
            problems = run_sphinx(self.root, source, work, "latex") or typeset(self.root, folder)
            if not problems:
                chapters = [chapter.folder for chapter in self.book.chapters if chapter.index]
                cut = offprints(folder / "book.pdf", folder / "book.aux", chapters, self.book.facts.url)
                files.write_tree(output.parent / "chapters", cut)
                files.write_if_changed(output, (folder / "book.pdf").read_bytes())
            return problems

        return self._bind("PDF", output, make)

    def latex(self) -> list[Problem]:
        """Install what the PDF needs and pip cannot, if it is missing and that may be done here."""
        from bindery.texlive import provide

        return provide(self.say)

    @cached_property
    def pages(self) -> dict[str, bytes]:
        """The woven pages by relative path."""
        return weave(self.book, self.library, self.executions)

    def _bind(self, product: str, result: Path, make: Callable[[Path, Path], list[Problem]]) -> list[Problem]:
        """Let `make` build a product of the woven pages, unless it would see what it saw last time."""
        source, work = self.build / "source", self.build / "sphinx"
        pages, shown = self.pages, result.relative_to(self.root)
        with files.locked(self.build / "locks" / "weave"):
            files.write_tree(source, pages)
            seen = self._digest(pages)
            stamp = self._stamp(result.parent.name)
            if self._is_current(result.parent.name, result, seen):
                self.say(f"{product}: nothing changed, {shown}")
                return []
            self.say(f"{product}: Sphinx is building it")
            files.remove(stamp)  # a build that is cut off leaves a site of two minds
            problems = make(source, work)
            if not problems:
                files.write_if_changed(stamp, seen.encode())
                self.say(f"{product}: {shown}")
        return problems

    def _digest(self, pages: Mapping[str, bytes]) -> str:
        """Names all that website and PDF are made from: pages, settings, bindery's own part in them, versions."""
        here = Path(__file__).parent
        own = [*(here / f"{name}.py" for name in PAPER), *sorted((here / "sphinxext").rglob("*"))]
        sources = [("conf.py", self.root / "conf.py"), *((path.name, path) for path in own if path.is_file())]
        parts: Iterable[tuple[str, bytes]] = [
            *sorted(pages.items()),
            *((name, path.read_bytes()) for name, path in sources if path.suffix != ".pyc" and path.is_file()),
            *((name, importlib.metadata.version(name).encode()) for name in SITE_MAKERS),
        ]
        return _digest_of(parts)

    def _build_facts(self) -> bytes:
        """Version and commit, which stand in one file so that a commit alone changes no page."""
        return (json.dumps({"version": self.book.facts.version, "commit": commit_of(self.root)}) + "\n").encode()

    def all(self) -> list[Problem]:
        """Make every product."""
        # The wheel after the notebooks: a section that fails leaves it alone. The website last: it offers the others.
        return [*self.lib(), *self.notebooks(), *self.wheel(), *self.pdf(), *self.archive()]


def _digest_of(parts: Iterable[tuple[str, bytes]]) -> str:
    """Names what files of these names and contents make together."""
    digest = hashlib.sha256()
    for name, content in parts:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()

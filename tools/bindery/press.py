"""Makes what readers get of an executed book: wheel, notebooks, site, PDF, EPUB, downloads; a report for authors."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bindery import files
from bindery.bundle import bundle
from bindery.desk import Desk
from bindery.downloads import offer, product_sizes
from bindery.imprint import build_facts, commit_of, imprint
from bindery.inputs import page_inputs, written_inputs
from bindery.model import Book, Problem, ProblemsFound
from bindery.notebooks import NOTEBOOK_FOLDER, Wheel, archive, reader_notebooks, wheel_name
from bindery.report import DRIFT_PAGE, make_report, to_json, to_page
from bindery.weave import weave

if TYPE_CHECKING:
    from bindery.serve import Announce
    from bindery.site import Sphinx

SITE_ARCHIVE = "website.zip"


class Press(Desk):
    """A desk whose sections, once run, become products: each method makes one and tells what it did."""

    site_made = False
    """Whether this command has made the website; one that it found unchanged keeps the report that it has."""
    in_a_hurry = False
    """Whether the website may do without a new index for its search."""
    sphinx: Sphinx | None = None
    """A Sphinx that got ready before there was anything to do."""

    def wheel(self) -> list[Problem]:
        """Pack the wheel."""
        wheel = self._make_wheel()
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.say(f"wheel: build/wheel/{wheel.name}, sha256 {digest}")
        return []

    def _make_wheel(self) -> Path:
        """The wheel, packed unless it is there."""
        from bindery.package import build_wheel  # pulls in the packaging tools, which no other command needs

        wheel = self.build / "wheel" / wheel_name(self.book.facts)
        if not self._is_current("wheel", wheel, self._wheel_inputs()):
            wheel = build_wheel(self.book.facts, self.library, wheel.parent)
            files.write_if_changed(self._stamp("wheel"), self._wheel_inputs().encode())
        return wheel

    def _described(self, content: bytes) -> Wheel:
        """The wheel as notebooks ask for it."""
        facts = self.book.facts
        name, digest = wheel_name(facts), hashlib.sha256(content).hexdigest()
        return Wheel(name, facts.version, digest, f"{facts.url.rstrip('/')}/downloads/{name}" if facts.url else "")

    def _notebooks(self) -> dict[str, bytes]:
        """What Sphinx has written of the sections, finished."""
        folder = self.build / "sphinx" / NOTEBOOK_FOLDER
        pages = {name: (folder / f"{name}.ipynb").read_bytes() for name in self.executions}
        # Only readers who have nothing but a notebook need to know more of the wheel than its name.
        content = self._make_wheel().read_bytes() if self.book.facts.url else b""
        return reader_notebooks(self.book, self.executions, pages, self._described(content))

    def notebooks(self) -> list[Problem]:
        """Write the readers' notebooks, which come from the website's pages, and pack them with the wheel."""
        problems = self.html()
        if problems:
            return problems
        packed, inputs = self.build / "notebooks.zip", self._notebook_inputs()
        with files.locked(self.build / "locks" / "notebooks"):
            if self._is_current("notebooks", packed, inputs):
                self.say("notebooks: nothing changed, build/notebooks and build/notebooks.zip")
                return []
            wheel = self._make_wheel()
            notebooks = self._notebooks()
            described = self._described(wheel.read_bytes())
            names = ("jupyter", *self.book.facts.notebooks.requires, *self.book.facts.notebooks.alone)
            installed = {name: importlib.metadata.version(name) for name in names}
            held = bundle(self.book, self.executions, notebooks, described, wheel.read_bytes(), installed)
            files.write_tree(self.build / "notebooks", notebooks)
            files.write_if_changed(packed, archive(held))
            files.write_if_changed(self._stamp("notebooks"), inputs.encode())
            offer(self.book.facts, self._downloads(), self.build / "html" / "downloads")
        self.say(f"notebooks: {len(notebooks)} in build/notebooks; those that run anywhere in build/notebooks.zip")
        return []

    def html(self) -> list[Problem]:
        """Let Sphinx build the site."""
        from bindery.site import build_site, sphinx_at_hand

        output = self.build / "html"
        # Where a source has changed, Sphinx is needed almost certainly, and can get ready beside all that comes first.
        sources = written_inputs(self.root)
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
                files.write_if_changed(output / "build.json", build_facts(self.book.facts.version, self.root))
                offer(self.book.facts, self._downloads(), output / "downloads")
        return problems

    def serve(self, port: int) -> list[Problem]:
        """Build the website and serve it, again after every change, until the user interrupts."""
        from bindery.serve import serve
        from bindery.site import sphinx_at_hand

        with ExitStack() as stack:
            waiting = stack.enter_context(sphinx_at_hand(self.root))

            def build(announce: Announce) -> list[Problem]:
                nonlocal waiting
                press = Press(self.root, self.choices, self.console)
                press.in_a_hurry, press.sphinx = (self.build / "html" / "pagefind").is_dir(), waiting
                try:
                    if running := [step.section.name for step in press.steps if not step.cached]:
                        announce(running)
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
                files.write_if_changed(self._stamp("archive"), page_inputs(self.root, self.pages).encode())
                offer(self.book.facts, self._downloads(), site / "downloads")
            self.say(f"archive: the website in build/{SITE_ARCHIVE}")
        return problems

    def _beside(self, pages: list[str]) -> dict[str, bytes]:
        from bindery.beside import beside_pages

        return beside_pages(self.book, self._notebooks(), pages)

    def _downloads(self) -> dict[str, Path | None]:
        """What readers can download; a product that is older than the site is not offered with it."""
        pages = page_inputs(self.root, self.pages)
        wheel = self.build / "wheel" / wheel_name(self.book.facts)
        made = {
            "pdf": (self.build / "pdf" / "book.pdf", pages),
            "epub": (self.build / "epub" / "book.epub", pages),
            "notebooks": (self.build / "notebooks.zip", self._notebook_inputs()),
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

    def _notebook_inputs(self) -> str:
        return hashlib.sha256(f"{page_inputs(self.root, self.pages)} {self._wheel_inputs()}".encode()).hexdigest()

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
        changes = {step.section.name: step.changes for step in vars(self).get("steps", ())}
        report = make_report(
            book, self.choices.profile, self.done.values(), problems, before, changes, product_sizes(self.build)
        )
        drift = DRIFT_PAGE if (folder / DRIFT_PAGE).is_file() else ""
        places = [(folder, "../html/" if (site / "index.html").is_file() else "", drift)]
        if self.site_made:
            places.append((site / "report", "../", ""))
        for place, way, compared in places:
            files.write_if_changed(place / "report.json", to_json(report))
            files.write_if_changed(place / "index.html", to_page(report, way, compared))

    def pdf(self) -> list[Problem]:
        """Let Sphinx write the book for LaTeX, and LaTeX typeset it."""
        from bindery.offprints import offprints
        from bindery.pdf import typeset
        from bindery.site import run_sphinx
        from bindery.texlive import lacking

        output = self.build / "pdf" / "book.pdf"
        if not output.is_file() and (problems := lacking()):
            return problems  # before anything runs

        def make(source: Path, work: Path) -> list[Problem]:
            folder = work / "latex"
            made = imprint(commit_of(self.root), self.executions.values())
            files.write_if_changed(folder / "imprint.tex", made.encode())
            problems = lacking() or run_sphinx(self.root, source, work, "latex") or typeset(self.root, folder)
            if not problems:
                chapters = [chapter.folder for chapter in self.book.chapters if chapter.index]
                cut = offprints(folder / "book.pdf", folder / "book.aux", chapters, self.book.facts.url)
                files.write_tree(output.parent / "chapters", cut)
                files.write_if_changed(output, (folder / "book.pdf").read_bytes())
            return problems

        return self._bind("PDF", output, make)

    def epub(self) -> list[Problem]:
        """Let Sphinx write the book for reading systems."""
        from bindery.site import run_sphinx

        output = self.build / "epub" / "book.epub"

        def make(source: Path, work: Path) -> list[Problem]:
            problems = run_sphinx(self.root, source, work, "epub")
            if not problems:
                files.write_if_changed(output, (work / "epub" / output.name).read_bytes())
            return problems

        return self._bind("EPUB", output, make)

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
            seen = page_inputs(self.root, pages)
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

    def parity(self) -> list[Problem]:
        """Make every product, and say what one lacks that another has."""
        from bindery.parity import LEFT_OUT, compare  # pulls in what reads a PDF

        problems = self.all() or compare(self.book, self.build)
        if not problems:
            self.say("parity: website, PDF, EPUB and notebooks hold the same")
            for reason in LEFT_OUT:
                self.say(f"  but {reason}")
        return problems

    def all(self) -> list[Problem]:
        """Make every product."""
        # The wheel after the notebooks: a section that fails leaves it alone. The website last: it offers the others.
        return [*self.lib(), *self.notebooks(), *self.wheel(), *self.pdf(), *self.epub(), *self.archive()]

"""One book on the workbench: each method makes one product by composing the stages, and tells what it did."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from rich.console import Console

from bindery import files
from bindery.book import read_book
from bindery.cache import Cache
from bindery.data import Data, choose_data, picture_of
from bindery.library import Library
from bindery.model import Book, Execution, Location, Problem, ProblemsFound
from bindery.notebooks import archive, reader_notebooks
from bindery.plan import Step, make_plan, remember_inputs
from bindery.report import make_report
from bindery.tangle import tangle
from bindery.validate import hint
from bindery.weave import weave

SITE_MAKERS = ("sphinx", "myst-nb", "myst-parser", "docutils", "pydata-sphinx-theme", "sphinx-exercise")


class Workshop:
    """A book, its build folder, and the choices made on the command line."""

    def __init__(self, root: Path, profile: str, slots: int, console: Console, data: str = "standin") -> None:
        """Work on the book in `root`; nothing is read yet."""
        self.root = root
        self.build = root / "build"
        self.profile = profile
        self.slots = slots
        self.console = console
        self.data_choice = data
        self.store = Cache(self.build / "cache")

    @cached_property
    def book(self) -> Book:
        """The book, read once."""
        return read_book(self.root)

    @cached_property
    def library(self) -> Library:
        """The library, tangled once and written where kernels find it."""
        library = tangle(self.book)
        folder = self.build / "libraries" / library.digest
        files.write_tree_once(folder, {path: text.encode() for path, text in library.files.items()})
        files.point(self.build / "library", folder)
        return library

    @cached_property
    def data(self) -> Data:
        """The data sets in use; stand-ins are drawn if a section declares data and they are not there."""
        declared = any(section.settings.data for section in self.book.sections())
        return self._choose_data(self.data_choice if declared else "real")

    def _choose_data(self, choice: str) -> Data:
        return choose_data(self.book.facts, choice, self.build, os.environ.get("D2L_MIRRORS", ""), self.say)

    @cached_property
    def steps(self) -> list[Step]:
        """What a build would do, section by section."""
        steps = make_plan(self.book, self.library, self.profile, self.store, self.build, self.data)
        for name in sorted(self.store.damaged):
            self.say(f"cache: the stored result of {name} is damaged and is not used")
        return steps

    def say(self, text: str) -> None:
        """Tell the user something."""
        self.console.print(text, markup=False)

    def lib(self) -> list[Problem]:
        """Tangle."""
        names = len(self.library.definitions)
        modules = len([path for path in self.library.files if path.startswith("d2l/torch/") and path.endswith(".py")])
        self.say(f"library: {names} names in {modules - 1} modules, in build/library")
        return []

    def make_data(self, picture: Path | None) -> list[Problem]:
        """Draw the stand-ins, say what is used for each data set, and make a picture of what was drawn."""
        data = self._choose_data(self.data_choice)
        for line in data.lines(self.root):
            self.say(line)
        if picture and data.drawn:
            files.write_if_changed(picture, picture_of(data))
            self.say(f"picture: {picture}")
        return []

    def wheel(self) -> list[Problem]:
        """Pack the wheel."""
        from bindery.package import build_wheel  # pulls in the packaging tools, which no other command needs

        wheel = build_wheel(self.book.facts, self.library, self.build / "wheel")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.say(f"wheel: build/wheel/{wheel.name}, sha256 {digest}")
        return []

    def plan(self, why: str) -> list[Problem]:
        """Say what would run."""
        if why:
            return self._why(why)
        waiting = [step for step in self.steps if not step.cached]
        for step in waiting:
            estimate = f"about {step.estimate:.0f} s" if step.estimate is not None else "not timed yet"
            more = f", and {len(step.changes) - 1} more" if len(step.changes) > 1 else ""
            self.say(f"would run {step.section.name} ({estimate}): {step.changes[0]}{more}")
        known = sum(step.estimate or 0 for step in waiting)
        total = f", about {known:.0f} s of kernel time" if known else ""
        self.say(f"{len(waiting)} of {len(self.steps)} sections would run{total}")
        return []

    def _why(self, name: str) -> list[Problem]:
        name = name.removeprefix("chapters/").removesuffix(".md").removesuffix(".ipynb")
        step = next((step for step in self.steps if step.section.name == name), None)
        if step is None:
            known = [step.section.name for step in self.steps]
            message = f"no section `{name}` has code{hint(name, known)}"
            return [Problem(Location("chapters/index.md", 1), "no-section", message)]
        for change in step.changes or ("nothing changed: its stored result is used",):
            self.say(f"{name}: {change}")
        return []

    def run(self, only: str = "") -> list[Problem]:
        """Run what changed; the report is written whatever happens."""
        chosen = [step for step in self.steps if step.section.name == only or step.section.name.startswith(f"{only}/")]
        if only and not chosen:
            known = {part for step in self.steps for part in (step.section.name, step.section.chapter)}
            message = f"no section or chapter `{only}` has code{hint(only, known)}"
            return [Problem(Location("chapters/index.md", 1), "no-section", message)]
        executions = self._execute(chosen if only else self.steps)
        return [execution.error for execution in executions.values() if execution.error]

    def _execute(self, steps: list[Step]) -> dict[str, Execution]:
        """One execution for each step, stored or made now."""
        waiting = [step for step in steps if not step.cached]
        done = {step.section.name: step.cached for step in steps if step.cached}
        if waiting:
            from bindery import schedule
            from bindery.progress import showing

            self.data.folder.mkdir(parents=True, exist_ok=True)
            for step in waiting:
                files.point(step.task.folder.parent / "data", self.data.folder)
            with showing(self.console, len(waiting)) as on_event:
                made = schedule.run([step.task for step in waiting], self.slots, on_event, self.store)
            done |= {execution.section: execution for execution in made}
        remember_inputs(self.build, steps, done.values())
        problems = [execution.error for execution in done.values() if execution.error]
        files.write_if_changed(
            self.build / "report" / "report.json", make_report(self.book, self.profile, done.values(), problems)
        )
        for step in waiting:
            execution = done[step.section.name]
            if execution.error:
                partial = self.build / "report" / "failed" / f"{step.section.name}.ipynb"
                files.write_if_changed(partial, (json.dumps(execution.notebook, indent=1) + "\n").encode())
                self.say(f"{step.section.name} failed; its outputs so far are in {partial.relative_to(self.root)}")
        run = sum(not execution.cached for execution in done.values())
        self.say(f"sections: {run} run, {len(done) - run} unchanged")
        return done

    @cached_property
    def executions(self) -> dict[str, Execution]:
        """All executions of the book; raises `ProblemsFound` if a section failed, so that nothing is built on it."""
        executions = self._execute(self.steps)
        problems = [execution.error for execution in executions.values() if execution.error]
        if problems:
            raise ProblemsFound(problems)
        return executions

    def notebooks(self) -> list[Problem]:
        """Write the readers' notebooks and their archive."""
        notebooks = reader_notebooks(self.book, self.library, self.executions)
        with files.locked(self.build / "locks" / "notebooks"):
            files.write_tree(self.build / "notebooks", notebooks)
            files.write_if_changed(self.build / "notebooks.zip", archive(notebooks))
        self.say(f"notebooks: {len(notebooks)} in build/notebooks, all of them in build/notebooks.zip")
        return []

    def html(self) -> list[Problem]:
        """Let Sphinx build the site."""
        from bindery.site import build_site

        output = self.build / "html"
        problems = self._bind(
            "website", output / "index.html", lambda source, work: build_site(self.root, source, work, output)
        )
        if not problems:
            with files.locked(self.build / "locks" / "weave"):
                files.write_if_changed(output / "build.json", self._build_facts())
        return problems

    def pdf(self) -> list[Problem]:
        """Let Sphinx write the book for LaTeX, and LaTeX typeset it."""
        from bindery.pdf import lacking, typeset
        from bindery.site import run_sphinx

        output = self.build / "pdf" / "book.pdf"
        problems = lacking()
        if problems:
            return problems

        def make(source: Path, work: Path) -> list[Problem]:
            return run_sphinx(self.root, source, work, "latex") or typeset(self.root, work / "latex", output)

        return self._bind("PDF", output, make)

    def latex(self) -> list[Problem]:
        """Install what the PDF needs and pip cannot, if it is missing and that may be done here."""
        from bindery.pdf import provide

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
            stamp = work / f"{result.parent.name}.digest"
            if result.is_file() and stamp.is_file() and stamp.read_text() == seen:
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
        digest = hashlib.sha256()
        here = Path(__file__).parent
        own = [here / "pdf.py", *sorted((here / "sphinxext").rglob("*"))]
        sources = [("conf.py", self.root / "conf.py"), *((path.name, path) for path in own if path.is_file())]
        parts: Iterable[tuple[str, bytes]] = [
            *sorted(pages.items()),
            *((name, path.read_bytes()) for name, path in sources if path.suffix != ".pyc" and path.is_file()),
            *((name, importlib.metadata.version(name).encode()) for name in SITE_MAKERS),
        ]
        for name, content in parts:
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def _build_facts(self) -> bytes:
        """Version and commit, which stand in one file so that a commit alone changes no page."""
        git = ["git", "-C", str(self.root), "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
        try:
            commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            commit = ""
        return (json.dumps({"version": self.book.facts.version, "commit": commit}) + "\n").encode()

    def all(self) -> list[Problem]:
        """Make every product."""
        return [*self.lib(), *self.wheel(), *self.notebooks(), *self.html(), *self.pdf()]

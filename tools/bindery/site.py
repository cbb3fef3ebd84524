"""Runs Sphinx on the woven source and turns all that it complains of into problems of the chapters.

The website is ready then; for the PDF Sphinx writes what `pdf` hands to LaTeX.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bindery import files
from bindery.beside import FILES, MARKDOWN, NOTEBOOKS
from bindery.model import Location, Problem
from bindery.search import index_words

KEPT_IN_OUTPUT = ("build.json", "downloads", "report")
"""What other stages put into the finished site."""

NOT_PAGES = (".buildinfo", ".buildinfo.bak", "_static/webpack-macros.html")
"""Files that Sphinx and the theme leave among the pages, and that no page uses."""

HOME = Location("chapters/index.md", 1)
"""Where a complaint that names no file is reported."""

RECORD = re.compile(
    r"^(?:(?P<path>\S[^\n]*?)(?::(?P<line>\d+))?:\s+)?(?:WARNING|ERROR|CRITICAL|SEVERE): (?P<message>[^\n]*)$",
    re.MULTILINE,
)
KIND = re.compile(r" \[(?P<type>[a-z_]+)(?:\.(?P<subtype>[\w-]+))?\]$")
QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'|: ([^\s'\"]+)$")
REPEATED = re.compile(r"duplicate label (of equation )?[^\"\n]*, other instance in ")
"""Sphinx's own word on labels, given only when one process has read both pages: `sphinxext.labels` always speaks."""
BIBLIOGRAPHY = re.compile(r"exception: syntax error in line (?P<line>\d+): (?P<reason>[^)]+)\)")
GATE = re.compile(r"^The document \((?P<page>.+?)\) .* directives?$[^\d]*(?P<line>\d+)?", re.MULTILINE)


Beside = Callable[[list[str]], Mapping[str, bytes]]

Sphinx = subprocess.Popen[str]
"""A Sphinx that waits to be told what to do, as `sphinxrun` has it."""


@contextmanager
def sphinx_at_hand(root: Path) -> Iterator[Sphinx]:
    """A Sphinx that does its imports while other things are done; unless it was made use of, it goes with the block."""
    sphinx = _start(root.absolute())
    try:
        yield sphinx
    finally:
        sphinx.kill()
        sphinx.communicate()


def build_site(
    root: Path,
    source: Path,
    work: Path,
    output: Path,
    sphinx: Sphinx | None = None,
    beside: Beside = lambda _: {},
    search: bool = True,
) -> list[Problem]:
    """Build the website of the woven `source`; if nothing is wrong, make `output` the result, else leave it alone.

    `beside` says, from the names of all pages, which files by relative path stand beside them. Without `search` the
    index of the site's search stays as it was.
    """
    problems = run_sphinx(root, source, work, "html", sphinx)
    if not problems:
        if search:
            index_words(work / "html")
        _put_beside(work / "html", beside)
        files.mirror(work / "html", output, keep=KEPT_IN_OUTPUT, leave_out=NOT_PAGES)
    return problems


def _put_beside(site: Path, beside: Beside) -> None:
    ours = {site / name for name in (NOTEBOOKS, MARKDOWN, *FILES)}
    pages = [path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html") if is_page(path, site)]
    for path in ours:
        files.remove(path)
    for name, content in beside(pages).items():
        files.write_if_changed(site / name, content)


def is_page(path: Path, site: Path) -> bool:
    """Whether a file of the site is one that a reader would look for."""
    name = path.relative_to(site)
    return not name.parts[0].startswith("_") and name.name not in ("404.html", "search.html", "genindex.html")


def run_sphinx(root: Path, source: Path, work: Path, builder: str, sphinx: Sphinx | None = None) -> list[Problem]:
    """Let a builder of Sphinx write `work/<builder>` from the woven `source`; says what is wrong with the chapters.

    It is the `sphinx` given, if there is one, or else a new process.
    """
    root, source, work = root.absolute(), source.absolute(), work.absolute()
    doctrees, running = work / "doctrees" / builder, work / f"{builder}.running"
    if running.exists():
        # A build was cut off: what Sphinx wrote down of it lacks the warnings of pages that it will not read again.
        files.remove(doctrees)
    files.write_if_changed(running, b"")
    problems = _problems(root, source, work, builder, min(len(os.sched_getaffinity(0)), 8), sphinx)
    if problems:
        _forget(problems, source, doctrees)
    files.remove(running)
    return problems


@dataclass(frozen=True)
class Complaint:
    """What Sphinx printed: a file and a line if it named them, a kind such as `ref.numref`, a text."""

    path: str
    line: int
    kind: str
    message: str

    @property
    def rule(self) -> str:
        """The name of the rule that this breaks, as problems have it."""
        type_, _, subtype = self.kind.partition(".")
        if type_ == "bindery":
            return subtype
        if type_ == "toc":
            return "sphinx-toctree"
        return f"sphinx-{subtype or type_}".rstrip("-").replace("_", "-")


def complaints(printed: str) -> Iterator[Complaint]:
    """The warnings and errors in what Sphinx printed, each with the lines that follow it."""
    printed = printed.partition("\nVersions\n========")[0]
    records = list(RECORD.finditer(printed))
    ends = [*(record.start() for record in records), len(printed)][1:]
    for record, end in zip(records, ends, strict=True):
        message = printed[record.start("message") : end].strip()
        if REPEATED.match(message):
            continue
        kind = KIND.search(message)
        names = kind.group("type", "subtype") if kind else ()
        yield Complaint(
            path=record["path"] or "",
            line=int(record["line"] or 0),
            kind=".".join(name for name in names if name),
            message=message[: kind.start()] if kind else message,
        )


def located(complaint: Complaint, root: Path, source: Path) -> Problem:
    """The complaint as a problem of the file that a person wrote, on the line that holds what it quotes."""
    gate = GATE.match(complaint.message)
    if not complaint.path and gate:
        complaint = Complaint(
            f"{source}/{gate['page']}", int(gate["line"] or 0), "exercise.gate", gate[0].split("\n")[0]
        )
    path = _written(complaint.path, root, source)
    # Paths of what was woven mean nothing to an author.
    woven = re.compile(rf"{re.escape(str(source))}/[^\s:,'\"]+")
    message = woven.sub(lambda match: _written(match[0], root, source) or match[0], complaint.message)
    if path is None:
        where = f"{complaint.path}: " if complaint.path else ""
        return Problem(HOME, complaint.rule, where + message)
    lines = (root / path).read_text(encoding="utf-8", errors="replace").splitlines()
    return Problem(Location(path, exact_line(complaint, lines)), complaint.rule, message)


def _problems(
    root: Path, source: Path, work: Path, builder: str, jobs: int, sphinx: Sphinx | None = None
) -> list[Problem]:
    status, printed = _run(sphinx or _start(root), root, source, work, builder, jobs)
    crashed = "\nTraceback\n=========" in printed
    if crashed and jobs > 1:
        # A process that fails in parallel takes along what it had to say. Alone and from the start, it says all.
        files.remove(work / "doctrees" / builder)
        return _problems(root, source, work, builder, jobs=1)
    problems = {located(complaint, root, source) for complaint in complaints(printed)}
    if crashed and not any(problem.rule == "sphinx-gate" for problem in problems):
        problems.add(_crash(printed))
    if status and not problems:
        problems.add(Problem(Location("conf.py", 1), "sphinx", f"Sphinx ended with status {status}", printed.strip()))
    return sorted(problems)


def _start(root: Path) -> Sphinx:
    # Sorted sets make the same bytes every time.
    return subprocess.Popen(
        [sys.executable, "-m", "bindery.sphinxrun", root],
        env=_environment({"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(sphinx: Sphinx, root: Path, source: Path, work: Path, builder: str, jobs: int) -> tuple[int, str]:
    arguments: list[str | Path] = ["-b", builder, "-j", str(jobs), "-c", root, "-d", work / "doctrees" / builder]
    arguments += ["-W", "--keep-going", "-T", "-q", "--no-color", source, work / builder]
    scratch = work / "tmp"  # Sphinx leaves a file there for each crash
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        _, printed = sphinx.communicate(json.dumps({"arguments": arguments, "scratch": scratch}, default=str))
    finally:
        files.remove(scratch)
    return sphinx.returncode, printed


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # Settings of Sphinx that a shell may hold would change what is built.
    return {name: value for name, value in os.environ.items() if not name.startswith("SPHINX")} | dict(more)


def _crash(printed: str) -> Problem:
    traceback = printed.partition("\nTraceback\n=========")[2].partition("\nThe full traceback")[0]
    traceback = textwrap.dedent(traceback.strip("\n"))
    said = [line for line in traceback.splitlines() if line and not line.startswith((" ", "Traceback"))]
    bibliography = BIBLIOGRAPHY.search(traceback)
    if bibliography:
        where = Location("chapters/references.bib", int(bibliography["line"]))
        return Problem(where, "bibliography", f"syntax error: {bibliography['reason']}")
    frames = re.findall(r'File "[^"]*/conf\.py", line (\d+)', traceback)
    reason = ([line for line in said if ": " in line] or said or ["it printed no traceback"])[-1]
    return Problem(
        Location("conf.py", int(frames[-1]) if frames else 1), "sphinx-crash", f"Sphinx failed: {reason}", traceback
    )


def _written(path: str, root: Path, source: Path) -> str | None:
    """Relative to the root, the file that a person wrote for the one that Sphinx names; none if there is none."""
    if not path:
        return None
    named = Path(path)
    if named.suffix == ".ipynb" and named.is_file():
        notebook = json.loads(named.read_text(encoding="utf-8"))
        origin = notebook.get("metadata", {}).get("bindery", {}).get("path", "")
        if (root / origin).is_file():
            return str(origin)
    if named.is_relative_to(source):
        # sphinx-exercise names files without their suffix, to which Sphinx then adds one.
        candidate = root / "chapters" / named.relative_to(source)
        candidates: Sequence[Path] = [candidate, *(candidate.with_suffix(suffix) for suffix in (".md", ".ipynb"))]
    else:
        candidates = [named] if named.is_relative_to(root) else []
    found = next((candidate for candidate in candidates if candidate.is_file()), None)
    return found.relative_to(root).as_posix() if found else None


def exact_line(complaint: Complaint, lines: Sequence[str]) -> int:
    """The line of the chapter that holds what the complaint quotes, if any does; else the one that it names."""
    # Inside a paragraph Sphinx knows only where it begins; what the message quotes stands there or further down.
    quoted = [next(text for text in match.groups() if text) for match in QUOTED.finditer(complaint.message)]
    # Of several things in quotes KaTeX's message has the formula first, the others what matters last. A path may be
    # given from the chapters' folder where the page has it from its own.
    ordered = (
        quoted if complaint.rule == "formula" else [*reversed(quoted), *(text.rpartition("/")[2] for text in quoted)]
    )
    for needle in ordered:
        found = [number for number, line in enumerate(lines, start=1) if needle in line]
        if found:
            return min((number for number in found if number >= complaint.line), default=found[-1])
    return max(1, min(complaint.line, len(lines)))


def _forget(problems: Sequence[Problem], source: Path, doctrees: Path) -> None:
    """Make Sphinx read the pages with problems again: a page that it need not read again gives no warning again."""
    for problem in problems:
        page = Path(problem.location.path)
        if page.suffix not in (".md", ".ipynb") or problem.location == HOME or problem.rule == "sphinx-toctree":
            files.remove(doctrees)
            return
        files.remove((doctrees / page.relative_to("chapters")).with_suffix(".doctree"))

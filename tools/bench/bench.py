"""Measures bindery beside its peers, in one run on one machine: `make bench`.

Two books: a generated one of light sections, which import PyTorch, train for a few hundred steps and draw a plot, and
this one, in profile quick. Each peer has a virtual environment of its own. Times are those of whole commands; what
counts is their ratio.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import nbformat
import peers
from generate import LIGHT, large, light
from imports import library_import
from rich.console import Console

from bindery.execute import notebook_of
from bindery.parse import read_page
from bindery.workshop import Choices, Workshop

ROOT = Path(__file__).resolve().parents[2]
BINDERY = Path(sys.executable).parent / "bindery"
CONF = """\
extensions = ["myst_nb"{more}]
html_theme = "pydata_sphinx_theme"
nb_execution_mode = "{mode}"
nb_execution_timeout = 600
"""
REAL_CONF = """\
extensions = ["myst_nb", "sphinx_copybutton", "sphinx_design", "sphinx_exercise", "sphinxcontrib.bibtex"]
myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"]
bibtex_bibfiles = ["chapters/references.bib"]
bibtex_default_style, bibtex_reference_style = "plain", "author_year"
numfig = math_numfig = True
numfig_secnum_depth = 2
html_theme = "pydata_sphinx_theme"
nb_merge_streams = True
nb_execution_mode = "cache"
nb_execution_timeout = 600
"""
SAVED = ("linear-regression/linear-regression-scratch.md", '"""Forget all gradients."""', '"""Drop all gradients."""')
"""A section, and an edit of a function that it saves."""
PROSE = ("preliminaries/calculus.md", "## Summary\n", "One more sentence.\n\n## Summary\n")
PACKAGES = ("bindery", "torch", "matplotlib", "ipykernel", "nbclient", "nbconvert", "myst-nb", "sphinx")

Row = tuple[str, float, str]


def main() -> None:
    """Measure, and print a table for each book."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=12, help="sections of the light book (default: 12)")
    parser.add_argument("--large", type=int, default=1000, help="sections of the book that is only planned")
    parser.add_argument("--no-real", action="store_true", help="leave out the real book, which takes minutes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        jupyter = peers.environment(folder / "nbconvert", peers.NBCONVERT) / "jupyter"
        sphinx = peers.environment(folder / "myst-nb", (*peers.MYST_NB, *peers.BOOK)) / "sphinx-build"
        print_table(light_book(folder / "light", options.sections, jupyter, sphinx))
        print_table(large_book(folder / "large", options.large))
        print_table(imported_library(folder / "library"))
        if not options.no_real:
            print_table(real_book(folder / "real", jupyter, sphinx))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0))
    print(f"\n{platform.machine()}, {cores} cores, Python {platform.python_version()}, {versions}")


def print_table(rows: Iterable[Row]) -> None:
    """Print what is measured of one book as soon as it is known."""
    print("\n| what | seconds | ratio |\n|---|---|---|")
    for what, seconds, ratio in rows:
        print(f"| {what} | {seconds:.2f} | {ratio} |", flush=True)


def light_book(folder: Path, count: int, jupyter: Path, sphinx: Path) -> list[Row]:
    """Each program on the light book, from nothing, again, and after an edit of prose."""
    light(folder, count)
    pages = sorted((folder / "chapters" / "light").glob("section*.md"))
    write(folder / "conf.py", CONF.format(more=', "bindery.sphinxext"', mode="off"))
    # The peers get the same pages: one folder that Sphinx reads, and one of notebooks.
    peer = folder / "peer"
    shutil.copytree(folder / "chapters", peer)
    write(peer / "conf.py", CONF.format(more="", mode="cache"))
    for page in (peer / "light").glob("section*.md"):
        head = "---\nfile_format: mystnb\nkernelspec: {name: python3}\n---\n"
        page.write_text(head + page.read_text(encoding="utf-8"), encoding="utf-8")
    notebooks = [notebook_of_page(page, folder / "notebooks") for page in pages]

    cells = seconds_of([sys.executable, "-c", bare_code(count)])
    bindery = [BINDERY, "--root", folder, "html"]
    build = [sphinx, "-q", "-b", "html", peer, folder / "peer-html"]
    ours = seconds_of(bindery)
    over = overheads(folder)
    theirs, converted = seconds_of(build), seconds_of(converting(jupyter, folder / "executed", notebooks))
    rows: list[Row] = [
        (f"light book: the cells of {count} sections alone, one process", cells, ""),
        ("light book: bindery html, from nothing", ours, "1"),
        ("light book: jupyter nbconvert --execute", converted, part(ours, converted)),
        ("light book: Sphinx with MyST-NB and its cache, from nothing", theirs, part(ours, theirs)),
        ("light book: bindery, overhead of a section over its cells, median", statistics.median(over), ""),
        ("light book: bindery html, nothing changed", ours := best(bindery), "1"),
        ("light book: Sphinx with MyST-NB, nothing changed", theirs := best(build), part(ours, theirs)),
    ]
    for page in (pages[0], peer / "light" / pages[0].name):
        edit(page, "as usual", "as often")
    ours, theirs = seconds_of(bindery), seconds_of(build)
    return [
        *rows,
        ("light book: bindery html, one sentence changed", ours, "1"),
        ("light book: Sphinx with MyST-NB, one sentence changed", theirs, part(ours, theirs)),
    ]


def real_book(folder: Path, jupyter: Path, sphinx: Path) -> Iterator[Row]:
    """Each program on this book, from nothing, again, and after edits of prose and of a saved function."""
    shutil.copytree(ROOT / "chapters", folder / "chapters")
    shutil.copy(ROOT / "conf.py", folder)
    workshop = Workshop(folder, Choices(), Console(quiet=True))
    tasks = [step.task for step in workshop.steps]
    # Peers get the sections as notebooks, with the small values of profile quick in place.
    peer = folder / "peer" / "chapters"
    shutil.copytree(folder / "chapters", peer)
    notebooks = []
    for task in tasks:
        page = peer / f"{task.section.name}.ipynb"
        (peer / task.section.path.removeprefix("chapters/")).unlink()
        write(page, json.dumps(notebook_of(task)))
        notebooks.append(page)
    write(peer.parent / "conf.py", REAL_CONF)
    library = {"PYTHONPATH": str(workshop.build / "library")}
    mirrors = workshop.build / "standin" / "mirrors.json"
    around = library | ({"D2L_MIRRORS": str(mirrors)} if mirrors.is_file() else {})

    bindery = [BINDERY, "--root", folder, "html"]
    build = [sphinx, "-q", "-b", "html", "-c", peer.parent, peer, folder / "peer-html"]
    convert = converting(jupyter, folder / "executed", notebooks)
    shutil.rmtree(workshop.build)  # what was tangled to make the notebooks
    ours = seconds_of(bindery)
    yield f"this book, {len(tasks)} sections: bindery html, from nothing", ours, "1"
    yield "this book: bindery, overhead of a section over its cells, median", statistics.median(overheads(folder)), ""
    theirs = seconds_of(build, around)
    yield "this book: Sphinx with MyST-NB and its cache, from nothing", theirs, part(ours, theirs)
    converted = seconds_of([*convert, "--allow-errors"], around)
    yield "this book: jupyter nbconvert --execute", converted, part(ours, converted)
    ours, theirs = best(bindery), best(build, around)
    yield "this book: bindery html, nothing changed", ours, "1"
    yield "this book: Sphinx with MyST-NB, nothing changed", theirs, part(ours, theirs)
    name, old, new = PROSE
    edit(folder / "chapters" / name, old, new)
    edit(peer / Path(name).with_suffix(".ipynb"), json.dumps(old)[1:-1], json.dumps(new)[1:-1])
    ours, theirs = seconds_of(bindery), seconds_of(build, around)
    yield "this book: bindery html, one sentence changed", ours, "1"
    yield "this book: Sphinx with MyST-NB, one sentence changed", theirs, part(ours, theirs)
    name, old, new = SAVED
    edit(folder / "chapters" / name, old, new)
    ours = seconds_of(bindery)
    report = json.loads((folder / "build/report/report.json").read_text(encoding="utf-8"))
    again = sum(not section["cached"] for section in report["sections"])
    what = f"this book: bindery html, a saved function changed: {again} of {len(tasks)} sections run"
    # The others cannot know what a change of the library reaches: all must run again, as from nothing.
    yield what, ours, f"{part(ours, converted)} for nbconvert, which must run all"


def large_book(folder: Path, count: int) -> list[Row]:
    """The plan of a book and of one a quarter as large, after a change of prose, and with nothing changed."""
    changed, unchanged = [], []
    for size in (count // 4, count):
        root = folder / str(size)
        large(root, size)
        plan, page = [BINDERY, "--root", root, "plan"], root / "chapters" / "chapter0" / "section0.md"
        times = []
        for _ in range(3):
            page.write_text(page.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
            times.append(seconds_of(plan))
        changed.append(min(times))
        unchanged.append(best(plan))
    what = "sections of 10 code cells and 2 saved blocks"
    ratio = f"{changed[1] / changed[0]:.1f} times that of a quarter"
    return [
        (f"bindery plan, {count // 4} {what}, a sentence more", changed[0], ""),
        (f"bindery plan, {count} {what}, a sentence more", changed[1], ratio),
        (f"bindery plan, {count} {what}, nothing changed", unchanged[1], ""),
    ]


def imported_library(folder: Path) -> list[Row]:
    """The import of this book's library, and that of its dependencies alone."""
    alone, ours = library_import(ROOT, folder)
    return [
        ("this book's library: its dependencies imported alone, processor time", alone, "1"),
        ("this book's library: from d2l import torch, processor time", ours, f"{ours / alone:.2f} times as long"),
    ]


def part(ours: float, theirs: float) -> str:
    """A ratio in words."""
    return f"bindery takes {ours / theirs:.2f} of it"


def overheads(root: Path) -> list[float]:
    """For each section of the last build, its seconds less those of its cells."""
    report = json.loads((root / "build/report/report.json").read_text(encoding="utf-8"))
    return [each["seconds"] - sum(cell["seconds"] for cell in each["cells"]) for each in report["sections"]]


def converting(jupyter: Path, output: Path, notebooks: Sequence[Path]) -> list[str | Path]:
    """The command that runs notebooks one after the other."""
    options = ["nbconvert", "--log-level=ERROR", "--to=notebook", "--execute", f"--output-dir={output}"]
    return [jupyter, *options, "--ExecutePreprocessor.timeout=600", *notebooks]


def seconds_of(command: Sequence[str | Path], around: dict[str, str] | None = None) -> float:
    """How long a command takes, which must succeed."""
    print(*(str(part).partition("\n")[0].rpartition("/")[2] for part in command[:6]), flush=True)
    start = time.perf_counter()
    # Its own programs first, so that kernels are those of its environment.
    path = {"PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ["PATH"]])}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **path, **(around or {})}
    )
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - start


def best(command: Sequence[str | Path], around: dict[str, str] | None = None, of: int = 3) -> float:
    """The least of some times."""
    return min(seconds_of(command, around) for _ in range(of))


def write(path: Path, text: str) -> None:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edit(path: Path, old: str, new: str) -> None:
    """Replace what must be there, once."""
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise SystemExit(f"{path} lacks {old!r}, which is to be edited")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def code_of(text: str) -> list[str]:
    """The code cells of a page."""
    page, _ = read_page("chapters/page.md", text)
    return [cell.source for cell in page.section.code]


def notebook_of_page(page: Path, folder: Path) -> Path:
    """The page's cells as a notebook."""
    cells = [nbformat.v4.new_code_cell(source) for source in code_of(page.read_text(encoding="utf-8"))]  # type: ignore[no-untyped-call]
    target = folder / f"{page.stem}.ipynb"
    write(target, nbformat.writes(nbformat.v4.new_notebook(cells=cells)))  # type: ignore[no-untyped-call]
    return target


def bare_code(count: int) -> str:
    """All code of the light book as one script, without magics."""
    sources = [source for number in range(count) for source in code_of(LIGHT.format(number=number))]
    return "import matplotlib\nmatplotlib.use('svg')\n" + "\n".join(sources).replace("%matplotlib inline\n", "")


if __name__ == "__main__":
    main()

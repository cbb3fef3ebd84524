"""Measures bindery beside its peers, in one run on one machine: `make bench`.

The book is generated: sections that import PyTorch, train for a few hundred steps and draw a plot. All programs are
those of the environment that this runs in. Times are those of whole commands; what counts is their ratio.
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
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from generate import LIGHT, large, light

from bindery.parse import read_page

BIN = Path(sys.executable).parent
CONF = """\
extensions = ["myst_nb"{more}]
html_theme = "pydata_sphinx_theme"
nb_execution_mode = "{mode}"
nb_execution_timeout = 600
"""
PACKAGES = ("bindery", "torch", "matplotlib", "ipykernel", "nbclient", "nbconvert", "myst-nb", "sphinx")


def main() -> None:
    """Measure, print a table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sections", type=int, default=12, help="sections of the light book (default: 12)")
    parser.add_argument("--large", type=int, default=1000, help="sections of the book that is only planned")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        rows = [*light_book(folder / "light", options.sections), *large_book(folder / "large", options.large)]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    print(
        f"\n{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, {versions}"
    )
    print("\n| what | seconds | ratio |\n|---|---|---|")
    for what, seconds, ratio in rows:
        print(f"| {what} | {seconds:.2f} | {ratio} |")


Row = tuple[str, float, str]


def light_book(folder: Path, count: int) -> list[Row]:
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
    notebooks = [notebook_of(page, folder / "notebooks") for page in pages]

    bindery = [BIN / "bindery", "--root", folder, "html"]
    sphinx = [BIN / "sphinx-build", "-q", "-b", "html", peer, folder / "peer-html"]
    nbconvert = [BIN / "jupyter", "nbconvert", "--log-level=ERROR", "--to=notebook", "--execute"]
    nbconvert += [f"--output-dir={folder / 'executed'}", *notebooks]

    cells = seconds_of([sys.executable, "-c", bare_code(count)])
    ours = seconds_of(bindery)
    report = json.loads((folder / "build/report/report.json").read_text(encoding="utf-8"))
    over = [each["seconds"] - sum(cell["seconds"] for cell in each["cells"]) for each in report["sections"]]
    theirs, converted = seconds_of(sphinx), seconds_of(nbconvert)
    rows: list[Row] = [
        (f"the cells of {count} sections alone, one process", cells, ""),
        ("bindery html, from nothing", ours, "1"),
        ("jupyter nbconvert --execute", converted, f"bindery takes {ours / converted:.2f} of it"),
        ("sphinx-build with MyST-NB and its cache, from nothing", theirs, f"bindery takes {ours / theirs:.2f} of it"),
        ("bindery, overhead of a section over its cells, median", statistics.median(over), ""),
    ]
    rows += [
        ("bindery html, nothing changed", ours := best(bindery), "1"),
        ("sphinx-build, nothing changed", theirs := best(sphinx), f"bindery takes {ours / theirs:.2f} of it"),
    ]
    for page in (pages[0], peer / "light" / pages[0].name):
        page.write_text(page.read_text(encoding="utf-8").replace("as usual", "as often"), encoding="utf-8")
    rows += [
        ("bindery html, one sentence changed", ours := seconds_of(bindery), "1"),
        (
            "sphinx-build, one sentence changed",
            theirs := seconds_of(sphinx),
            f"bindery takes {ours / theirs:.2f} of it",
        ),
    ]
    return rows


def large_book(folder: Path, count: int) -> list[Row]:
    """The plan of a book and of one a quarter as large."""
    rows: list[Row] = []
    times = []
    for size in (count // 4, count):
        large(folder / str(size), size)
        times.append(best([BIN / "bindery", "--root", folder / str(size), "plan"]))
        rows.append((f"bindery plan, {size} sections of 10 code cells and 2 saved blocks", times[-1], ""))
    return [*rows[:-1], (*rows[-1][:2], f"{times[1] / times[0]:.1f} times that of a quarter")]


def seconds_of(command: Sequence[str | Path]) -> float:
    """How long a command takes, which must succeed."""
    print(*(str(part).rpartition("/")[2] for part in command[:6]), flush=True)
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - start


def best(command: Sequence[str | Path], of: int = 3) -> float:
    """The least of some times."""
    return min(seconds_of(command) for _ in range(of))


def write(path: Path, text: str) -> None:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def code_of(text: str) -> list[str]:
    """The code cells of a page."""
    page, _ = read_page("chapters/page.md", text)
    return [cell.source for cell in page.section.code]


def notebook_of(page: Path, folder: Path) -> Path:
    """The page's cells as a notebook."""
    read: Callable[[str], nbformat.NotebookNode] = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(cells=[read(source) for source in code_of(page.read_text(encoding="utf-8"))])
    target = folder / f"{page.stem}.ipynb"
    write(target, nbformat.writes(notebook))
    return target


def bare_code(count: int) -> str:
    """All code of the light book as one script, without magics."""
    sources = [source for number in range(count) for source in code_of(LIGHT.format(number=number))]
    return "import matplotlib\nmatplotlib.use('svg')\n" + "\n".join(sources).replace("%matplotlib inline\n", "")


if __name__ == "__main__":
    main()

"""The book itself: every section runs in profile quick, and its wheel works where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pikepdf
import pytest
from building import bindery, run_python
from conftest import REPOSITORY, TESTS
from paper import bookmarks, faults, figures, fonts, in_epub, in_pdf, is_heading, last_line, links, on_site, places

pytestmark = pytest.mark.slow

SIGNATURES = json.loads((TESTS / "signatures.json").read_text(encoding="utf-8"))
"""The names that readers know, with their signatures, as far as the book has come."""

READ_SIGNATURES = """
import inspect, json, sys
from d2l import torch as d2l

def of(function):
    signature = inspect.signature(function)
    plain = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))

found = {}
for name, expected in json.load(sys.stdin).items():
    thing = getattr(d2l, name)
    methods = {} if isinstance(expected, str) else {method: of(getattr(thing, method)) for method in expected}
    found[name] = methods or of(thing)
print(json.dumps(found))
"""

USE_LIBRARY = """
import inspect, pickle
from d2l import torch as d2l

assert d2l.plt.__name__ == "matplotlib.pyplot"
assert "def draw(self, x, y, label, every_n=1):" in inspect.getsource(d2l.ProgressBoard)
assert "def save_hyperparameters(self, ignore=[]):" in inspect.getsource(d2l.HyperParameters)
trainer = pickle.loads(pickle.dumps(d2l.Trainer(max_epochs=3)))
assert (trainer.max_epochs, type(trainer)) == (3, d2l.Trainer)
sums = pickle.loads(pickle.dumps(d2l.Accumulator(2)))
sums.add(1, 2)
assert sums[1] == 2
"""


def test_every_section_has_outputs_and_the_site_shows_them(book: Path) -> None:
    """No section is missing from the report, none failed, and its page tells how its outputs were made."""
    report = json.loads((book / "build/report/report.json").read_text(encoding="utf-8"))
    assert report["problems"] == []
    for section in report["sections"]:
        page = (book / "build/html" / f"{section['section']}.html").read_text(encoding="utf-8")
        assert "Outputs: profile quick (profile full unverified)" in page
    assert len(report["sections"]) >= 9


def test_no_page_shows_a_warning(book: Path) -> None:
    """What goes to standard error would stand on the page, with the name of a folder of the day."""
    told = []
    for page in (book / "build" / "source").rglob("*.ipynb"):
        for cell in json.loads(page.read_text(encoding="utf-8"))["cells"]:
            told += [
                (page.stem, output["text"]) for output in cell.get("outputs", []) if output.get("name") == "stderr"
            ]
    assert told == []


@pytest.mark.parametrize(
    "name",
    ["preliminaries/calculus", "front-matter/notation", "preliminaries/ndarray", "optimization/gd-and-sgd"],
)
def test_a_section_gives_the_same_in_a_fresh_kernel(book: Path, tmp_path: Path, name: str) -> None:
    """The book's kernels were forked from a warm parent; one that starts by itself prints and draws the same."""
    copy = tmp_path / "again"
    shutil.copytree(book / "chapters", copy / "chapters")
    assert bindery(copy, "--kernels", "fresh", "run", "--only", name)[0] == 0
    forked, fresh = (stored_outputs(root, name) for root in (book, copy))
    assert len(forked) > 10
    assert forked == fresh


def stored_outputs(root: Path, name: str) -> list[object]:
    """What the cells of a section gave, those left out that measure time."""
    for entry in (root / "build" / "cache").rglob("*.ipynb"):
        cells = json.loads(entry.read_text(encoding="utf-8"))["cells"]
        if cells[0]["metadata"]["bindery"]["path"] == f"chapters/{name}.md":
            return [cell["outputs"] for cell in cells if "outputs" in cell and "timing" not in cell["metadata"]["tags"]]
    raise AssertionError(f"nothing is stored of {name}")


def test_numbers_of_the_pdf_are_those_of_the_website(book: Path) -> None:
    """Each section, figure, table, equation and exercise has the same number on paper; the PDF is there."""
    expected, printed = on_site(book / "build/html"), in_pdf(book / "build/sphinx/latex/book.aux")
    assert {name: printed.get(name) for name in expected} == expected
    assert len(expected) > 60
    assert (book / "build/pdf/book.pdf").read_bytes().startswith(b"%PDF")


def test_the_epub_is_one_and_has_the_numbers_of_the_website(book: Path, tmp_path: Path) -> None:
    """EPUBCheck finds neither error nor warning; each section, figure, table, equation and exercise has its number."""
    file = book / "build/epub/book.epub"
    assert faults(file) == []
    shutil.unpack_archive(file, tmp_path, "zip")
    assert in_epub(tmp_path) == on_site(book / "build/html")


def test_the_pdf_is_fit_to_print(book: Path) -> None:
    """No page but the half title ends in a heading, and none is without its fonts, links and bookmarks in order.

    A figure is on the page of its first mention in its section, or on the next.
    """
    with pikepdf.open(book / "build/pdf/book.pdf") as pdf:
        ends = [number for number, page in enumerate(pdf.pages) if is_heading(last_line(page))]
        assert ends == [2]
        there = places(pdf)
        assert {place for _, place in links(pdf)} | {place for _, _, place in bookmarks(pdf)} <= set(there)
        assert all(fonts(pdf).values())
        seen = figures(pdf, book / "build/sphinx/latex/book.aux")
        assert len(seen) > 80
        assert {label: pages for label, pages in seen.items() if not 0 <= pages[0] - pages[1] <= 1} == {}
    log = (book / "build/sphinx/latex/book.log").read_text(encoding="utf-8", errors="replace")
    assert "Missing character" not in log


def test_names_and_signatures_are_those_that_readers_know(python: Path, tmp_path: Path) -> None:
    """Code that others wrote against these names finds them with the same arguments and defaults."""
    assert json.loads(run_python(python, READ_SIGNATURES, tmp_path, json.dumps(SIGNATURES))) == SIGNATURES


def test_installed_library_is_made_of_plain_classes(python: Path, tmp_path: Path) -> None:
    """Sources can be inspected and instances pickled, outside the book and its kernels."""
    run_python(python, USE_LIBRARY, tmp_path)


def test_origin_leads_to_the_line_in_the_book(python: Path, tmp_path: Path) -> None:
    """`python -m d2l.origin` names file, line and section."""
    command = [str(python), "-m", "d2l.origin", "Trainer.fit", "update_D"]
    text = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    for line, (path, start) in zip(
        text.splitlines(),
        [
            ("chapters/linear-regression/oo-design.md", "    def fit(self, model, data):"),
            ("chapters/gan/gan.md", "def update_D("),
        ],
        strict=True,
    ):
        file, number = line.split(": ")[1].split(" ")[0].split(":")
        assert file == path
        assert (REPOSITORY / file).read_text(encoding="utf-8").split("\n")[int(number) - 1].startswith(start)


BREAK_IN_SCRIPT = """
import sys
from d2l import torch as d2l
assert sys.excepthook is sys.__excepthook__
from d2l import origin
origin.install()
d2l.Accumulator(2)[5]
"""

BREAK_IN_NOTEBOOK = """
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
shell.run_cell("from d2l import torch as d2l\\nd2l.Accumulator(2)[5]")
for line in ("load_ext", "unload_ext"):
    print("=====")
    shell.run_line_magic(line, "d2l.origin")
    shell.run_cell("d2l.Accumulator(2)[5]")
"""

PLACE = re.compile(r"File \S+d2l/torch/gan\.py.*\n    chapters/gan/gan\.md:(\d+) \(Section 9\.1\)\n")


def test_tracebacks_tell_the_lines_of_the_book(python: Path, tmp_path: Path) -> None:
    """In a script and in a notebook, once one has asked for it; the frame of the library is that of the chapter."""
    script = subprocess.run([python, "-c", BREAK_IN_SCRIPT], capture_output=True, text=True, cwd=tmp_path, check=False)
    notebook = subprocess.run(
        [python, "-c", BREAK_IN_NOTEBOOK], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    before, during, after = re.sub(r"\x1b\[[\d;]*m", "", notebook.stdout).split("=====")
    assert not PLACE.search(before) and not PLACE.search(after)
    chapter = (REPOSITORY / "chapters/gan/gan.md").read_text(encoding="utf-8").split("\n")
    for text in (script.stderr, during):
        (found,) = PLACE.findall(text)
        assert chapter[int(found) - 1] == "        return self.data[idx]"


def test_type_checker_and_linter_find_nothing_in_the_library(book: Path, tmp_path: Path) -> None:
    """mypy (not strict, missing imports ignored) and pyflakes are silent."""
    library = book / "build" / "library" / "d2l"
    mypy = [
        sys.executable,
        "-m",
        "mypy",
        "--ignore-missing-imports",
        "--no-incremental",
        "--config-file=",
        str(library),
    ]
    for command in (mypy, [sys.executable, "-m", "pyflakes", str(library)]):
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_two_builds_give_the_same_wheel(book: Path, tmp_path: Path) -> None:
    """The wheel's bytes depend on the chapters only."""
    copy = tmp_path / "again"
    shutil.copytree(book / "chapters", copy / "chapters")
    subprocess.run([sys.executable, "-m", "bindery", "--root", str(copy), "wheel"], check=True, capture_output=True)
    (first,), (second,) = ((root / "build" / "wheel").glob("*.whl") for root in (book, copy))
    assert second.read_bytes() == first.read_bytes()
    assert zipfile.ZipFile(first).testzip() is None

"""Tangling at its edges: orders, titles and names that could break the library or change what it means."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import page
from test_tangle import ADD_TO_CLASS, book_of, imported

from bindery.book import read_book
from bindery.model import ProblemsFound
from bindery.package import build_wheel
from bindery.tangle import tangle


def test_items_stand_before_what_reads_them(tmp_path: Path) -> None:
    """What moves up in its module for an extension's default takes along the items that it had by then."""
    book = book_of(
        ADD_TO_CLASS,
        "class Box:  #@save\n    pass\n\nSIZES = {}  #@save\nSIZES['s'] = 1  #@save\nfirst = SIZES['s']  #@save\n"
        "@add_to_class(Box)  #@save\ndef size(self, n=first):\n    return n\nSIZES['m'] = 2  #@save",
    )
    with imported(tangle(book), tmp_path) as d2l:
        assert (d2l.Box().size(), d2l.SIZES) == (1, {"s": 1, "m": 2})


def test_names_bound_inside_a_statement_need_nothing(tmp_path: Path) -> None:
    """A loop variable or a class attribute may have the name of a later definition."""
    book = book_of(
        "xs = [n for n in range(3)]  #@save\nn = len(xs)  #@save",
        "class Box:  #@save\n    size = 1\n    other = size\nsize = Box()  #@save",
    )
    with imported(tangle(book), tmp_path) as d2l:
        assert (d2l.n, d2l.size.other) == (3, 1)


def test_a_form_feed_does_not_end_the_class(tmp_path: Path) -> None:
    """Editors show it as a page break; before an extension's line it would undo the indentation."""
    book = book_of(
        ADD_TO_CLASS,
        "class Box:  #@save\n    pass\n@add_to_class(Box)  #@save\ndef size(self):\n\f    n = 1\n    return n",
    )
    with imported(tangle(book), tmp_path) as d2l:
        assert d2l.Box().size() == 1


@pytest.mark.parametrize("title", ["On $\\xi$ and $\\nabla$", 'A "quoted" """title"""', "Two\nlines\n=====\n", "End\\"])
def test_any_title_can_be_told(make_book: Callable[..., Path], tmp_path: Path, title: str) -> None:
    """Titles of book and chapters hold TeX, quotes and line ends; the library imports all the same."""
    heading = title if "\n" in title else f"# {title}\n"
    root = make_book(f"=== chapters/one/index.md\n{heading}\n```{{toctree}}\na\n```\n", a="x = 1  #@save")
    library = tangle(read_book(root))
    with imported(library, tmp_path) as d2l:
        module = sys.modules["d2l.torch.one"]
        assert (d2l.x, module.__doc__) == (
            1,
            f"{' '.join(title.replace('=', '').split())} (chapter 1): the code saved there.",
        )
        assert library.files["d2l/torch/one.py"].split("\n")[7:9] == ["# chapters/one/a.md:4, Section 1.1", "x = 1"]


def test_a_folder_name_is_normalised_as_python_does(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """Some file systems decompose accents; import statements compose them."""
    folder = "nai\u0308ve"
    root = make_book(
        f"=== chapters/index.md\n# T\n\n```{{toctree}}\n:numbered:\n\n{folder}/index\n```\n"
        f"=== chapters/{folder}/index.md\n{page('naive', 'x = 1  #@save')}"
    )
    (root / "chapters" / "one" / "index.md").unlink()
    with imported(tangle(read_book(root)), tmp_path) as d2l:
        assert d2l.x == 1


def test_a_run_of_imports_may_hold_one_with_a_mark_of_its_own() -> None:
    """It is saved once, without its mark."""
    library = tangle(book_of("#@save\nimport os\nimport sys  #@save\nimport re"))
    lines = library.files["d2l/torch/one.py"].split("\n")
    assert [line for line in lines if line.startswith("import")] == ["import os", "import sys", "import re"]


@pytest.mark.slow
def test_a_wheel_that_cannot_be_made_is_a_problem(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """What PyPA's tools refuse is told as they tell it."""
    facts = "title: Tiny\nversion: 0.0.1\nauthors: []\nrequires: ['torch >>> 2']\n"
    book = read_book(make_book(f"=== chapters/book.yml\n{facts}", a="x = 1  #@save"))
    with pytest.raises(ProblemsFound, match=r"(?s)chapters/book.yml:1: no wheel can be made .*torch >>> 2"):
        build_wheel(book.facts, tangle(book), tmp_path / "wheel")

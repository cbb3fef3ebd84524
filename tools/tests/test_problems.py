"""Each problem that bindery can find in a book, with the exact message: one file of `problems/` per case."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TESTS, split_files

from bindery.book import read_book
from bindery.cache import Cache
from bindery.data import choose_data
from bindery.model import ProblemsFound
from bindery.plan import make_plan
from bindery.tangle import tangle

CASES = sorted((TESTS / "problems").glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_problem_is_told_with_file_and_line(case: Path, make_book: Callable[..., Path], tmp_path: Path) -> None:
    """The book of the case has exactly the expected problems."""
    text = case.read_text(encoding="utf-8")
    expected = split_files(text)["expected"]
    root = make_book(text)
    with pytest.raises(ProblemsFound) as found:
        book = read_book(root)
        build = tmp_path / "build"
        make_plan(book, tangle(book), "quick", Cache(tmp_path / "cache"), build, choose_data(book.facts, "real", build))
    actual = "".join(f"{problem}\n" for problem in found.value.problems)
    if os.environ.get("GOLDEN") == "overwrite":
        case.write_text(text.replace(expected, actual), encoding="utf-8")
    assert expected == actual


def test_a_file_that_is_not_utf8_is_told_with_its_line(make_book: Callable[..., Path]) -> None:
    """The other files' problems are told too, but not those that only follow from the missing text."""
    root = make_book(a="x = 1")
    (root / "chapters/index.md").write_bytes(b"# Tiny\n\n\xff\n")
    (root / "chapters/book.yml").write_bytes(b"title: \xff\n")
    (root / "chapters/one/folder.md").mkdir()
    with pytest.raises(ProblemsFound) as found:
        read_book(root)
    assert [str(problem) for problem in found.value.problems] == [
        "chapters/book.yml:1: not UTF-8: invalid start byte [encoding]",
        "chapters/index.md:3: not UTF-8: invalid start byte [encoding]",
    ]

"""Golden books: what tangling and weaving make of whole books, with executions that ran nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import TESTS, assert_golden

from bindery.book import read_book
from bindery.cache import Cache
from bindery.data import choose_data
from bindery.execute import notebook_of
from bindery.model import Execution, Task
from bindery.plan import make_plan
from bindery.tangle import tangle
from bindery.weave import weave

BOOKS = [path for path in sorted((TESTS / "books").iterdir()) if (path / "chapters").is_dir()]
NOT_FROM_THE_BOOK = ("d2l/origin.py", "d2l/py.typed")


def pretend(task: Task) -> Execution:
    """The execution of a section whose cells print nothing, with fixed versions and seconds."""
    facts = {"profile": task.profile, "seconds": 1.5, "environment": {"device": "cpu", "python": "3.11"}}
    notebook = notebook_of(task)
    notebook["metadata"]["bindery"] = {"execution": facts}
    return Execution(task.section.name, notebook, 1.5, (), "cpu", False)


@pytest.mark.parametrize("folder", BOOKS, ids=lambda folder: folder.name)
def test_golden_book(folder: Path, tmp_path: Path) -> None:
    """The library and the woven pages of a book are those in `expected/`."""
    book = read_book(folder)
    library = tangle(book)
    build = tmp_path / "build"
    data = choose_data(book.facts, "real", build)
    steps = make_plan(book, library, "quick", Cache(tmp_path / "cache"), build, data)
    executions = {step.section.name: pretend(step.task) for step in steps}
    actual = {f"library/{path}": text for path, text in library.files.items() if path not in NOT_FROM_THE_BOOK}
    for path, content in weave(book, library, executions).items():
        if not (folder / "chapters" / path).is_file() or (folder / "chapters" / path).read_bytes() != content:
            actual[f"source/{path}"] = content.decode()
    assert_golden(actual, folder / "expected")

"""What was read and tangled is remembered: as long as nothing that it is made from changes, and never longer."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from bindery import workshop
from bindery.book import read_book
from bindery.press import Press
from bindery.recall import made_from, recall
from bindery.tangle import tangle
from bindery.workshop import Choices

SAVED = "#@save\ndef double(x):\n    return 2 * x"


def press(root: Path) -> Press:
    """The book on the workbench, as each command has it."""
    return Press(root, Choices(), Console(file=io.StringIO()))


def use(root: Path) -> None:
    """What a command does that needs the library."""
    shop = press(root)
    assert "double" in shop.library.definitions
    shop.keep()


def never(*_: object) -> None:
    """Stands for what must not be called."""
    raise AssertionError("this must not be called")


def test_a_book_that_nobody_touched_is_not_read_again(
    make_book: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next command has the same book and the same library, and reads neither."""
    root = make_book(a=SAVED)
    first = press(root)
    book, library = first.book, first.library
    first.keep()
    monkeypatch.setattr(workshop, "read_book", never)
    monkeypatch.setattr(workshop, "tangle", never)
    second = press(root)
    assert (second.book, second.library) == (book, library)


@pytest.mark.parametrize("path", ["chapters/one/a.md", "chapters/book.yml", "chapters/one/new.txt"])
def test_every_change_is_read(make_book: Callable[..., Path], path: str) -> None:
    """Of a chapter, of the book's facts, of any file beside them."""
    root = make_book(a=SAVED)
    use(root)
    before = made_from(root)
    with (root / path).open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    assert made_from(root) != before
    after = press(root)
    assert after.book == read_book(root)
    assert after.library == tangle(read_book(root))


@pytest.mark.parametrize("damage", [b"", b"no pickle", b"\x80\x05K\x01."])
def test_what_cannot_be_read_is_not_there(make_book: Callable[..., Path], damage: bytes) -> None:
    """A file that was cut off, or is something else, costs the time to read the chapters."""
    root = make_book(a=SAVED)
    use(root)
    (kept,) = (root / "build").rglob("book.pickle")
    kept.write_bytes(damage)
    assert recall(root / "build", made_from(root)) is None
    assert "double" in press(root).library.definitions


def test_a_chapter_saved_meanwhile_is_not_taken_for_the_older(make_book: Callable[..., Path]) -> None:
    """Going back to the older text reads that."""
    root = make_book(a=SAVED)
    page = root / "chapters/one/a.md"
    older = page.read_text(encoding="utf-8")
    shop = press(root)
    inputs = made_from(root)
    assert shop._inputs == inputs  # the command has begun
    page.write_text(older.replace("double", "twice"), encoding="utf-8")
    assert "twice" in shop.library.definitions
    shop.keep()
    page.write_text(older, encoding="utf-8")
    assert recall(root / "build", inputs) is None
    assert "double" in press(root).library.definitions

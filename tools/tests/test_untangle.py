"""Edits of the library go back to the chapters exactly, or not at all."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import REPOSITORY
from edits import apply, edit_every_block, edit_of, first_of, saved_statements, without_origins
from hypothesis import given, settings
from hypothesis import strategies as st
from oddbook import write_odd_book

from bindery.book import read_book
from bindery.library import Library
from bindery.model import Book, ProblemsFound
from bindery.tangle import tangle
from bindery.untangle import Untangled, untangle

FOLDER = "build/edit"


class Source:
    """The chapters in a folder, and the library that they make."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.book: Book = read_book(root)
        self.library: Library = tangle(self.book)
        self.texts = {s.path: (root / s.path).read_bytes().decode() for s in self.book.sections()}

    def back(self, edited: Mapping[str, str]) -> Untangled:
        """What becomes of the chapters; some files of the library are edited, the others are not."""
        return untangle(self.book, self.library, {**self.library.files, **edited}, self.texts, FOLDER)

    def assert_exact(self, edited: Mapping[str, str]) -> Untangled:
        """Take edits back into the files, tangle these, and find the edited library with new origins."""
        untangled = self.back(edited)
        try:
            for path, text in untangled.texts.items():
                (self.root / path).write_bytes(text.encode())
            again = tangle(read_book(self.root))
        finally:
            for path in untangled.texts:
                (self.root / path).write_bytes(self.texts[path].encode())
        expected = {**self.library.files, **edited}
        for path, text in again.files.items():
            if not path.endswith("_origin.json"):
                assert without_origins(text) == without_origins(expected[path])
        assert again.files == untangled.library.files
        assert_origins(again, {**self.texts, **untangled.texts})
        return untangled


def assert_origins(library: Library, texts: Mapping[str, str]) -> None:
    """Each line that was copied stands on the line of the chapter that the map of origins names."""
    for module, runs in json.loads(library.files["d2l/torch/_origin.json"]).items():
        lines = library.files.get(f"d2l/torch/{module}", "").split("\n")
        for first, last, chapter, start in runs if module != "sections" else ():
            if chapter.endswith("compact.ipynb"):
                continue  # a file of one line
            held = texts[chapter].replace("\r\n", "\n").split("\n")[start - 1 :]
            for number, line in enumerate(lines[first - 1 : last]):
                if chapter.endswith(".ipynb"):
                    held[number] = json.loads(held[number].strip().removesuffix(","))
                assert line.strip() in held[number]  # on its line the mark may follow, or a body that was opened


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A book with saved code in every form."""
    root = tmp_path_factory.mktemp("odd")
    write_odd_book(root)
    return Source(root)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A copy of the real book."""
    root = tmp_path_factory.mktemp("real")
    shutil.copytree(REPOSITORY / "chapters", root / "chapters")
    return Source(root)


def edited_all(source: Source, seed: int) -> tuple[dict[str, str], Counter[str]]:
    """All modules of a book with an edit in each saved block, and how often each edit was made."""
    choice = random.Random(seed)
    found: dict[str, str] = {}
    made: Counter[str] = Counter()
    for path in source.library.lines:
        found[path], names = edit_every_block(source.library.files[path], choice)
        made.update(names)
    return found, made


def test_without_an_edit_no_chapter_changes(real: Source, odd: Source) -> None:
    """Untangling what was tangled gives no text at all, for every block of the real book and of odd ones."""
    assert real.back({}).texts == odd.back({}).texts == {}


@pytest.mark.parametrize("seed", range(12))
def test_an_edit_in_every_block_of_an_odd_book_comes_back(odd: Source, seed: int) -> None:
    """Indented and Windows' cells, notebooks, merged methods, decorators, strings: tangled again, all is as edited."""
    edited, _ = edited_all(odd, seed)
    odd.assert_exact(edited)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_an_edit_in_every_block_of_the_book_comes_back(real: Source, seed: int) -> None:
    """Comments, lines, names, strings and docstrings: no byte of the library is another than the edited one."""
    edited, made = edited_all(real, seed)
    untangled = real.assert_exact(edited)
    assert untangled.texts.keys() == {block.location.path for block in real.library.blocks}
    assert len(made) == 7


@pytest.mark.slow
def test_an_edit_in_one_block_changes_nothing_else(real: Source) -> None:
    """For twenty blocks of the book, each by itself: one chapter changes, on the lines of this block."""
    choice = random.Random(0)
    texts = {path: real.library.files[path] for path in real.library.lines}
    statements = [(path, each) for path, text in texts.items() for each in saved_statements(text, text.split("\n"))]
    sizes = {str(block.location): len(block.source.split("\n")) for block in real.library.blocks}
    for path, statement in choice.sample(statements, 20):
        lines = texts[path].split("\n")
        _, replacements = edit_of(statement, lines, choice)
        [(chapter, text)] = real.back({path: apply(lines, replacements)}).texts.items()
        origin = lines[first_of(statement) - 1].strip().removeprefix("# ").partition(",")[0]
        place, _, number = origin.partition(":")
        assert chapter == place
        start, end = int(number) - 1, int(number) - 1 + sizes[origin]
        old, new = real.texts[chapter].split("\n"), text.split("\n")
        assert new[:start] == old[:start]
        assert new[len(new) - len(old) + end :] == old[end:]


LINES = ["", " ", "pass", "# note", "x = 1", "import math", "return 1", '"""', "'''a", "\\", "@wrap", "```", "#@save"]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(data=st.data())
def test_whatever_is_edited_comes_back_exactly_or_not_at_all(odd: Source, data: st.DataObject) -> None:
    """Lines put in, taken out or replaced anywhere: tangled again, all is as edited, or there are located problems."""
    path = data.draw(st.sampled_from(sorted(odd.library.lines)))
    lines = odd.library.files[path].split("\n")
    for _ in range(data.draw(st.integers(1, 2))):
        start = data.draw(st.integers(0, len(lines) - 1))
        end = min(len(lines), start + data.draw(st.sampled_from([0, 0, 0, 1])))
        indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        new = st.one_of(st.sampled_from(LINES).map(lambda line, indent=indent: indent + line), st.sampled_from(lines))
        lines[start:end] = data.draw(st.lists(new, min_size=1, max_size=2))
    edited = "\n".join(lines)
    try:
        odd.assert_exact({path: edited if edited.endswith("\n") else f"{edited}\n"})
    except ProblemsFound as found:
        assert all(problem.location.path == f"{FOLDER}/{path}" for problem in found.problems)
        assert all(1 <= problem.location.line <= len(lines) for problem in found.problems)

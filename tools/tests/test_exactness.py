"""What runs again after an edit, on random books: exactly what reaches it, and never too little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from randombook import SECTIONS, RandomBook, page

from bindery.book import read_book
from bindery.cache import inputs_of
from bindery.files import write_tree_once
from bindery.library import Library
from bindery.tangle import tangle

EDITS = 20
"""For each of ten books."""

RUN_ALL = """
import contextlib, io, json, os, sys
sections = json.load(sys.stdin)
outputs = {}
for name, code in sections.items():
    reader, writer = os.pipe()
    if os.fork() == 0:  # each section imports the library anew
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, {"__name__": "__main__"})
        os.write(writer, printed.getvalue().encode())
        os._exit(0)
    os.close(writer)
    outputs[name] = open(reader).read()
    assert os.wait()[1] == 0, name
print(json.dumps(outputs))
"""


def keys_of(root: Path) -> tuple[dict[int, str], Library]:
    """The cache key of each section, and the library."""
    book = read_book(root)
    library = tangle(book)
    sections = {section.name: section for section in book.sections()}
    found = {}
    for number in range(SECTIONS):
        section = next(each for name, each in sections.items() if name.endswith(f"/s{number}"))
        found[number] = inputs_of(section, "quick", library, {}).key
    return found, library


def outputs_of(random_book: RandomBook, library: Library, folder: Path) -> dict[int, str]:
    """What each section prints in plain Python, by the library that tangling made; magics are taken off."""
    write_tree_once(folder, {path: text.encode() for path, text in library.files.items()})
    codes = {}
    for number in range(SECTIONS):
        cells = [cell.removeprefix("%%time\n").removeprefix("%time ") for cell in random_book.cells(number)]
        codes[number] = "\n".join(cells)
    command = [sys.executable, "-c", RUN_ALL]
    done = subprocess.run(
        command, input=json.dumps(codes), capture_output=True, text=True, env={"PYTHONPATH": str(folder)}, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {int(number): text for number, text in json.loads(done.stdout).items()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_what_runs_again_is_what_reaches_the_edit(tmp_path: Path, seed: int) -> None:
    """After each of 200 edits the keys that moved are those an independent graph names; no changed output is missed."""
    book = RandomBook(seed)
    book.write(tmp_path / "book")
    keys, library = keys_of(tmp_path / "book")
    outputs = outputs_of(book, library, tmp_path / "libraries" / "0")
    moved = 0
    for count in range(1, EDITS + 1):
        if count % 5 == 0:  # a cell of the section's own
            number = book.random.randrange(SECTIONS)
            book.sections[number].constant += 1
            expected = {number}
        else:
            piece = book.random.choice(book.pieces)
            piece.constant += 1
            expected = book.affected(piece)
        book.write(tmp_path / "book")
        new_keys, library = keys_of(tmp_path / "book")
        new_outputs = outputs_of(book, library, tmp_path / "libraries" / str(count))
        again = {number for number in keys if new_keys[number] != keys[number]}
        changed = {number for number in outputs if new_outputs[number] != outputs[number]}
        assert again == expected, (count, book.pieces)
        assert changed <= again
        moved += len(changed)
        keys, outputs = new_keys, new_outputs
    assert moved > EDITS / 4
    page(
        tmp_path / "book", "part0/s0.md", (tmp_path / "book/chapters/part0/s0.md").read_text().replace("Prose", "Verse")
    )
    assert keys_of(tmp_path / "book")[0] == keys

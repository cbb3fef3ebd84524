"""The library as far as a reader has come, and whether each section can do with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from building import bindery, contents, edit
from conftest import REPOSITORY, TESTS

from bindery import schedule
from bindery.book import read_book
from bindery.cache import Cache
from bindery.data import choose_data
from bindery.files import write_tree_once
from bindery.library import Library
from bindery.model import Execution
from bindery.plan import make_plan
from bindery.tangle import tangle
from bindery.until import book_until, check_until

BOOK = """\
=== chapters/index.md
# Tiny

```{toctree}
:numbered:

one/index
two/index
appendix/index
```
=== chapters/one/index.md
# One

```{toctree}
a
b
```
=== chapters/two/index.md
# Two

```{toctree}
c
```
=== chapters/one/a.md
# A

```{code-cell} python
from d2l import torch as d2l

class Box:  #@save
    def open(self):
        raise NotImplementedError

def first():  #@save
    return 1

d2l.tool()
```
=== chapters/one/b.md
# B

```{code-cell} python
from d2l import torch as d2l

@d2l.add_to_class(d2l.Box)  #@save
def open(self):
    return 2

def second():  #@save
    return d2l.first() + 1
```
=== chapters/two/c.md
# C

```{code-cell} python
from d2l import torch as d2l

def first():  #@save override
    return 3

def third():  #@save
    return 3
```
=== chapters/appendix/index.md
# Appendix

```{code-cell} python
from d2l import torch as d2l

def add_to_class(cls):  #@save
    return lambda f: setattr(cls, f.__name__, f)

def tool():  #@save
    return d2l.first()
```

```{code-cell} python
def late_tool():  #@save
    return d2l.third() + tool()
```

```{code-cell} python
def later_tool():  #@save
    return late_tool()
```

Prose.
"""


@pytest.fixture
def root(make_book: Callable[..., Path]) -> Path:
    """A book of three sections and an appendix."""
    return make_book(BOOK.replace("def first():  #@save override\n    return 3\n\n", ""))


def library_until(root: Path, name: str) -> Library:
    """The library at the end of a section."""
    book = read_book(root)
    return tangle(book_until(book, tangle(book), name))


def test_library_ends_with_the_section(root: Path) -> None:
    """Later names and methods are not there; of the appendix there is what needs none of them."""
    start = library_until(root, "one/a")
    assert sorted(start.definitions) == ["Box", "add_to_class", "first", "tool"]
    assert "raise NotImplementedError" in start.files["d2l/torch/one.py"]
    then = library_until(root, "one/b")
    assert sorted(then.definitions) == ["Box", "add_to_class", "first", "second", "tool"]
    assert "raise NotImplementedError" not in then.files["d2l/torch/one.py"]
    assert "d2l/torch/two.py" not in then.files
    assert library_until(root, "two/c").files == tangle(read_book(root)).files


def test_origins_and_numbers_are_those_of_the_whole_book(root: Path) -> None:
    """What is there is copied from the same lines, with the same comments."""
    whole = tangle(read_book(root)).files["d2l/torch/one.py"].split("\n")
    assert set(library_until(root, "one/b").files["d2l/torch/one.py"].split("\n")) == set(whole)


def test_what_is_replaced_later_is_there_as_it_was(make_book: Callable[..., Path]) -> None:
    """Before an override the reader has the function that it replaces."""
    book = BOOK.replace("=== chapters/two/c.md", "=== chapters/one/c.md").replace("a\nb\n", "a\nb\nc\n")
    book = book.replace("two/index\n", "").replace("=== chapters/two/index.md\n# Two\n\n```{toctree}\nc\n```\n", "")
    root = make_book(book)
    assert "return 1" in library_until(root, "one/b").files["d2l/torch/one.py"]
    assert "return 1" not in library_until(root, "one/c").files["d2l/torch/one.py"]


def test_a_library_has_a_place_of_its_own(root: Path) -> None:
    """The link names the section, `build/library` stays whole, and each leads to a folder that never changes."""
    said = "library: 4 names in 2 modules at the end of Section 1.1, in build/library-until/one/a\n"
    assert bindery(root, "tangle", "--until", "chapters/one/a.md") == (0, said, "")
    assert bindery(root, "tangle", "--until", "one/b")[0] == 0
    links = [root / "build/library-until/one/a", root / "build/library-until/one/b", root / "build/library"]
    assert len({link.resolve() for link in links}) == 3
    assert all(link.is_symlink() and link.resolve().parent == root / "build/libraries" for link in links)
    before = contents(root / "build/library")
    assert bindery(root, "tangle") == bindery(root, "lib")
    assert contents(root / "build/library") == before


def test_an_unknown_section_is_told_with_a_near_one(root: Path) -> None:
    """As everywhere on the command line."""
    status, _, said = bindery(root, "tangle", "--until", "one/bb")
    assert (status, said) == (2, "bindery: no section `one/bb`; did you mean `one/b`?\n")


def check(root: Path) -> list[str]:
    """What lint says of a book's order, from the command line."""
    status, _, complaint = bindery(root, "lint")
    lines = complaint.splitlines()
    assert (status, bool(lines)) in ((0, False), (1, True))
    return lines[:-1]


def test_sections_that_can_do_with_what_came_before_are_let_be(root: Path) -> None:
    """A tool of the appendix may be used early, if it needs nothing that comes later."""
    assert check(root) == []


def test_a_tool_that_needs_what_comes_later_is_told_where_it_is_used(make_book: Callable[..., Path]) -> None:
    """Directly or through another tool, with the name, its section and its line."""
    book = BOOK.replace("    return 2\n", "    return d2l.later_tool()\n").replace(
        "d2l.tool()\n", "d2l.late_tool()\n", 1
    )
    root = make_book(book.replace("def first():  #@save override\n    return 3\n\n", ""))
    assert check(root) == [
        f"chapters/one/{place}: `{tool}` of the appendix needs `third`, which is defined later, in Section 2.1 "
        "(chapters/two/c.md:6) [not-yet-defined]"
        for place, tool in (("a.md:13", "late_tool"), ("b.md:8", "later_tool"))
    ]


def test_a_bare_name_that_a_later_section_saves_is_told(make_book: Callable[..., Path]) -> None:
    """In the library both stand in one module, so tangling has no complaint; a saved import counts, too."""
    book = BOOK.replace("    return 1\n", "    return math.pi + second()\n", 1)
    book = book.replace("def second():", "import math  #@save\n\ndef second():").replace("#@save override", "")
    book = book.replace("def first():  \n    return 3\n\n", "")
    assert check(make_book(book)) == [
        f"chapters/one/a.md:11: `{name}` is defined later, in Section 1.2 (chapters/one/b.md:{line}); move one of "
        "them, or save it here [not-yet-defined]"
        for name, line in (("math", 10), ("second", 12))
    ]


def test_use_before_definition_is_told_once(root: Path) -> None:
    """Tangling tells it; lint tells the same and nothing beside it."""
    edit(root, "one/a.md", "d2l.tool()", "d2l.third()")
    line = "chapters/one/a.md:13: `d2l.third` is used before it is defined at chapters/two/c.md:6"
    assert check(root) == [f"{line} [use-before-definition]"]


def run_with_library_until(root: Path, build: Path, name: str) -> Execution:
    """What a section gives in a kernel that has the library at its end."""
    book = read_book(root)
    shorter = book_until(book, tangle(book), name)
    library = tangle(shorter)
    data = choose_data(book.facts, "real", build)
    write_tree_once(build / "libraries" / library.digest, {path: t.encode() for path, t in library.files.items()})
    steps = make_plan(shorter, library, "quick", Cache(build / "cache"), build, data)
    [execution] = schedule.run([step.task for step in steps if step.section.name == name], 1, lambda event: None)
    return execution


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one/a", "two-words/b"])
def test_a_golden_section_runs_with_the_library_of_its_time(tmp_path: Path, name: str) -> None:
    """It finds all that it uses, in the appendix too."""
    assert run_with_library_until(TESTS / "books" / "both-ways", tmp_path, name).error is None


@pytest.mark.slow
def test_a_section_of_the_book_runs_with_the_library_of_its_time(tmp_path: Path) -> None:
    """The methods that later chapters add are not there, and are not missed."""
    name = "linear-regression/linear-regression-scratch"
    assert run_with_library_until(REPOSITORY, tmp_path, name).error is None


@pytest.mark.slow
def test_every_section_of_the_book_has_its_library(tmp_path: Path) -> None:
    """What lint says of the real book holds: every shorter book tangles, and its library only grows."""
    book = read_book(REPOSITORY)
    whole = tangle(book)
    assert check_until(book, whole) == []
    sizes = []
    for section in list(book.sections())[::6]:
        library = tangle(book_until(book, whole, section.name))
        assert library.definitions.keys() <= whole.definitions.keys()
        sizes.append(len(library.definitions))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] == len(whole.definitions)

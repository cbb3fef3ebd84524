"""What code reaches: prefixes, imports, magics, strings, and what definitions use in turn."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from bindery.book import read_book
from bindery.symbols import free_names, global_names, import_time_uses, runs_at_import, uses_of_cell, uses_of_cells
from bindery.tangle import tangle

NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("source", "names", "whole"),
    [
        ("d2l.plot(d2l.sin)", {"plot", "sin"}, False),
        ("from d2l import torch as d2l", set(), False),
        ("from d2l.torch import plot as p, Timer", {"plot", "Timer"}, False),
        ("from d2l.torch import *", set(), True),
        ("import d2l", set(), True),
        ("from d2l import torch", set(), True),
        ("from d2l.torch.gan import update_D", set(), True),
        ("getattr(d2l, 'plot')", set(), True),
        ("eval('d2l.plot()')", set(), True),
        ("f'{d2l.plot()} d2lx'", {"plot"}, False),
        ("'''About d2l.'''\nx = 1", set(), False),
        ("def f():\n    'uses d2l'\n    return d2l.plot", {"plot"}, False),
        ("plot()", set(), False),
        ("%time d2l.plot()", {"plot"}, False),
        ("%timeit -n 10 -r3 d2l.plot()", {"plot"}, False),
        ("%%time\nd2l.plot()\nx = d2l.sin", {"plot", "sin"}, False),
        ("%%timeit -n1 d2l.setup()\nd2l.plot()", {"plot", "setup"}, False),
        ("%%capture out\nd2l.plot()", {"plot"}, False),
        ("%matplotlib inline\nd2l.plot()", {"plot"}, False),
        ("%%writefile x.py\nimport d2l", set(), True),
        ("%run -m d2l.origin plot", set(), True),
        ("!python -c 'from d2l import torch'", set(), True),
        ("files = !ls\nx = 1", set(), False),
        ("d2l.plot?", set(), True),
        ("get_ipython().push(d2l)", set(), True),
        ("def broken(:\n  d2l.plot", set(), True),
        ("def broken(:", set(), False),
    ],
)
def test_cell_uses(source: str, names: set[str], whole: bool) -> None:
    """The names of the library that a cell uses, and whether it could use any."""
    uses = uses_of_cell(source)
    assert (names, whole) == (set(uses.names), uses.whole)


def test_modules_that_cells_import() -> None:
    """Top-level modules, the library left out, wherever the import stands."""
    sources = ["import torch.nn as nn, os\nfrom d2l import torch as d2l", "def f():\n    from PIL import Image"]
    assert {"torch", "os", "PIL"} == uses_of_cells(sources).modules


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a, b=c):\n    d = a + e\n    return [i for i in d]", {"c", "e"}),
        ("class A(B):\n    x = y\n    def g(self):\n        return A, x", {"B", "y", "x"}),
        ("def f():\n    global n\n    n = 1", set()),
        ("x: int = 3", {"int"}),
        ("@w\ndef f() -> r: return f", {"w", "r"}),
        ("def outer():\n    z = 1\n    def inner():\n        return z", set()),
    ],
)
def test_free_names(source: str, expected: set[str]) -> None:
    """Globals that code reads without binding them."""
    assert expected == free_names(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    global n\n    n += 1\n    m = n", {"f", "n"}),
        ("class A:\n    rate = rate\n    other = 1", {"A", "rate"}),
        ("def f(a):\n    return [b for b in a] + c", {"f", "c"}),
    ],
)
def test_global_names(source: str, expected: set[str]) -> None:
    """Globals that code reads or changes, those of its own name too."""
    assert expected == global_names(source)


def test_lines_of_uses_are_those_of_the_cell() -> None:
    """Each name has its first line, through magics and continued shell lines."""
    cell = "!ls \\\n  -l\n%time d2l.a()\ndef f():\n    return [d2l.b]\nd2l.b"
    assert uses_of_cell(cell).lines == {"a": 3, "b": 5}
    assert uses_of_cell("  \n%%time\n\nd2l.a()").lines == {"a": 4}


@pytest.mark.parametrize(
    ("source", "names", "runs"),
    [
        ("def f(a=b, *, c: d = e) -> g:\n    return h()", {"b", "d", "e", "g"}, False),
        ("x = f(1)", {"f"}, True),
        ("x = dict(a=len([1]))", {"dict", "len"}, False),
        ("class A(d2l.Base, metaclass=M):\n    pass", {"Base", "M"}, True),
        ("class A:\n    x = make()\n", {"make"}, True),
        ("class A:\n    def f(self):\n        return make()", set(), False),
        (
            "class A:\n    @property\n    def f(self): ...\n    @f.setter\n    def f(self, v): ...",
            {"property"},
            False,
        ),
        ("@torch.no_grad()\ndef f(): ...", {"torch"}, True),
        ("@cached\ndef f(): ...", {"cached"}, True),
        ("x = lambda n=y: f(n)", {"y"}, False),
        ("x = [n + m for n in y]", {"m", "y"}, False),
        ("class A:\n    x = 1\n    y = x + z", {"z"}, False),
        ("x = x + 1", {"x"}, False),
    ],
)
def test_import_time(source: str, names: set[str], runs: bool) -> None:
    """What importing a statement evaluates, and whether it calls anything but builtins."""
    statement = ast.parse(source).body[0]
    assert (names, runs) == (set(import_time_uses(statement)), runs_at_import(statement, NOTHING))


def test_a_builtin_that_the_library_replaces_is_a_call_like_any_other() -> None:
    """`len` is not a builtin where the library saves its own."""
    assert runs_at_import(ast.parse("x = len([])").body[0], {"len"})


BOOK = """\
=== chapters/one/a.md
# A

```{code-cell} python
import math  #@save

def helper(x):  #@save
    return math.floor(x)

def other():  #@save
    return 1

class Base:  #@save
    def f(self):
        return helper(1)

class Child(Base):  #@save
    pass

TABLE = {}  #@save

def add_to_class(C):  #@save
    return lambda f: setattr(C, f.__name__, f)

@add_to_class(Base)  #@save
def g(self):
    return other()

TABLE["x"] = 1  #@save

registered = len(str(other()))  #@save

def count():  #@save
    global registered
    registered += 1
```
"""


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("d2l.helper(1)", {"helper", "math"}),
        ("d2l.Child()", {"Child", "Base", "helper", "other", "math"}),
        ("d2l.TABLE", {"TABLE"}),
        ("helper(1)", set()),
        ("d2l.count()", {"count", "registered", "other"}),
        (
            "d2l.one.helper",
            {"helper", "math", "other", "Base", "Child", "TABLE", "add_to_class", "count", "registered"},
        ),
        ("from d2l import torch as d2l", {"registered", "other"}),
        ("from d2l.torch import helper", {"helper", "math", "registered", "other"}),
    ],
)
def test_reach_is_transitive(make_book: Callable[..., Path], cell: str, expected: set[str]) -> None:
    """Bases, merged extensions, items and import-time calls come along; a class's extensions do not bring the tool."""
    library = tangle(read_book(make_book(BOOK)))
    assert expected == {definition.names[0] for definition in library.reach(uses_of_cell(cell))}


def test_whole_library_is_reached_by_a_bare_mention(make_book: Callable[..., Path]) -> None:
    """`dir(d2l)` and `d2l.__all__` could show any name."""
    library = tangle(read_book(make_book(BOOK)))
    assert set(library.definitions) == {d.names[0] for d in library.reach(uses_of_cell("dir(d2l)"))}
    assert set(library.definitions) == {d.names[0] for d in library.reach(uses_of_cell("d2l.__all__"))}


def test_an_address_mentions_no_library() -> None:
    """A URL whose host begins like the library reaches none of it; text that could be run does."""
    assert not uses_of_cell("DATA_URL = 'http://d2l-data.example/'").whole
    for text in ("d2l.plot", "from d2l import torch", "import d2l", "d2l"):
        assert uses_of_cell(f"run({text!r})").whole


def test_definitions_hold_extensions_and_items(make_book: Callable[..., Path]) -> None:
    """The sources of a name are its block, then what is added to it in book order."""
    library = tangle(read_book(make_book(BOOK)))
    assert library.definitions["TABLE"].sources == ("TABLE = {}", 'TABLE["x"] = 1')
    assert "def g(self):\n    return other()" in library.definitions["Base"].sources[1]

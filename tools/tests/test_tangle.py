"""Tangling: the library means what the section's code means."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from conftest import TESTS, page
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bindery.book import read_book
from bindery.files import write_tree
from bindery.library import Library
from bindery.model import Book, Cell, Chapter, Location, Section
from bindery.settings import Facts, SectionSettings
from bindery.tangle import import_groups, tangle

ADD_TO_CLASS = """\
def add_to_class(Class):  #@save
    def wrapper(thing):
        setattr(Class, getattr(thing, "fget", thing).__name__, thing)
    return wrapper"""


@contextmanager
def imported(library: Library, folder: Path) -> Iterator[ModuleType]:
    """The library as an imported module; forgotten afterwards."""
    write_tree(folder, {path: text.encode() for path, text in library.files.items()})
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module("d2l.torch")
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.split(".")[0] == "d2l"]:
            del sys.modules[name]


def book_of(*sources: str) -> Book:
    """A book of one section with these code cells."""
    cells = tuple(Cell("code", source, Location("chapters/one/a.md", 10 * n)) for n, source in enumerate(sources, 1))
    section = Section("chapters/one/a.md", "A", "", cells, SectionSettings(), "1.1")
    index = Section("chapters/index.md", "T", "", (), SectionSettings())
    chapter = Chapter("one", "One", "1", None, (section,))
    return Book(Path(), Facts(title="T", version="1", authors=()), index, (chapter,))


def test_library_of_chapters_that_extend_each_other_imports(tmp_path: Path) -> None:
    """Bases, extensions and items from any chapter work, and classes show their merged methods."""
    library = tangle(read_book(TESTS / "books" / "both-ways"))
    with imported(library, tmp_path) as d2l:
        square = d2l.Square()
        assert (square.area(scale=1), square.name(), square.label) == (2, "better", "shape\nof 4 sides")
        assert d2l.SIZES == {"small": 1, "large": 3}
        assert "return scale * d2l.largest([1.5, 2])" in inspect.getsource(d2l.Shape)
        assert d2l.Empty().added() == 1
        assert d2l.Shape.__module__ == "d2l.torch.one"


def test_every_line_maps_to_the_chapter_line_it_was_copied_from(tmp_path: Path) -> None:
    """The line map gives for each line of saved code the chapter line with the same text."""
    folder = TESTS / "books" / "both-ways"
    library = tangle(read_book(folder))
    with imported(library, tmp_path):
        find_line: Callable[[str, int], tuple[str, int] | None] = importlib.import_module("d2l.origin").find_line
        mapped = 0
        for path, text in library.files.items():
            if path.startswith("d2l/torch/") and path.endswith(".py") and "__init__" not in path:
                for number, line in enumerate(text.split("\n"), 1):
                    origin = find_line(path, number)
                    if origin:
                        original = (folder / origin[0]).read_text(encoding="utf-8").split("\n")[origin[1] - 1]
                        assert line.strip().rstrip(":") in original
                        mapped += bool(line.strip())
        assert mapped == 36


def test_a_mark_in_a_string_is_not_a_mark() -> None:
    """Only comments mark; the string stays what it was."""
    library = tangle(book_of('#@save\ntext = """\n#@save\nx = 1  #@save\n"""'))
    assert list(library.definitions) == ["text"]
    assert 'text = """\n#@save\nx = 1  #@save\n"""' in library.files["d2l/torch/one.py"]


def test_a_continuation_line_at_column_zero_belongs_to_its_statement() -> None:
    """The end of a statement is Python's, not that of its indentation."""
    library = tangle(book_of("def f(x):  #@save\n    y = [\n1, 2]\n    return y"))
    assert "def f(x):\n    y = [\n1, 2]\n    return y\n" in library.files["d2l/torch/one.py"]


def test_definitions_needed_at_import_come_first(tmp_path: Path) -> None:
    """An extension's default may call what is saved after the class: the library puts that before it."""
    book = book_of(
        ADD_TO_CLASS,
        "class Box:  #@save\n    pass\n\ndef make():  #@save\n    return 5\n\n"
        "@add_to_class(Box)  #@save\ndef size(self, n=make()):\n    return n",
    )
    with imported(tangle(book), tmp_path) as d2l:
        assert d2l.Box().size() == 5


def test_an_overridden_function_may_be_used_before_its_override(tmp_path: Path) -> None:
    """What counts for the order is where the name is first defined; the library holds the last body, in that place."""
    book = book_of(
        "def f():  #@save\n    return 1\n\ny = 2  #@save", "d2l.f()", "def f():  #@save override\n    return 3"
    )
    library = tangle(book)
    assert list(library.definitions) == ["f", "y"]
    with imported(library, tmp_path) as d2l:
        assert d2l.f() == 3


def test_head_imports_just_what_is_used_in_groups() -> None:
    """Standard library before packages, `import` before `from`, members of one module together."""
    sources = ["from torch import nn", "import torch", "import math", "from torch import cuda", "import os.path"]
    expected = ["import math", "import os.path", "", "import torch", "from torch import cuda, nn"]
    assert expected == import_groups(sources)


def test_prose_changes_neither_reach_nor_code(make_book: Callable[..., Path]) -> None:
    """What keys are made of does not move with the lines; only origins do."""
    before = tangle(read_book(make_book(a="x = 1  #@save")))
    after = tangle(
        read_book(make_book("=== chapters/one/a.md\n" + page("a", "x = 1  #@save").replace("A\n", "A\n\nText.\n")))
    )
    assert before.definitions["x"].sources == after.definitions["x"].sources
    assert before.digest != after.digest


WORDS = st.text(
    st.characters(
        codec="utf-8", exclude_characters="\\\r\x0c\x00\x1c\x1d\x1e\x85\u2028\u2029", exclude_categories=["Cs", "Cc"]
    ),
    max_size=8,
)
LINES = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)


def quoted(text: str) -> str:
    """The text as a triple-quoted literal, its lines as they are."""
    return '"""' + text.replace('"', "'") + ' """'


EXPRESSIONS = st.one_of(
    st.integers(-9, 9).map(str),
    LINES.map(quoted),
    LINES.map(lambda text: "f" + quoted(text.replace("{", "(").replace("}", ")") + "\n{1 + 1}\n  {'x'!r:>4}")),
    st.lists(st.integers(0, 9), max_size=3).map(lambda numbers: "[\n" + ",\n".join(map(str, numbers)) + "\n]"),
    st.just("(lambda n=2: n * \\\n  2)()"),
    st.just("sum(i for i in range(4)\n if i % 2)"),
    st.just("len('''a\n   #@save\n''')"),
)


@st.composite
def functions(draw: st.DrawFn, name: str, first: str = "") -> str:
    """The text of a function whose result and docstring can be compared."""
    indent = draw(st.sampled_from(["  ", "    ", "\t"]))
    lines = [f"def {name}({first}n={draw(EXPRESSIONS)}):"]
    if draw(st.booleans()):
        lines.append(indent + quoted(draw(LINES)))
    if draw(st.booleans()):
        lines += ["# a comment at the margin", "", f"{indent}if n:", f"{indent}{indent}pass  # deeper"]
    return "\n".join([*lines, f"{indent}return (n,", f"  {draw(EXPRESSIONS)})"])


def saved(text: str) -> str:
    """The statement, marked on the line above."""
    return f"#@save\n{text}"


@st.composite
def programs(draw: st.DrawFn) -> list[str]:
    """Cells that save values, functions, classes and extensions of these classes."""
    cells = [ADD_TO_CLASS]
    for number in range(draw(st.integers(1, 2))):
        cells.append(saved(f"value{number} = {draw(EXPRESSIONS)}"))
        cells.append(saved(draw(functions(f"function{number}"))))
        body = draw(st.sampled_from([": pass", ":\n  field = 1", ":\n\tdef later(self):\n\t\t...", ": x = 1; y = 2"]))
        cells.append(saved(f"class Class{number}{body}"))
        for method in draw(st.lists(st.sampled_from(["later", "other"]), unique=True)):
            target = draw(st.sampled_from([f"Class{number}", f"d2l.Class{number}"]))
            prefix = draw(st.sampled_from(["", "d2l."]))
            text = draw(functions(method, "self, "))
            cells.append(saved(f"@{prefix}add_to_class({target})\n{text}"))
    return cells


class _Prefix(SimpleNamespace):
    """Lets cells say `d2l.NAME` for a name of their own namespace."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(_namespace=namespace)

    def __getattr__(self, name: str) -> Any:
        return self._namespace[name]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs())
def test_tangling_keeps_the_meaning_of_any_code(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    """Values, results, docstrings and methods of the library are those of the cells, run one after another."""
    namespace: dict[str, Any] = {}
    namespace["d2l"] = _Prefix(namespace)
    for cell in cells:
        exec(cell, namespace)
    library = tangle(book_of(*cells))
    with imported(library, tmp_path_factory.mktemp("library")) as d2l:
        for name in library.definitions:
            mine, theirs = getattr(d2l, name), namespace[name]
            if inspect.isclass(mine):
                for method in ("later", "other"):
                    assert hasattr(theirs, method) == hasattr(mine, method)
                    if hasattr(theirs, method):
                        assert getattr(theirs(), method)() == getattr(mine(), method)()
                        assert getattr(theirs, method).__doc__ == getattr(mine, method).__doc__
            elif callable(mine) and name != "add_to_class":
                assert (theirs(), theirs.__doc__) == (mine(), mine.__doc__)
            elif name != "add_to_class":
                assert theirs == mine

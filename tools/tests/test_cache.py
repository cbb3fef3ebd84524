"""The cache key: what moves it, what does not, and what an entry gives back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bindery import cache as cache_module
from bindery.book import read_book
from bindery.cache import Cache, inputs_of, versions_of
from bindery.data import choose_data
from bindery.execute import notebook_of
from bindery.model import Book, Execution, Problem, Task
from bindery.plan import Step, make_plan, remember_inputs
from bindery.tangle import tangle

BOOK = """\
=== chapters/book.yml
title: Tiny
version: 0.0.1
authors: []
data: {points: {files: {"https://example.org/points.csv": 5c1f9a3be0d47286ac51e93f0b7d2468ace13579}}}
=== chapters/one/a.md
---
bindery:
  quick: {n: 1}
  data: [points]
---
# A

Prose.

```{code-cell} python
:tags: [parameters]

n = 10
```

```{code-cell} python
from d2l import torch as d2l
import numpy
```

```{code-cell} python
def used():  #@save
    return 1

def unused():  #@save
    return 2
```

```{code-cell} python
d2l.used()
```
"""

CHANGES = [
    ("Prose.", "Other prose, longer.\n\nMuch longer.", False),
    ("# A", "# Another title", False),
    (":tags: [parameters]", ":tags: [parameters, timing]", False),
    ("def used():  #@save\n    return 1", "def used():  #@save\n    return 3", True),
    ("title: Tiny", "title: Other", False),
    ("version: 0.0.1", "version: 0.0.2", False),
    ("quick: {n: 1}", "quick: {n: 2}", True),
    ("5c1f", "5c1e", True),
    ("n = 10", "n = 11", True),
    ("quick: {n: 1}", "quick: {n: 1.0e+0}", True),
    ("bindery:\n", "bindery:\n  timeout: 7\n", False),
    (":tags: [parameters]", ":tags: [parameters, raises-exception]", True),
]


def checksums(book: Book) -> dict[str, str]:
    """Those of the real data sets."""
    return choose_data(book.facts, "real", Path("build")).checksums


def key_of(root: Path, profile: str = "quick") -> str:
    """The key of the book's only section with code."""
    book = read_book(root)
    section = next(section for section in book.sections() if section.code)
    return inputs_of(section, profile, tangle(book), checksums(book)).key


@pytest.mark.parametrize(("old", "new", "moves"), CHANGES)
def test_what_moves_the_key(make_book: Callable[..., Path], old: str, new: str, moves: bool) -> None:
    """Code, reached definitions, injected values, data and tags that change a run do; prose and display do not."""
    assert old in BOOK
    before = key_of(make_book(BOOK))
    assert moves == (before != key_of(make_book(BOOK.replace(old, new))))


def test_a_definition_that_is_not_reached_does_not_move_the_key_of_another_section(
    make_book: Callable[..., Path],
) -> None:
    """A section depends on the library names that it reaches, not on the library."""
    cells = """
=== chapters/one/index.md
# One

```{toctree}
a
b
```
=== chapters/one/b.md
# B

```{code-cell}
d2l.used()
```
"""

    def key(text: str) -> str:
        book = read_book(make_book(text + cells))
        section = next(section for section in book.sections() if section.name == "one/b")
        return inputs_of(section, "quick", tangle(book), checksums(book)).key

    before = key(BOOK)
    assert before == key(BOOK.replace("return 2", "return 5"))
    assert before != key(BOOK.replace("return 1", "return 5"))


@pytest.mark.parametrize(
    ("written", "injected"),
    [("1e-3", "0.001"), ("1.5e3", "1500.0"), ("2020-01-01", "'2020-01-01'"), ("[1, x]", "[1, 'x']")],
)
def test_injected_values_are_what_authors_mean(make_book: Callable[..., Path], written: str, injected: str) -> None:
    """YAML 1.1 takes `1e-3` for text and has dates, of which Python's text would need an import."""
    book = read_book(make_book(BOOK.replace("{n: 1}", f"{{n: {written}}}")))
    section = next(section for section in book.sections() if section.code)
    assert inputs_of(section, "quick", tangle(book), checksums(book)).injected == f"n = {injected}"


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"inputs": {}, "seconds": null}'])
def test_a_damaged_history_counts_as_missing(make_book: Callable[..., Path], tmp_path: Path, damage: str) -> None:
    """The plan then knows neither what changed nor how long it took."""
    (tmp_path / "history" / "quick" / "one").mkdir(parents=True)
    (tmp_path / "history" / "quick" / "one" / "a.json").write_text(damage)
    (step,) = steps_of(make_book(BOOK), tmp_path)
    assert (step.changes, step.task.need.seconds) == (("it has not run yet",), None)


def test_profile_full_injects_nothing(make_book: Callable[..., Path]) -> None:
    """The two profiles have different keys where quick has values."""
    root = make_book(BOOK)
    assert key_of(root, "quick") != key_of(root, "full")


def test_versions_are_those_of_distributions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules lead to the distributions that hold them, whatever these are called; the standard library to none."""
    found = versions_of(frozenset({"numpy", "yaml", "math", "PIL", "no_such_module"}))
    assert {"numpy", "pyyaml", "pillow"} == set(found)


def steps_of(root: Path, build: Path) -> list[Step]:
    """The plan of a book."""
    book = read_book(root)
    return make_plan(book, tangle(book), "quick", Cache(build / "cache"), build, choose_data(book.facts, "real", build))


def good(task: Task) -> Execution:
    """A result of a task that did not run."""
    return Execution(task.section.name, notebook_of(task), 1.25, (0.5,), "cpu", cached=False, memory=0.5)


def test_a_kept_result_is_found_again(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """What is stored comes back, marked as cached, with the facts of its making."""
    (step,) = steps_of(make_book(BOOK), tmp_path)
    cache = Cache(tmp_path / "cache")
    kept = cache.keep(step.task, good(step.task))
    found = cache.find(step.section, step.task.key, step.task.environment)
    assert found
    assert (True, 1.25, 0.5, kept.notebook) == (found.cached, found.seconds, found.memory, found.notebook)
    assert found.notebook["metadata"]["bindery"]["execution"]["profile"] == "quick"


def test_a_failed_run_is_not_kept(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """The next build runs it again."""
    (step,) = steps_of(make_book(BOOK), tmp_path)
    cache = Cache(tmp_path / "cache")
    failed = good(step.task)
    problem = Problem(step.section.code[0].location, "cell-raised", "no")
    cache.keep(step.task, Execution(failed.section, failed.notebook, 1.0, (), "cpu", False, problem))
    assert cache.find(step.section, step.task.key, step.task.environment) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"metadata": {}}'])
def test_a_damaged_entry_counts_as_missing(make_book: Callable[..., Path], tmp_path: Path, damage: str) -> None:
    """A cut-off file makes the section run again."""
    (step,) = steps_of(make_book(BOOK), tmp_path)
    cache = Cache(tmp_path / "cache")
    cache.keep(step.task, good(step.task))
    cache.path(step.task.key, step.task.environment).write_text(damage)
    assert cache.find(step.section, step.task.key, step.task.environment) is None
    assert cache.damaged == {step.section.name}


def test_an_entry_with_another_byte_counts_as_missing(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """A number that changed on the disk would otherwise stand on a page."""
    (step,) = steps_of(make_book(BOOK), tmp_path)
    cache = Cache(tmp_path / "cache")
    cache.keep(step.task, good(step.task))
    path = cache.path(step.task.key, step.task.environment)
    content = path.read_bytes()
    assert b"n = 10" in content
    path.write_bytes(content.replace(b"n = 10", b"n = 19"))
    assert cache.find(step.section, step.task.key, step.task.environment) is None
    path.write_bytes(content)
    assert cache.find(step.section, step.task.key, step.task.environment)


def test_another_environment_is_another_entry(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """The same key made with another version of a package does not count."""
    (step,) = steps_of(make_book(BOOK), tmp_path)
    cache = Cache(tmp_path / "cache")
    cache.keep(step.task, good(step.task))
    other = {**step.task.environment, "numpy": "1.0"}
    assert cache.find(step.section, step.task.key, other) is None


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("n = 10", "n = 11", ("cell `1` changed",)),
        ("return 1", "return 3", ("cell `4` changed", "library name `used` changed")),
        ("{n: 1}", "{n: 4}", ("injected value `n` changed: 1 → 4",)),
        ("5c1f", "5c1e", ("data set `points` changed",)),
        (
            "import numpy",
            "import yaml",
            ("cell `3` changed", "environment `numpy` is gone", "environment `pyyaml` is new"),
        ),
    ],
)
def test_plan_says_what_changed(
    make_book: Callable[..., Path], tmp_path: Path, old: str, new: str, changes: tuple[str, ...]
) -> None:
    """After a good run, an edit is named by kind and name; a second plan of the same text has nothing to run."""
    (step,) = steps_of(make_book(BOOK), tmp_path)
    assert step.changes == ("it has not run yet",)
    execution = Cache(tmp_path / "cache").keep(step.task, good(step.task))
    remember_inputs(tmp_path, [step], [execution])
    (again,) = steps_of(make_book(BOOK), tmp_path)
    assert (again.cached is not None, again.changes, again.task.need.seconds) == (True, (), 1.25)
    (edited,) = steps_of(make_book(BOOK.replace(old, new)), tmp_path)
    assert (None, changes) == (edited.cached, edited.changes)


def test_an_editable_distribution_is_known_by_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version stays as it is while its code changes, and results made with the old code must not be used."""
    (tmp_path / "growing").mkdir()
    (tmp_path / "growing" / "__init__.py").write_text("x = 1\n")
    facts = tmp_path / "growing-2.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: growing\nVersion: 2.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def version() -> str:
        cache_module._version.cache_clear()
        return versions_of(frozenset({"growing"}))["growing"]

    assert version() == "2.0"
    (facts / "direct_url.json").write_text('{"url": "file:///growing", "dir_info": {"editable": true}}')
    first = version()
    assert first.startswith("2.0+")
    assert version() == first
    (tmp_path / "growing" / "__init__.py").write_text("x = 2\n")
    assert version() != first

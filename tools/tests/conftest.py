"""What the tests share: books written as one text, goldens, and the order from fast to slow."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from building import BOOK, bindery, environment_with, write

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent.parent

BASE = {
    "chapters/book.yml": "title: Tiny\nversion: 0.0.1\nauthors: [{name: Ada}]\n",
    "chapters/index.md": "# Tiny\n\n```{toctree}\n:numbered:\n\none/index\n```\n",
    "chapters/one/index.md": "# One\n\n```{toctree}\na\n```\n",
}
"""The files that a test's book has unless it brings its own."""


def pytest_configure() -> None:
    """Let Ctrl-C interrupt, also where the tests were started in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def split_files(text: str) -> dict[str, str]:
    """The files in a text in which each begins with a line `=== path`."""
    files: dict[str, str] = {}
    for part in ("\n" + text).split("\n=== ")[1:]:
        path, _, content = part.partition("\n")
        files[path.strip()] = content if content.endswith("\n") else content + "\n"
    return files


@pytest.fixture
def make_book(tmp_path: Path) -> Callable[..., Path]:
    """Writes a book below the test's folder and gives its root; files not given are those of a tiny book."""

    def make(text: str = "", /, **cells: str) -> Path:
        files = {**BASE, **split_files(text)}
        for name, source in cells.items():
            files[f"chapters/one/{name}.md"] = page(name, source)
        for path, content in files.items():
            target = tmp_path / "book" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
        return tmp_path / "book"

    return make


def page(name: str, *sources: str) -> str:
    """A section with these code cells."""
    cells = "\n\n".join(f"```{{code-cell}} python\n{source}\n```" for source in sources)
    return f"# {name.capitalize()}\n\n{cells}\n"


def assert_golden(actual: dict[str, str], folder: Path) -> None:
    """Compare files with those of a folder; GOLDEN=overwrite rewrites the folder instead (then read the diff)."""
    if os.environ.get("GOLDEN") == "overwrite":
        for old in sorted(folder.rglob("*"), reverse=True):
            if old.is_file():
                old.unlink()
        for path, text in actual.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    expected = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert expected == actual


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book that has been built once."""
    root = tmp_path_factory.mktemp("built") / "book"
    write(root, BOOK)
    shutil.copy(REPOSITORY / "conf.py", root)
    assert bindery(root, "all")[::2] == (0, "")
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """A copy of the built book, to be changed."""
    return Path(shutil.copytree(built, tmp_path / "book", symlinks=True))


@pytest.fixture(scope="session")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book that has everything a PDF can hold, with its site and its PDF."""
    root = tmp_path_factory.mktemp("printed") / "book"
    write(root, (TESTS / "paper.txt").read_text(encoding="utf-8"))
    shutil.copy(REPOSITORY / "conf.py", root)
    assert bindery(root, "html")[::2] == (0, "")
    assert bindery(root, "pdf")[::2] == (0, "")
    return root


@pytest.fixture
def printed_copy(printed: Path, tmp_path: Path) -> Path:
    """A copy of that book, to be changed."""
    return Path(shutil.copytree(printed, tmp_path / "book", symlinks=True))


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the real book with all its products, made as `make all` makes them; those that are current serve."""
    root = tmp_path_factory.mktemp("real") / "book"
    shutil.copytree(REPOSITORY / "chapters", root / "chapters")
    shutil.copy(REPOSITORY / "conf.py", root)
    if (REPOSITORY / "build").is_dir():
        passing = shutil.ignore_patterns("run", "history", "locks")
        shutil.copytree(REPOSITORY / "build", root / "build", symlinks=True, ignore=passing)
    assert bindery(root, "all")[::2] == (0, "")
    return root


@pytest.fixture(scope="session")
def python(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel; PyTorch and its like are seen through a `.pth` file."""
    (wheel,) = (book / "build" / "wheel").glob("*.whl")
    return environment_with(wheel, tmp_path_factory.mktemp("installed") / "venv")

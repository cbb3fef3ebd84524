"""Books, chapters and sections that bindery begins: what they hold, where they are listed, and what is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from building import bindery, contents, environment_with
from conftest import REPOSITORY

from bindery.book import read_book
from bindery.lint import lint
from bindery.model import Mistyped, ProblemsFound
from bindery.skeletons import begin_book, begin_chapter, begin_section
from bindery.tangle import tangle


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A book that has just been begun."""
    begin_book(tmp_path / "demo-book", "", "Ada", lambda _: None)
    return tmp_path / "demo-book"


def lines_of(begin: object, *arguments: object) -> list[str]:
    """What beginning something says."""
    said: list[str] = []
    assert callable(begin) and begin(*arguments, said.append) == []
    return said


def test_a_new_book_is_readable_and_in_style(begun: Path) -> None:
    """Its title is the folder's name, its section saves what the next one uses, and lint has nothing to say."""
    book = read_book(begun)
    assert (book.facts.title, book.facts.authors[0].name) == ("Demo book", "Ada")
    assert set(tangle(book).definitions) == {"find_root"}
    assert lint(book, (begun / "chapters/references.bib").read_text(encoding="utf-8")) == []
    assert "build==" in (begun / "requirements.txt").read_text(encoding="utf-8")
    assert not [path for path, text in contents(begun).items() if re.search(rb"@[A-Z_]+@", text)]


def test_a_title_may_hold_any_character(tmp_path: Path) -> None:
    """Quotation marks and colons do not end it, line breaks become spaces."""
    begin_book(tmp_path, 'On "roots":\n a # study', "A: B", lambda _: None)
    book = read_book(tmp_path)
    assert book.facts.title == book.index.title == 'On "roots": a # study'
    assert book.facts.authors[0].name == "A: B"


@pytest.mark.parametrize("there", ["notes.txt", ".hidden"])
def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, there: str) -> None:
    """With exit status 2 and a message, and nothing in it is touched; a repository of git is no obstacle."""
    (tmp_path / there).touch()
    status, _, said = bindery(tmp_path, "init", str(tmp_path))
    assert (status, list(contents(tmp_path))) == (2, [there])
    assert said == f"bindery: {tmp_path} is not empty; a book begins in a new or empty folder\n"
    with pytest.raises(Mistyped, match="is not empty"):
        begin_book(tmp_path / there, "", "", lambda _: None)


def test_a_repository_of_git_may_be_there(tmp_path: Path) -> None:
    """`git init` before `bindery init .` is usual."""
    (tmp_path / ".git").mkdir()
    begin_book(tmp_path, "A", "B", lambda _: None)
    assert read_book(tmp_path).facts.title == "A"


def test_a_new_section_is_a_draft_and_lint_tells_what_is_to_be_written(begun: Path) -> None:
    """It stands last in its chapter, with all its parts; what was done is told with file and line."""
    said = lines_of(begin_section, begun, "first-chapter/newton-steps", "Newton's method")
    assert said == [
        """chapters/first-chapter/newton-steps.md:1: “Newton's method”, with the label sec_newton_steps""",
        "chapters/first-chapter/index.md:12: lists newton-steps",
    ]
    listed = (begun / "chapters/first-chapter/index.md").read_text(encoding="utf-8").split("\n")
    assert listed[11:13] == ["newton-steps", "```"]
    book = read_book(begun)
    section = book.chapters[0].sections[-1]
    assert (section.title, section.label, section.number) == ("Newton's method", "sec_newton_steps", "1.3")
    text = (begun / section.path).read_text(encoding="utf-8")
    for part in ("kernelspec:", "Before you start", "## Summary", "## Exercises", ":label: ex_newton_steps"):
        assert part in text
    told = lint(book, (begun / "chapters/references.bib").read_text(encoding="utf-8"))
    assert {(problem.rule, problem.location.path) for problem in told} == {("draft", section.path)}
    assert len(told) == 6


def test_a_new_chapter_stands_before_the_appendix(begun: Path) -> None:
    """And is the last one where there is none; sections can be begun in it at once."""
    assert lines_of(begin_chapter, begun, "appendix", "")[1] == "chapters/index.md:10: lists appendix/index"
    assert lines_of(begin_chapter, begun, "finding-roots", "Roots")[1] == (
        "chapters/index.md:10: lists finding-roots/index"
    )
    lines_of(begin_section, begun, "finding-roots/newton", "")
    book = read_book(begun)
    assert [chapter.folder for chapter in book.chapters[:3]] == ["first-chapter", "finding-roots", "appendix"]
    assert [page.label for page in book.chapters[1].sections] == ["sec_newton"]
    assert book.chapters[1].index and book.chapters[1].index.label == "chap_finding_roots"


def test_a_label_that_is_taken_gets_the_chapter_before_it(begun: Path) -> None:
    """Two chapters may have sections of one name, no two pages one label."""
    lines_of(begin_chapter, begun, "two", "")
    assert lines_of(begin_section, begun, "two/halving", "")[0].endswith("the label sec_two_halving")


@pytest.mark.parametrize("kind", ["md", "ipynb"])
def test_what_exists_is_refused(begun: Path, kind: str) -> None:
    """The message leads to the file, which stays as it was, and so does the toctree."""
    page = begun / "chapters/first-chapter/halving.md"
    if kind == "ipynb":
        page.unlink()
        page = page.with_suffix(".ipynb")
        page.write_text('{"cells": [{"cell_type": "markdown", "source": "# A"}], "metadata": {}, "nbformat": 4}\n')
    before = contents(begun)
    (problem,) = begin_section(begun, "first-chapter/halving", "", lambda _: None)
    assert str(problem).startswith(f"chapters/first-chapter/halving.{kind}:1: is there already")
    (problem,) = begin_chapter(begun, "first-chapter", "", lambda _: None)
    assert str(problem).startswith("chapters/first-chapter/index.md:1: is there already")
    assert contents(begun) == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("roots", "names no chapter"),
        ("first-chaptre/roots", "did you mean `first-chapter`"),
        ("first-chapter/Roots", "is no name for a page"),
        ("first-chapter/data", "is no name for a page"),
    ],
)
def test_names_that_cannot_be_are_refused(begun: Path, name: str, says: str) -> None:
    """Before anything is written."""
    before = contents(begun)
    with pytest.raises(Mistyped, match=says):
        begin_section(begun, name, "", lambda _: None)
    assert contents(begun) == before


def test_a_chapter_that_python_could_not_import_is_refused(begun: Path) -> None:
    """Its folder names a module of the library."""
    with pytest.raises(Mistyped, match="cannot name a chapter"):
        begin_chapter(begun, "lambda", "", lambda _: None)


def test_a_chapter_without_a_toctree_is_told(begun: Path) -> None:
    """A section could not be listed in it."""
    index = begun / "chapters/first-chapter/index.md"
    index.write_text("# One\n", encoding="utf-8")
    for name in ("halving", "square-roots"):
        (begun / f"chapters/first-chapter/{name}.md").unlink()
    with pytest.raises(ProblemsFound, match=r"chapters/first-chapter/index\.md:1: here a section would be listed"):
        begin_section(begun, "first-chapter/new", "", lambda _: None)


@pytest.mark.slow
def test_an_installed_wheel_begins_and_builds_a_book(tmp_path: Path) -> None:
    """In an environment that has the wheel of bindery and not its sources, one command begins a book, one builds it."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(REPOSITORY / "tools")], check=True)
    (wheel,) = tmp_path.glob("bindery-*.whl")
    python = environment_with(wheel, tmp_path / "venv")
    where = run(python, tmp_path, "-c", "import bindery; print(bindery.__file__)")
    assert where.startswith(str(tmp_path / "venv"))
    program = python.with_name("bindery")
    assert "cd demo && bindery html" in run(program, tmp_path, "init", "demo")
    demo = tmp_path / "demo"
    assert "are as the book's style asks" in run(program, demo, "lint")
    run(program, demo, "new", "section", "first-chapter/more")
    assert "website: build/html/index.html" in run(program, demo, "html")
    page = (demo / "build/html/first-chapter/square-roots.html").read_text(encoding="utf-8")
    assert "1.41421356237" in page and "Knuth" in page
    assert list((demo / "build/html/_static").rglob("KaTeX_Main-Regular*.woff2"))
    package = REPOSITORY / "tools" / "bindery"
    with zipfile.ZipFile(wheel) as packed:
        assert {f"bindery/{name}" for name in contents(package)} <= set(packed.namelist())


def run(program: Path, folder: Path, *arguments: str) -> str:
    """What a program prints that must succeed, in an environment that does not lead to the sources."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    path = os.pathsep.join([str(program.parent), clean.get("PATH", "")])
    done = subprocess.run(
        [str(program), *arguments], capture_output=True, text=True, cwd=folder, env={**clean, "PATH": path}, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout

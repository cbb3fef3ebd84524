"""The command `bindery untangle`: a working copy is made, shown, and taken back, all of it or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from building import bindery, contents
from oddbook import write_odd_book

from bindery.files import replace_together

MODULE = "build/edit/d2l/torch/one.py"
STALE = (
    "changed since build/edit was made; undo that, or move the copy away and carry its edits into a new one [untangle]"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with a working copy that has not been edited."""
    root = tmp_path_factory.mktemp("made") / "book"
    write_odd_book(root)
    assert bindery(root, "untangle", "--edit")[0] == 0
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """Such a book, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "book", symlinks=True))


def edit(root: Path, old: str, new: str, path: str = MODULE) -> None:
    """Replace a text that must be there, bytes for bytes."""
    content = (root / path).read_bytes()
    assert old.encode() in content
    (root / path).write_bytes(content.replace(old.encode(), new.encode()))


def test_an_edit_is_shown_and_written_only_when_asked(root: Path) -> None:
    """The diff comes first; `--write` changes just that line, keeps its end and the file's mode, renews the copy."""
    edit(root, "total += 1", "total += 10")
    before = contents(root / "chapters")
    chapter = root / "chapters/one/windows.md"
    chapter.chmod(0o640)
    status, said, complaint = bindery(root, "untangle")
    assert (status, complaint) == (0, "")
    assert "--- chapters/one/windows.md\n+++ chapters/one/windows.md\n@@ " in said
    assert "\n-    total += 1\n+    total += 10\n" in said
    assert said.endswith("nothing is written yet; `bindery untangle --write` would change chapters/one/windows.md\n")
    assert contents(root / "chapters") == before
    status, again, _ = bindery(root, "untangle", "--write")
    assert (status, again.splitlines()[:-1]) == (0, said.splitlines()[:-1])
    before["one/windows.md"] = before["one/windows.md"].replace(b"total += 1\r\n", b"total += 10\r\n")
    assert contents(root / "chapters") == before
    assert chapter.stat().st_mode & 0o777 == 0o640
    assert bindery(root, "untangle")[:2] == (0, "untangle: build/edit has no edits\n")
    assert bindery(root, "lib")[0] == 0
    assert contents(root / "build/library") == {
        path: content for path, content in contents(root / "build/edit").items() if path != "made-from.json"
    }


def test_one_edit_that_cannot_go_back_holds_up_all(root: Path) -> None:
    """Two good edits in two chapters and a bad one: the bad one is told, and no chapter changes."""
    edit(root, "total += 1", "total += 10")
    edit(root, "    return f\n", "    return (f)\n")
    edit(root, '    "wrap",\n', "")
    before = contents(root / "chapters")
    status, said, complaint = bindery(root, "untangle", "--write")
    assert (status, said) == (1, "")
    assert complaint.startswith(f"{MODULE}:17: bindery writes the head of a module")
    assert contents(root / "chapters") == before


@pytest.mark.parametrize("path", ["chapters/one/windows.md", "chapters/two/late.md"])
def test_a_chapter_that_has_changed_meanwhile_stays(root: Path, path: str) -> None:
    """Whether the edit concerns it or not, for the lines of a copy are those of its day."""
    edit(root, "total += 1", "total += 10")
    edit(root, "# ", "# On ", path)
    before = contents(root / "chapters")
    assert bindery(root, "untangle", "--write")[::2] == (
        1,
        f"{path}:1: {STALE}\n1 problem\n",
    )
    assert contents(root / "chapters") == before


def test_sections_that_have_changed_places_are_told(root: Path) -> None:
    """The comments of origin name the numbers of sections, so the library is another one."""
    edit(root, "notebook\ncompact", "compact\nnotebook", "chapters/two/index.md")
    edit(root, "total += 1", "total += 10")
    message = "the order of sections, or bindery, has changed since this copy was made; make a new one"
    assert bindery(root, "untangle", "--write")[::2] == (
        1,
        f"build/edit/made-from.json:1: {message} [untangle]\n1 problem\n",
    )


def test_a_copy_with_edits_is_not_made_anew(root: Path) -> None:
    """`--edit` leaves it as it is and says which files are edited; what Python keeps beside them is none of it."""
    (root / "build/edit/d2l/torch/__pycache__").mkdir()
    (root / "build/edit/d2l/torch/__pycache__/one.pyc").write_bytes(b"\0\xff")
    assert bindery(root, "untangle", "--edit")[0] == 0
    edit(root, "total += 1", "total += 10")
    before = contents(root / "build/edit")
    status, _, complaint = bindery(root, "untangle", "--edit")
    assert status == 1
    assert complaint.startswith(f"{MODULE}:1: edited and not taken back; `bindery untangle --write` takes it back")
    assert contents(root / "build/edit") == before


def test_without_a_copy_the_command_that_makes_one_is_named(root: Path) -> None:
    """There is nothing to take back."""
    shutil.rmtree(root / "build/edit")
    assert bindery(root, "untangle", "--write") == (
        2,
        "",
        "bindery: there is no working copy; `bindery untangle --edit` makes one in build/edit\n",
    )


def test_a_copy_that_is_not_text_is_told(root: Path) -> None:
    """With file and line, as all else."""
    edit(root, "total += 1", "total += 1")
    (root / MODULE).write_bytes((root / MODULE).read_bytes() + b"\xff\n")
    lines = (root / MODULE).read_bytes().count(b"\n")
    assert bindery(root, "untangle")[2].startswith(f"{MODULE}:{lines}: not UTF-8: invalid start byte [encoding]\n")


def test_files_are_replaced_together_or_not_at_all(tmp_path: Path) -> None:
    """If one of them has other bytes by now, none is written; a link stays one; no draft stays behind."""
    one, two, link = tmp_path / "one", tmp_path / "two", tmp_path / "link"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    link.symlink_to("two")
    assert replace_together({one: (b"1", b"new"), link: (b"other", b"new")}) == [link]
    assert contents(tmp_path) == {"one": b"1", "two": b"2", "link": b"2"}
    assert replace_together({one: (b"1", b"new"), link: (b"2", b"newer")}) == []
    assert contents(tmp_path) == {"one": b"new", "two": b"newer", "link": b"newer"}
    assert link.is_symlink()

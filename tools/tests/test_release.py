"""Publishing a version of a book."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from building import bindery

from bindery.model import Mistyped, Problem
from bindery.release import CHANGES, FACTS, PROJECT, new_texts, prepare

TEXTS = {
    FACTS: "title: Tiny\nversion: 0.0.1\n",
    PROJECT: '[project]\nname = "bindery"\nversion = "0.0.1"\n',
    CHANGES: "# Changelog\n\n## Unreleased\n\n### Added\n\n- Dots.\n\n## 0.0.1 - 1843-01-01\n\n- All.\n",
}


def test_version_and_date_are_told_where_they_belong() -> None:
    """What is new gets a heading, and the next changes an empty one before it."""
    new = new_texts(TEXTS, "0.1.0", "1843-09-01")
    assert isinstance(new, dict)
    assert "version: 0.1.0\n" in new[FACTS]
    assert 'version = "0.1.0"' in new[PROJECT]
    assert "## Unreleased\n\n## 0.1.0 - 1843-09-01\n\n### Added\n\n- Dots." in new[CHANGES]


def test_version_without_news_is_refused() -> None:
    """By the line of the heading that has nothing below it."""
    told = new_texts({**TEXTS, CHANGES: TEXTS[CHANGES].replace("### Added\n\n- Dots.\n\n", "")}, "0.1.0", "1843-09-01")
    assert isinstance(told, Problem)
    assert str(told).startswith("CHANGELOG.md:3: nothing is told")


def git(root: Path, *arguments: str) -> str:
    """What git prints in a book's folder."""
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.run(["git", *author, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(root: Path) -> Path:
    """A small book under version control, with changes that are told."""
    (root / "CHANGELOG.md").write_text(TEXTS[CHANGES], encoding="utf-8")
    (root / ".gitignore").write_text("build\n", encoding="utf-8")
    git(root, "init", "--quiet")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.org")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    return root


@pytest.mark.slow
def test_release_holds_products_with_checksums_and_provenance(repository: Path, tmp_path: Path) -> None:
    """Built at its tag, of which a second build gives the same wheel."""
    assert bindery(repository, "release", "0.1.0")[::2] == (0, "")
    folder = repository / "build" / "release" / "0.1.0"
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    wheel = "d2l-0.1.0-py3-none-any.whl"
    assert sums.keys() == {"book.pdf", "book.epub", "notebooks.zip", "website.zip", wheel}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    told = json.loads((folder / "provenance.json").read_text())
    assert told["commit"] == git(repository, "rev-parse", "v0.1.0^{commit}").strip()
    assert told["products"] == sums
    assert told["sections"]["one/defines"]["environment"]["device"] == "cpu"
    copy = tmp_path / "copy"
    git(tmp_path, "clone", "--quiet", "--branch", "v0.1.0", str(repository), str(copy))
    assert bindery(copy, "wheel")[0] == 0
    assert (copy / "build" / "wheel" / wheel).read_bytes() == (folder / wheel).read_bytes()
    code, _, errors = bindery(repository, "release", "0.1.0")
    assert (code, "there is a tag v0.1.0" in errors) == (2, True)


@pytest.mark.slow
def test_what_is_not_committed_is_not_released(repository: Path) -> None:
    """Nor is what is no version."""
    (repository / "chapters" / "one" / "apart.md").write_text("# Apart\n", encoding="utf-8")
    (problem,) = prepare(repository, "0.1.0")
    assert "files differ from the last commit" in problem.message
    with pytest.raises(Mistyped, match=r"'1\.x' is not a version"):
        prepare(repository, "1.x")
    assert git(repository, "tag") == ""

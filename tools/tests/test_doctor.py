"""What is told of a machine: what it has, what it lacks, for what that is needed, and how to install it."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from building import bindery

from bindery import texlive
from bindery.doctor import examine, tell
from bindery.settings import Author, Facts

LINES = (
    "build",
    "pagefind[bin]>=1",
    "nvidia-ml-py; sys_platform == 'nowhere'",
    "pytest==9.2.0; extra == 'test'",
    "ray==2.60.0; extra == 'test'",
)
HERE = {"build": "1.6.1", "pagefind": "1.5.2", "pytest": "9.2.0", "ray": "2.60.0", "torch": "2.15.0"}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine that lacks nothing but a GPU; packages taken out of what it gives are missing."""
    packages = dict(HERE)

    def version(name: str) -> str:
        if name not in packages:
            raise importlib.metadata.PackageNotFoundError(name)
        return packages[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda _: list(LINES))
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(texlive, "missing", list)
    monkeypatch.setattr("bindery.doctor.discover", lambda *_: ())
    return packages


def lines(facts: Facts | None = None) -> dict[str, str]:
    """What is said of each thing, by its name."""
    return {finding.name: str(finding) for finding in examine(facts, {})}


def test_what_is_there_gets_a_check_mark(machine: dict[str, str]) -> None:
    """Each in one line, and those of other platforms are not missed; a GPU is told as missing, which is no problem."""
    found = lines()
    assert list(found) == ["html", "pdf", "epub", "tests", "gpu", "ray"]
    assert [name for name, line in found.items() if line[0] != "\N{CHECK MARK}"] == ["gpu"]
    assert not any("\n" in line for line in found.values())
    assert tell(None, lambda _: None) == []


def test_a_missing_package_keeps_the_website_from_being_built(machine: dict[str, str]) -> None:
    """It is named with the command that installs it, extras and all, and is the only kind of problem."""
    del machine["pagefind"]
    said: list[str] = []
    (problem,) = tell(None, said.append)
    command = "pip install 'pagefind[bin]>=1'"
    assert said[0] == f"\N{BALLOT X} html   the website, and running the sections; lacks pagefind: {command}"
    assert problem.message == f"no website can be built without pagefind: {command}"


def test_what_the_book_requires_counts(machine: dict[str, str]) -> None:
    """A version that is too old is as good as none."""
    facts = Facts(title="A", version="1", authors=(Author(name="A"),), requires=("torch>=2.11", "numpy"))
    assert "lacks numpy: pip install numpy" in lines(facts)["html"]
    machine["torch"] = "2.10"
    assert "lacks torch, numpy: pip install 'torch>=2.11' numpy" in lines(facts)["html"]


def test_tools_of_other_kinds(machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """LaTeX, the browser and Java come with apt-get, test tools and Ray with pip; none of them is a problem."""
    machine.pop("ray")
    monkeypatch.setattr(texlive, "missing", lambda: ["xelatex"])
    monkeypatch.setattr(shutil, "which", lambda _: None)
    found = lines()
    assert "; lacks xelatex: apt-get install --yes" in found["pdf"]
    assert (
        "; lacks ray, chromium, java: pip install ray==2.60.0 && apt-get install chromium default-jre-headless"
        in found["tests"]
    )
    assert found["ray"].endswith("; lacks ray: pip install ray==2.60.0")
    assert tell(None, lambda _: None) == []


def test_it_works_without_a_book_and_with_one_that_is_wrong(make_book: Callable[..., Path], tmp_path: Path) -> None:
    """It looks at the machine, so it has nothing to say of the book."""
    broken = make_book(a="x = 1")
    (broken / "chapters/book.yml").unlink()
    for folder in (tmp_path, broken):
        status, printed, said = bindery(folder, "doctor")
        assert (status, said, len(printed.splitlines())) == (0, "", 6)

"""Packs the library into a wheel: library and facts in, a file out; the same commit gives the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from build import BuildBackendException, ProjectBuilder
from pyproject_hooks import quiet_subprocess_runner

from bindery.files import remove, write_if_changed
from bindery.library import Library
from bindery.model import Location, Problem, ProblemsFound
from bindery.settings import Facts


def build_wheel(facts: Facts, library: Library, folder: Path) -> Path:
    """Build `d2l-<version>-py3-none-any.whl` into `folder`, which then holds just this wheel."""
    with tempfile.TemporaryDirectory(prefix="bindery-") as temporary:
        project, fresh = Path(temporary) / "project", Path(temporary) / "wheel"
        for path, text in {**library.files, "pyproject.toml": _pyproject(facts)}.items():
            write_if_changed(project / path, text.encode())
        # No isolated environment: the build backend is one of bindery's own requirements, so no network is needed.
        builder = ProjectBuilder(project, runner=quiet_subprocess_runner)
        try:
            built = Path(builder.build("wheel", fresh))
        except BuildBackendException as error:
            said = getattr(error.exception, "output", None) or str(error).encode()
            detail = "\n".join(said.decode(errors="replace").strip().splitlines()[-5:])
            problem = Problem(Location("chapters/book.yml", 1), "wheel", "no wheel can be made of these facts", detail)
            raise ProblemsFound([problem]) from error
        wheel = folder / built.name
        write_if_changed(wheel, built.read_bytes())
    for other in folder.glob("*.whl"):
        if other != wheel:
            remove(other)
    return wheel


def _pyproject(facts: Facts) -> str:
    def text(value: str) -> str:
        return '"' + " ".join(value.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'

    requires = ", ".join(text(requirement) for requirement in facts.requires)
    authors = ", ".join(f"{{name = {text(author.name)}}}" for author in facts.authors)
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "d2l"
version = {text(facts.version)}
description = {text(f"The library of {facts.title}, made of the code that the book saves.")}
authors = [{authors}]
requires-python = ">=3.11"
dependencies = [{requires}]

[tool.hatch.build.targets.wheel]
packages = ["d2l"]
"""

"""The archive of the notebooks, unpacked: they run outside the repository with what the archive asks for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def closure(names: list[str]) -> set[str]:
    """The installed distributions that these need, with extras, as pip would find them."""
    from importlib import metadata

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    waiting, seen = [(canonicalize_name(name), "") for name in names], set()
    while waiting:
        if (here := waiting.pop()) in seen:
            continue
        seen.add(here)
        name, extra = here
        for need in map(Requirement, metadata.requires(name) or ()):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), each) for each in ("", *need.extras)]
    return {str(name) for name, _ in seen}


@pytest.fixture(scope="session")
def unpacked(book: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The archive of the real book's notebooks in a folder, and an environment made from what it asks for.

    The environment holds links to the distributions that pip would install; whether they suffice, pip is asked.
    """
    from importlib import metadata

    folder = tmp_path_factory.mktemp("reader")
    zipfile.ZipFile(book / "build" / "notebooks.zip").extractall(folder / "notebooks")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    (target,) = (folder / "venv" / "lib").glob("python*/site-packages")
    lines = [
        line.partition("==")[0]
        for name in ("requirements.txt", "requirements-alone.txt")
        for line in (folder / "notebooks" / name).read_text().split()
    ]
    alone = (folder / "notebooks" / "requirements-alone.txt").read_text().partition("==")[0]
    needed = closure([name for name in lines if name != alone]) | {alone}
    for name in needed:
        for file in metadata.files(name) or ():
            source, link = Path(str(file.locate())), Path(os.path.normpath(target / str(file)))
            if source.is_file() and link.is_relative_to(folder / "venv") and not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                if link.parent == python.parent and source.read_bytes().startswith(b"#!"):
                    # A program starts the interpreter of the environment that it was installed into.
                    link.write_bytes(re.sub(rb"\A#!.*", b"#!" + bytes(python), source.read_bytes()))
                    link.chmod(0o755)
                else:
                    link.hardlink_to(source)
    check = [str(python), "-m", "pip", "install", "--no-index", "--quiet", "--dry-run", "-r", "requirements.txt"]
    subprocess.run(check, cwd=folder / "notebooks", check=True)
    return folder / "notebooks", python


RUN = """
import json, os, sys
import nbformat
from nbclient import NotebookClient
name, folder = sys.argv[1:]
notebook = nbformat.read(name, as_version=4)
quick = notebook.metadata.bindery.get("quick", {})
for index, cell in enumerate(notebook.cells):
    if quick and "parameters" in cell.metadata.get("tags", ()):
        values = "\\n".join(f"{key} = {value!r}" for key, value in quick.items())
        notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(values))
        break
NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
print(sum(cell.cell_type == "code" for cell in notebook.cells))
"""

SIX = (
    *("preliminaries/ndarray", "linear-regression/linear-regression-scratch", "classification/classification"),
    *("builders-guide/model-construction", "hyperparameter-optimization/sh-async", "gan/gan"),
)


def run_alone(unpacked: tuple[Path, Path], book: Path, name: str) -> None:
    """Run a notebook of the archive as a reader would, with profile quick's values and the stand-ins."""
    folder, python = unpacked
    mirrors = book / "build" / "standin" / "mirrors.json"
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(folder.parent), "D2L_MIRRORS": str(mirrors)}
    command = [str(python), "-c", RUN, str(folder / f"{name}.ipynb"), str((folder / name).parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", SIX)
def test_notebook_runs_with_what_its_archive_asks_for(unpacked: tuple[Path, Path], book: Path, name: str) -> None:
    """Outside the repository, in an environment that has nothing else; the first installs the library."""
    run_alone(unpacked, book, name)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_every_notebook_runs_with_what_its_archive_asks_for(unpacked: tuple[Path, Path], book: Path) -> None:
    """All of the archive; those that fail are told together."""
    failed = {}
    for path in sorted(unpacked[0].glob("*/*.ipynb")):
        name = path.relative_to(unpacked[0]).with_suffix("").as_posix()
        try:
            run_alone(unpacked, book, name)
        except AssertionError as error:
            failed[name] = str(error)
    assert failed == {}


@pytest.mark.slow
def test_another_library_of_this_name_is_told(unpacked: tuple[Path, Path], tmp_path: Path) -> None:
    """In a sentence that says what to do, before anything runs."""
    _, python = unpacked
    first = json.loads((unpacked[0] / f"{SIX[1]}.ipynb").read_text())["cells"][0]["source"]
    older = tmp_path / "d2l-1.0.3.dist-info"
    older.mkdir()
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: d2l\nVersion: 1.0.3\n")
    command = [str(python), "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{first}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "d2l 1.0.3 is installed, this notebook is of d2l 0.1.0." in done.stderr


@pytest.mark.slow
def test_scripts_and_bare_notebooks_hold_the_same_code(unpacked: tuple[Path, Path]) -> None:
    """The archive's other forms of each notebook."""
    folder, _ = unpacked
    notebooks = list(folder.glob("*/*.ipynb"))
    assert len(notebooks) > 40
    for path in notebooks:
        name = path.relative_to(folder).with_suffix("")
        cells = json.loads(path.read_text())["cells"]
        bare = json.loads((folder / "without-outputs" / path.relative_to(folder)).read_text())["cells"]
        assert [cell["source"] for cell in bare] == [cell["source"] for cell in cells]
        assert not any(cell.get("outputs") for cell in bare)
        script = (folder / "scripts" / name).with_suffix(".py").read_text()
        compile(script, str(name), "exec")


@pytest.mark.slow
def test_a_script_runs_by_itself(unpacked: tuple[Path, Path]) -> None:
    """In its own folder, by Python alone, with nobody to show a plot to."""
    folder, python = unpacked
    path = folder / "scripts" / "optimization" / "optimization-intro.py"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder.parent), "MPLBACKEND": "agg"}
    command = [str(python), path.name]
    done = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]

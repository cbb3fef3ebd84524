"""What holds in the whole of bindery, stated as absences."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

import bindery

PACKAGE = Path(bindery.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "resources" not in path.parts)
WRITING = {"write_text", "write_bytes", "unlink", "rmtree", "symlink_to", "rename", "rmdir"}
ALLOWED_TO_WRITE = {"files.py", "kernels.py"}
"""`kernels` empties the working directory of a section and keeps its private one; all else goes through `files`."""


def attributes_called(path: Path) -> set[str]:
    """The names of the methods and functions of modules that a file calls."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    return {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}


def imports(path: Path) -> set[str]:
    """The top-level modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_stages_before_running_import_neither_torch_nor_sphinx() -> None:
    """Reading, tangling and planning are light: no PyTorch, no Sphinx, no Jupyter, not even IPython."""
    code = (
        "import sys, bindery.book, bindery.tangle, bindery.plan, bindery.cli\n"
        "print(sorted({'torch', 'sphinx', 'docutils', 'nbclient', 'jupyter_client', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("module", ["execute", "sphinxrun"])
def test_processes_of_ours_leave_out_a_slow_import(module: str) -> None:
    """What runs sections or Sphinx reads notebooks, whose package would import grammars for most of a second."""
    code = (
        "import sys, bindery.startup; bindery.startup.hurry()\n"
        f"import bindery.{module}, nbformat, jsonschema\n"
        "print('lark' in sys.modules, bool(jsonschema.FormatChecker.checkers))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module(path: Path) -> None:
    """Only `parse` reads Markdown, only `files` writes, nothing uses a shell or a file's date, no file is long."""
    text = path.read_text(encoding="utf-8")
    assert ("markdown_it" in imports(path)) == (path.name == "parse.py")
    if path.name not in ALLOWED_TO_WRITE:
        assert not WRITING & attributes_called(path)
    assert "shell=True" not in text
    assert not re.search(r"st_mtime|getmtime", text)
    assert len(text.splitlines()) <= 300


def stages() -> list[list[str]]:
    """The modules in each row of the table of stages, in the section on how the book is built."""
    section = REPOSITORY / "chapters" / "appendix" / "how-this-book-is-built.md"
    table = section.read_text(encoding="utf-8").partition("\n:name: tab_how_built_stages\n")[2].partition("\n```")[0]
    return [re.findall(r"`(\w+)`", row) for row in table.split("\n* - ")[2:]]


def imported_modules(name: str) -> set[str]:
    """The modules of bindery that a module or package of it imports."""
    found = set()
    for path in [PACKAGE / f"{name}.py", *(PACKAGE / name).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bindery":
                inner = (node.module or "").split(".")[1:]
                found |= {inner[0]} if inner else {alias.name for alias in node.names}
    return found


def test_no_stage_knows_a_later_one() -> None:
    """Modules import those of their own row of the table or of earlier ones, and the types and files around all."""
    *rows, around = stages()
    before = {"model", "files", "startup"}
    assert before < set(around)
    for row in rows:
        before |= set(row)
        for name in row:
            assert imported_modules(name) <= before, name


def test_no_module_is_missing_from_the_book() -> None:
    """The section on how the book is built names every module of bindery, and nothing else, in its table of stages."""
    named = [name for row in stages() for name in row]
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(named) == sorted(modules | packages)

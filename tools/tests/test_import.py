"""What importing the real book's library does, and what it leaves alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from bindery.book import read_book
from bindery.files import write_tree_once
from bindery.tangle import tangle

pytestmark = pytest.mark.slow

WATCH = """
import builtins, os, random, sys, threading
import numpy, torch
from matplotlib import pyplot
from IPython.core.interactiveshell import InteractiveShell

DEPENDENCIES

def state():
    shell = InteractiveShell.instance()
    hooks = [sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook, builtins.__import__,
             shell.custom_exceptions, shell._showtraceback, shell.showtraceback.__func__]
    lists = [*sys.meta_path, *sys.path_hooks, *sys.path, *os.environ.items(), *shell.input_transformers_post]
    lists += [*shell.events.callbacks["pre_run_cell"], *shell.events.callbacks["post_run_cell"]]
    chance = [random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]
    return hooks, lists, chance, pyplot.get_fignums(), threading.active_count()

before = state()
loaded = set(sys.modules)
done = []

def watch(event, arguments):
    writes = event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
    if writes or event.split(".")[0] in ("socket", "subprocess", "urllib", "shutil", "tempfile") or event == "os.mkdir":
        done.append((event, str(arguments)))

sys.addaudithook(watch)
sys.dont_write_bytecode = True
from d2l import torch as d2l
assert done == [], done
for now, then in zip(state(), before, strict=True):
    assert now == then, [each for each in zip(now, then) if each[0] != each[1]]
packages = {name.split(".")[0] for name in set(sys.modules) - loaded}
assert packages == {"d2l"}, packages
assert "d2l.origin" not in sys.modules
"""


def test_everything_public_has_a_docstring(library: Path) -> None:
    """Functions, classes, and those of their methods that no base class describes."""
    without = []
    for path in (library / "d2l").rglob("*.py"):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            methods = statement.body if isinstance(statement, ast.ClassDef) else []
            for each in (statement, *methods):
                named = isinstance(each, ast.FunctionDef | ast.ClassDef) and not each.name.startswith("_")
                if named and not ast.get_docstring(each):
                    without.append(f"{path.stem}.{each.name}")
    assert without == []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book's library as it is tangled, in a folder of its own."""
    folder = tmp_path_factory.mktemp("import") / "library"
    write_tree_once(folder, {path: text.encode() for path, text in tangle(read_book(REPOSITORY)).files.items()})
    return folder


def run(library: Path, folder: Path, code: str) -> None:
    """Run code that finds the library, with every warning an error; it may say nothing."""
    around = {"PYTHONPATH": str(library), "HOME": str(folder), "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=around, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_the_library_warns_of_nothing(library: Path, tmp_path: Path) -> None:
    """`python -W error -c "from d2l import torch"` says nothing and succeeds."""
    run(library, tmp_path, "from d2l import torch")


def test_importing_the_library_only_defines(library: Path, tmp_path: Path) -> None:
    """It loads, writes and draws nothing, installs no hook, takes no random number, and imports no further package."""
    chapters = set((library / "d2l/torch").glob("*.py")) - {library / "d2l/torch/__init__.py"}
    texts = (path.read_text(encoding="utf-8").split("__all__")[0] for path in chapters)
    lines = {line for text in texts for line in text.split("\n") if line.startswith(("import ", "from "))}
    dependencies = "\n".join(sorted(line for line in lines if "d2l" not in line))
    assert "import torch" in dependencies
    run(library, tmp_path, WATCH.replace("DEPENDENCIES", dependencies))

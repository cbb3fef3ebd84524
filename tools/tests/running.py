"""What the tests of running sections share: cells, tasks, a small library, and readers of what comes out."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bindery import schedule
from bindery.model import Cell, Execution, Injected, Location, Section, Task
from bindery.settings import SectionSettings

PATH = "chapters/demo/demo.md"


def code(source: str, line: int, *tags: str) -> Cell:
    """A code cell of the chapter that begins on a line."""
    return Cell("code", source, Location(PATH, line), tags)


def make_library(folder: Path) -> Path:
    """A library of one function, which comes from line 112 of another chapter."""
    module = folder / "d2l" / "torch"
    module.mkdir(parents=True)
    (folder / "d2l" / "__init__.py").touch()
    (module / "__init__.py").write_text("from d2l.torch.gan import *\n")
    (module / "gan.py").write_text("import math\n\n\ndef invert(x):\n    return 1 / x\n")
    (module / "_origin.json").write_text(json.dumps({"gan.py": [[4, 5, "chapters/gan/gan.md", 112]]}))
    return folder


class Runner:
    """Makes tasks and runs them."""

    def __init__(self, folder: Path) -> None:
        """All it makes goes into the folder."""
        self.folder = folder
        self.library = make_library(folder / "library")

    def task(self, *cells: Cell, name: str = "demo", timeout: int = 60, injected: Injected | None = None) -> Task:
        """A task for a section with these cells."""
        section = Section(f"chapters/demo/{name}.md", "Demo", "sec_demo", cells, SectionSettings())
        folder = self.folder / "run" / "demo" / name
        return Task(
            section, injected, self.library, folder, self.folder / "home", timeout, "quick", "key", {"device": "cpu"}
        )

    def run(self, *cells: Cell, timeout: int = 60, injected: Injected | None = None) -> Execution:
        """What running these cells gives."""
        [execution] = schedule.run([self.task(*cells, timeout=timeout, injected=injected)], 1, lambda event: None)
        return execution

    def processes(self) -> list[int]:
        """The processes that live and belong to runs of ours."""
        return processes_of(self.folder)


@contextmanager
def clean_runner(folder: Path) -> Iterator[Runner]:
    """A runner; nothing that it started, and no temporary file, may be left at the end."""
    runner = Runner(folder)
    with tempfile.TemporaryDirectory(prefix="test-") as temporary, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", temporary)
        yield runner
        assert runner.processes() == []
        assert list(Path(temporary).iterdir()) == []


def processes_of(folder: Path) -> list[int]:
    """The processes of runs in a folder: kernels, what they started, and who forks them."""
    # All of them have it in the environment that they were started with.
    marker = f"MPLCONFIGDIR={folder / 'home'}".encode()
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if marker in read(process / "environ")]


def read(file: Path) -> bytes:
    """A file's bytes, none if it cannot be read, as when its process is gone."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def outputs(execution: Execution) -> list[list[str]]:
    """The outputs of the code cells, as text."""
    return [
        [output.get("text") or output.get("ename") or output["data"]["text/plain"] for output in cell["outputs"]]
        for cell in execution.notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def problem(execution: Execution) -> tuple[str, str, str]:
    """Where and what the problem is."""
    assert execution.error
    return str(execution.error.location), execution.error.rule, execution.error.message

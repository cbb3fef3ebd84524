"""Five hundred executions: nothing of them is left in this process or on the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from running import clean_runner, code, outputs

from bindery import schedule

EXECUTIONS = 500


@pytest.mark.slow
def test_nothing_piles_up(tmp_path: Path) -> None:
    """No file stays open, no process stays behind, living or dead, and each section has its own result."""
    with clean_runner(tmp_path) as runner:
        tasks = [runner.task(code(f"print({number})", 3), name=f"n{number}") for number in range(EXECUTIONS)]
        schedule.run(tasks[:4], 2, lambda _: None)
        before = open_files()
        executions = schedule.run(tasks, 2, lambda _: None)
        assert [outputs(execution) for execution in executions] == [[[f"{number}\n"]] for number in range(EXECUTIONS)]
        assert open_files() <= before + 2
        assert children() == []


def open_files() -> int:
    """How many files and sockets this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> list[str]:
    """The processes that this one has started, the dead that nobody waited for among them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (process / "stat").read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == os.getpid():
            found.append(name)
    return found

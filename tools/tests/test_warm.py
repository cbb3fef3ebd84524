"""Kernels that a warm parent forks: as good as new ones, and nothing of them left, whoever dies."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running import Runner, clean_runner, code, outputs, problem, processes_of

from bindery import schedule
from bindery.model import Execution, Task
from bindery.parent import WarmFailed, warm_parent

pytestmark = pytest.mark.slow


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs sections, and sees to it that nothing is left of them."""
    with clean_runner(tmp_path) as made:
        yield made


def tasks(runner: Runner, *sources: str, packages: tuple[str, ...] = ()) -> list[Task]:
    """A task for each source; they import these packages."""
    environment = {"device": "cpu", **dict.fromkeys(packages, "1")}
    made = [runner.task(code(source, 3), name=f"n{number}") for number, source in enumerate(sources)]
    return [replace(task, environment=environment) for task in made]


def run(made: list[Task], warm: bool = True) -> tuple[list[Execution], list[str]]:
    """What becomes of tasks, two at a time, and what the user was told."""
    notes: list[str] = []
    executions = schedule.run(made, 2, lambda event: notes.append(event.note), warm=warm)
    return executions, [note for note in notes if note]


STATE = """\
import os, signal, sys, tempfile
print("before", sorted({"d2l", "matplotlib_inline"} & set(sys.modules)))
import numpy, torch, matplotlib.pyplot as plt
from torch.utils.data import DataLoader
print(os.getcwd() == os.environ["PWD_OF_TEST"], sys.argv[1:2], sys.path[0] == os.environ["PYTHONPATH"])
print(tempfile.gettempdir() == os.environ["TMPDIR"], torch.get_num_threads(), torch.cuda.is_initialized())
print(signal.getsignal(signal.SIGINT).__name__, signal.getsignal(signal.SIGCHLD))
print(sum(x.sum() for x in DataLoader(torch.ones(8, 2), num_workers=2)))
plt.plot([1, 2]);
"""


def test_a_forked_kernel_is_like_a_new_one(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds, threads, signals, paths, plots and worker processes are those of a kernel that starts by itself."""
    results = []
    for warm in (True, False):
        made = tasks(runner, STATE, STATE, packages=("numpy", "torch", "matplotlib"))
        monkeypatch.setenv("PWD_OF_TEST", str(made[0].folder))
        executions, notes = run(made, warm)
        assert [execution.error for execution in executions] == [None, None]
        assert notes == []
        results.append(executions[0].notebook["cells"][0]["outputs"])
    assert results[0] == results[1]
    assert "before []\n" in results[0][0]["text"]
    assert "image/svg+xml" in results[0][1]["data"] or "image/png" in results[0][1]["data"]


def test_imports_are_paid_once(runner: Runner) -> None:
    """What the parent has imported is there when the first cell runs; a single section starts by itself."""
    ask = "import sys\nprint('torch' in sys.modules)"
    executions, _ = run(tasks(runner, ask, ask, packages=("torch",)))
    assert [outputs(execution) for execution in executions] == [[["True\n"]]] * 2
    executions, _ = run(tasks(runner, ask, packages=("torch",)))
    assert outputs(executions[0]) == [["False\n"]]


def test_random_numbers_are_not_shared(runner: Runner) -> None:
    """Unseeded generators differ from section to section, although all are copies of one process."""
    draw = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item())"
    # Importing torchvision imports the generators of NumPy.
    executions, _ = run(tasks(runner, draw, draw, draw, packages=("torch", "torchvision")))
    drawn = [outputs(execution)[0][0].split() for execution in executions]
    assert [len(set(numbers)) for numbers in zip(*drawn, strict=True)] == [3, 3, 3]


def test_the_parent_never_touches_a_gpu_nor_starts_a_thread(tmp_path: Path) -> None:
    """A module imported last sees CUDA untouched; one that starts a thread makes the parent give up."""
    spy = """
    import pathlib, threading, torch
    here = pathlib.Path(__file__).parent
    (here / "imported").write_text(f"{torch.cuda.is_initialized()} {threading.active_count()}")
    def asked(*_):
        (here / "asked").touch()
        raise AssertionError("CUDA in the warm parent")
    torch._C._cuda_init = torch._C._cuda_getDeviceCount = torch.cuda._lazy_init = asked
    """
    (tmp_path / "spy.py").write_text(textwrap.dedent(spy))
    (tmp_path / "worker.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    modules = ["torch", "torchvision", "matplotlib.pyplot", "spy"]
    with (tmp_path / "log").open("wb") as log:
        with warm_parent(modules, environment) as parent:
            asyncio.run(parent.fork(["python"], environment, str(tmp_path), log.fileno())).end()
        assert (tmp_path / "imported").read_text() == "False 1"
        assert not (tmp_path / "asked").exists()
        with warm_parent(["worker"], environment) as parent, pytest.raises(WarmFailed, match="importing worker starts"):
            asyncio.run(parent.fork(["python"], environment, str(tmp_path), log.fileno()))


def test_without_its_parent_a_kernel_starts_cold(runner: Runner) -> None:
    """The section that kills the parent goes on, the next ones start by themselves, and the user is told once."""
    kill = """
    import os, pathlib, signal
    def parent_of(pid):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent_of(parent_of(os.getpid())), signal.SIGKILL)
    print("still here")
    """
    notes: list[str] = []
    made = tasks(runner, textwrap.dedent(kill), "print(1)", "print(2)")
    executions = schedule.run(made, 1, lambda event: notes.append(event.note))
    assert [outputs(execution) for execution in executions] == [[["still here\n"]], [["1\n"]], [["2\n"]]]
    assert len([note for note in notes if note.startswith("kernels start cold, which takes longer: ")]) == 1


def test_a_kernel_that_dies_is_a_problem(runner: Runner) -> None:
    """Killed, or ended with a status: each is told as it would be of a kernel that started by itself."""
    sources = ("import os\nos.kill(os.getpid(), 9)", "import os\nos._exit(3)", "exit()", "1 / 0")
    found = []
    for warm in (True, False):
        executions, _ = run(tasks(runner, *sources), warm)
        found.append([problem(execution) for execution in executions])
    assert found[0] == found[1]
    assert [rule for _, rule, _ in found[0]] == ["kernel-died", "kernel-exited", "kernel-exited", "cell-raised"]


OUTLIVE = """\
import os, subprocess, sys, threading, time
subprocess.Popen(["sleep", "1000"])
subprocess.Popen(["sleep", "1000"], start_new_session=True, env={})
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(0)
threading.Thread(target=time.sleep, args=(1000,)).start()
print("started")
"""


def test_what_a_section_starts_ends_with_it(runner: Runner) -> None:
    """Children, daemons without our environment and threads: none outlives the section, warm or cold."""
    executions, _ = run(tasks(runner, OUTLIVE, OUTLIVE))
    assert [outputs(execution) for execution in executions] == [[["started\n"]]] * 2
    assert in_folder(runner.folder) == []


def in_folder(folder: Path) -> list[str]:
    """The commands of processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(str((process / "cwd").readlink()).removesuffix(" (deleted)")).is_relative_to(folder):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


BUILD = """\
import sys
from pathlib import Path
from running import Runner, code
from bindery import schedule
runner = Runner(Path(sys.argv[1]))
source = "import subprocess\\nsubprocess.Popen(['sleep', '1000'], start_new_session=True).wait()"
tasks = [runner.task(code(source, 3), name=name) for name in "ab"]
schedule.run(tasks, 2, lambda event: print(event.kind, flush=True))
"""


def test_a_killed_build_leaves_nothing(tmp_path: Path) -> None:
    """SIGKILL to the process that builds ends kernels, what they started, their supervisors and the warm parent."""
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as build:
        assert build.stdout
        kinds = [build.stdout.readline().strip() for _ in range(4)]
        deadline = time.monotonic() + 20
        while sum("sleep" in command for command in in_folder(tmp_path)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(in_folder(tmp_path)) == 4
        build.kill()
    assert sorted(kinds) == ["cell", "cell", "start", "start"]
    deadline = time.monotonic() + 10
    while (left := in_folder(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert processes_of(tmp_path) == []

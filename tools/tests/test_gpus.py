"""GPUs as the management library tells them, played here by a stand-in: this machine need not have any."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from running import Runner, clean_runner, code, outputs

from bindery import schedule
from bindery.gpus import discover, measured
from bindery.model import Gpu, Mistyped, Need, Task
from bindery.workshop import Choices, Workshop

GIB = 2**30


class Library:
    """Three GPUs of 24 GiB, one of which holds something already; the first holds more at each look."""

    NVMLError = type("NVMLError", (Exception,), {})

    def __init__(self) -> None:
        """Nothing has been looked at."""
        self.looks = 0
        self.started = 0

    def nvmlInit(self) -> None:
        """Open the driver."""
        self.started += 1

    def nvmlShutdown(self) -> None:
        """Close it."""
        self.started -= 1

    def nvmlDeviceGetCount(self) -> int:
        """How many."""
        return 3

    def nvmlDeviceGetHandleByIndex(self, number: int) -> str:
        """By place on the bus."""
        if number > 2:
            raise self.NVMLError("no such GPU")
        return f"GPU-{number}"

    def nvmlDeviceGetHandleByUUID(self, name: str) -> str:
        """By name."""
        return name

    def nvmlDeviceGetUUID(self, handle: str) -> str:
        """Its name."""
        return handle

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> SimpleNamespace:
        """What it has and holds."""
        self.looks += 1
        held = min(self.looks, 9) if handle == "GPU-0" else 2
        return SimpleNamespace(total=24 * GIB, used=held * GIB)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """The stand-in, which is closed as often as it was opened."""
    made = Library()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    yield made
    assert made.started == 0


@pytest.mark.parametrize(
    ("choice", "shown", "numbers"),
    [
        ("auto", None, [0, 1, 2]),
        ("0", None, []),
        ("2", None, [0, 1]),
        ("0,2", None, [0, 2]),
        ("2,", None, [2]),
        ("auto", "", []),
        ("auto", "2,0", [2, 0]),
        ("1", "2,0", [2]),
        ("auto", "GPU-1", [1]),
        ("auto", "1,7,2", [1]),
    ],
)
def test_discover(library: Library, choice: str, shown: str | None, numbers: list[int]) -> None:
    """All, some or none of those that the environment leaves in sight, in its order; CUDA stops at an unknown one."""
    environment = {} if shown is None else {"CUDA_VISIBLE_DEVICES": shown}
    assert [gpu.name for gpu in discover(choice, environment)] == [f"GPU-{number}" for number in numbers]
    assert all(gpu.memory == 24 for gpu in discover(choice, environment))


@pytest.mark.parametrize(("choice", "many"), [("4", "there are 3"), ("0,3", "there are 3")])
def test_more_than_there_are(library: Library, choice: str, many: str) -> None:
    """Asking for a GPU that is not there is told, with what there is."""
    with pytest.raises(Mistyped, match=f"GPU slots '{choice}' were asked for, and {many}"):
        discover(choice, {})


def test_no_driver() -> None:
    """A machine without the driver, such as one that runs tests, has no GPU; that is no error."""
    pynvml = pytest.importorskip("pynvml")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        assert discover("auto", {}) == ()
    else:
        assert discover("auto", {})


@pytest.mark.parametrize(
    ("runner", "choice", "devices"),
    [("ray", "4", "cuda"), ("ray", "0", "cpu"), ("local", "3", "cuda"), ("local", "0", "cpu")],
)
def test_devices_of_the_plan(
    library: Library, make_book: Callable[..., Path], runner: str, choice: str, devices: str
) -> None:
    """A cluster has the GPUs that the user says it has, though this machine has fewer; here they must be there."""
    root = make_book("=== chapters/one/a.md\n---\nbindery: {gpus: 1}\n---\n# A\n\n```{code-cell} python\n1\n```\n")
    shop = Workshop(root, Choices(runner=runner, gpus=choice), Console(quiet=True))
    assert [step.task.environment["device"] for step in shop.steps] == [devices]
    shop.plan("")


def test_measured(library: Library) -> None:
    """The most over what was held before, of any of the GPUs."""
    with measured([Gpu("GPU-0", 24), Gpu("GPU-1", 24)]) as meter:
        while library.looks < 20:
            time.sleep(0.05)
    assert meter.peak == 8


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs sections, and sees to it that nothing is left of them."""
    with clean_runner(tmp_path) as made:
        yield made


SHOW = "import os\nos.environ['CUDA_VISIBLE_DEVICES']"


def on_gpu(task: Task, memory: float | None = None) -> Task:
    """The same task as one that needs a GPU."""
    return replace(task, environment={"device": "cuda"}, need=Need(1, memory))


@pytest.mark.slow
class TestRuns:
    """Sections on GPUs, as far as a machine without any can show them."""

    def test_each_sees_its_own(self, runner: Runner, library: Library) -> None:
        """Two that are not known get a GPU each, and are measured; one that needs none sees none."""
        tasks = [
            on_gpu(runner.task(code(SHOW, 3), name="a")),
            on_gpu(runner.task(code(SHOW, 3), name="b")),
            runner.task(code(SHOW, 3), name="c"),
        ]
        a, b, c = schedule.run(tasks, 2, lambda _: None, gpus=discover("1,2", {}))
        assert sorted([outputs(a), outputs(b)]) == [[["'GPU-1'"]], [["'GPU-2'"]]]
        assert (outputs(c), a.gpu_memory, b.gpu_memory, c.gpu_memory) == ([["''"]], 0, 0, None)

    def test_those_that_fit_share(self, runner: Runner, library: Library) -> None:
        """Two that are known to fit run at once on one GPU, and are not measured, since neither is alone."""
        meet = (
            "import pathlib, time\nmine, other = (pathlib.Path('..') / name for name in {names})\nmine.touch()\n"
            "while not other.exists():\n    time.sleep(0.01)\n"
        )
        tasks = [
            on_gpu(runner.task(code(meet.format(names=names) + SHOW, 3), name=names[0], timeout=30), 8.0)
            for names in (("one.txt", "two.txt"), ("two.txt", "one.txt"))
        ]
        executions = schedule.run(tasks, 2, lambda _: None, gpus=discover("1", {}))
        assert [(outputs(each), each.gpu_memory) for each in executions] == [([["'GPU-0'"]], None)] * 2

    def test_one_that_lacks_memory_beside_others_runs_again_alone(self, runner: Runner, library: Library) -> None:
        """Our packing makes no section fail: it gets a GPU to itself, is measured anew, and the user is told."""
        source = (
            "import pathlib\nmark = pathlib.Path('../mark')\nif not mark.exists():\n    mark.touch()\n"
            "    raise RuntimeError('CUDA out of memory. Tried to allocate 20 GiB')\n'done'"
        )
        heard: list[schedule.Event] = []
        task = on_gpu(runner.task(code(source, 3)), 8.0)
        [execution] = schedule.run([task], 1, heard.append, gpus=discover("1", {}))
        assert (outputs(execution), execution.error) == ([["'done'"]], None)
        assert execution.gpu_memory is not None and execution.gpu_memory > 0
        assert [event.kind for event in heard if event.kind != "cell"] == ["start", "again", "start", "end"]
        assert "demo/demo lacked memory beside others" in next(event.note for event in heard if event.kind == "again")

    def test_one_that_lacks_memory_alone_fails(self, runner: Runner, library: Library) -> None:
        """There is nothing more that could be given to it."""
        task = on_gpu(runner.task(code("raise RuntimeError('CUDA out of memory')", 3)))
        [execution] = schedule.run([task], 1, lambda _: None, gpus=discover("1", {}))
        assert execution.error and execution.error.rule == "cell-raised"

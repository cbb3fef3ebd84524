"""Many sections at once: each gets its execution, whatever happens to others."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Runner, clean_runner, code, outputs, problem

from bindery import kernels, schedule


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs sections, and sees to it that nothing is left of them."""
    with clean_runner(tmp_path) as made:
        yield made


@pytest.mark.slow
class TestMany:
    """Many sections at once."""

    def test_the_others_go_on(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each task gets its execution in order, although one is killed, one raises, and we fail on one ourselves."""
        original = kernels.running

        def running(folder: Path, *rest: object) -> object:
            if folder.name == "unlucky":
                raise OSError("no space left")
            return original(folder, *rest)

        monkeypatch.setattr(kernels, "running", running)
        tasks = [
            runner.task(code("import os\nos.kill(os.getpid(), 9)", 3), name="killed"),
            runner.task(code("1", 3), name="unlucky"),
            runner.task(code("1 / 0", 3), name="raises"),
            runner.task(code("1", 3), name="fine"),
        ]
        heard: list[schedule.Event] = []
        executions = schedule.run(tasks, 2, heard.append)
        expected = [
            ("demo/killed", "kernel-died"),
            ("demo/unlucky", "kernel-died"),
            ("demo/raises", "cell-raised"),
            ("demo/fine", None),
        ]
        assert expected == [(each.section, each.error and each.error.rule) for each in executions]
        assert problem(executions[1])[2] == "could not be run: OSError: no space left"
        assert outputs(executions[3]) == [["1"]]
        started = [event.section for event in heard if event.kind == "start"]
        assert [name for name, _ in expected] == started
        assert sorted(name for name, _ in expected) == sorted(e.section for e in heard if e.kind == "end")

    def test_no_more_than_the_slots(self, runner: Runner) -> None:
        """At most that many run at any time, and that many do."""
        running = 0
        most = []

        def count(event: schedule.Event) -> None:
            nonlocal running
            running += {"start": 1, "end": -1}.get(event.kind, 0)
            most.append(running)

        executions = schedule.run([runner.task(code("1", 3), name=name) for name in "abc"], 2, count)
        assert (max(most), running) == (2, 0)
        turns = [(execution.turn, execution.seconds) for execution in executions if execution.turn]
        assert {turn.slot for turn, _ in turns} == {0, 1}
        for slot in (0, 1):
            lane = sorted((turn.start, turn.start + seconds) for turn, seconds in turns if turn.slot == slot)
            assert all(start >= end for (_, end), (start, _) in itertools.pairwise(lane))

    def test_no_tasks(self) -> None:
        """Nothing to do gives nothing."""
        assert schedule.run([], 2, lambda event: None) == []

    def test_interrupted_once(self, runner: Runner) -> None:
        """Ctrl-C lets sections finish that run, starts no other, tells the user, and gives what there is."""
        tasks = [runner.task(code("import time\ntime.sleep(2)\n'done'", 3), name=name) for name in "abc"]
        heard: list[schedule.Event] = []
        with pytest.raises(schedule.Interrupted) as stopped:
            schedule.run(tasks, 2, self.pressing(1, runner, heard))
        assert [outputs(execution) for execution in stopped.value.executions] == [[["'done'"]]] * 2
        assert [event.section for event in heard if event.kind == "start"] == ["demo/a", "demo/b"]
        assert [event.kind for event in heard if event.note] == ["stop"]

    def test_interrupted_twice(self, runner: Runner) -> None:
        """A second Ctrl-C, even at once, kills all kernels, started or starting."""
        tasks = [runner.task(code("import time\ntime.sleep(60)", 3), name=name) for name in "ab"]
        start = time.monotonic()
        with pytest.raises(schedule.Interrupted) as stopped:
            schedule.run(tasks, 2, self.pressing(2, runner, []))
        assert time.monotonic() - start < 20
        assert stopped.value.executions == []

    def pressing(self, presses: int, runner: Runner, heard: list[schedule.Event]) -> schedule.OnEvent:
        """A listener that presses Ctrl-C soon after the first cell has started."""
        pids: list[int] = []

        def hear(event: schedule.Event) -> None:
            heard.append(event)
            if event.kind == "cell" and not pids:
                pids.extend(runner.processes())
                assert len(pids) >= 2
                for _ in range(presses):
                    asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGINT)

        return hear

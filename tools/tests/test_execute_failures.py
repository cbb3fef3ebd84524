"""Sections in which something goes wrong: the problem, the outputs so far, and nothing left running."""

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from running import PATH, Runner, clean_runner, code, outputs, problem

from bindery import schedule
from bindery.settings import SectionSettings


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs sections, and sees to it that nothing is left of them."""
    with clean_runner(tmp_path) as made:
        yield made


@pytest.mark.slow
class TestFails:
    """Sections in which something goes wrong."""

    def test_exception(self, runner: Runner) -> None:
        """The problem is on the chapter line that raised, library frames are mapped; outputs so far are kept."""
        cells = [
            code("from d2l import torch as d2l\ndef f(x):\n    return d2l.invert(x)", 3),
            code("\nprint(1)\n\nf(0)", 20),
            code("2", 30),
        ]
        execution = runner.run(*cells)
        assert (f"{PATH}:23", "cell-raised", "ZeroDivisionError: division by zero") == problem(execution)
        assert execution.error
        expected = f"""\
{PATH}:23
    f(0)
{PATH}:5, in f(x)
    return d2l.invert(x)
chapters/gan/gan.md:113, in invert(x)
    return 1 / x
ZeroDivisionError: division by zero"""
        assert expected == execution.error.detail
        assert outputs(execution) == [[], ["1\n", "ZeroDivisionError"], []]
        assert len(execution.cell_seconds) == 2
        nbformat.validate(execution.notebook)

    @pytest.mark.parametrize(
        ("source", "line", "message"),
        [
            ("x = 1\nx = = 2", 4, "SyntaxError: invalid syntax"),
            ("%%time\n\n1 / 0", 3, "ZeroDivisionError: division by zero"),
            ("%matplotlibb inline", 3, "UsageError: Line magic function `%matplotlibb` not found."),
            ("\nx = 1\nraise ExceptionGroup('many', [ValueError('one')])", 5, "ExceptionGroup: many (1 sub-exception)"),
            ("import asyncio\nawait asyncio.sleep(1 / 0)", 4, "ZeroDivisionError: division by zero"),
            (
                "input()",
                3,
                "StdinNotImplementedError: raw_input was called, but this frontend does not support input requests.",
            ),
        ],
    )
    def test_other_exceptions(self, runner: Runner, source: str, line: int, message: str) -> None:
        """Errors that IPython shows in its own ways are problems with a line, too."""
        assert (f"{PATH}:{line}", "cell-raised", message) == problem(runner.run(code(source, 3)))

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("import sys\nsys.exit(0)", "SystemExit: 0"),
            ("exit()", "this cell tells the kernel to exit"),
            ("quit", "this cell tells the kernel to exit"),
            ("import os\nos._exit(0)", "the kernel exited with status 0 in this cell"),
        ],
    )
    def test_exit(self, runner: Runner, source: str, message: str) -> None:
        """Leaving the program, even with status 0, is a problem, and later cells do not run."""
        execution = runner.run(code("1", 3), code(source, 7), code("2", 11))
        assert (f"{PATH}:7", "kernel-exited", message) == problem(execution)
        assert outputs(execution)[0] == ["1"]
        assert outputs(execution)[2] == []

    def test_killed(self, runner: Runner) -> None:
        """A kernel that is killed, as by the system when memory is short, is its cell's problem; its children die."""
        source = "import os, subprocess\n_ = subprocess.Popen(['sleep', '300'])\nos.kill(os.getpid(), 9)"
        execution = runner.run(code("1", 3), code(source, 7))
        message = "the kernel was killed by SIGKILL (is there enough memory?) in this cell"
        assert (f"{PATH}:7", "kernel-died", message) == problem(execution)
        assert outputs(execution)[0] == ["1"]

    def test_hangs(self, runner: Runner) -> None:
        """One deadline holds for the whole section, and the problem is on the line that ran when it passed."""
        cells = [code("import time\ntime.sleep(2)\nprint(1)", 3), code("print(2)\ntime.sleep(2)", 7)]
        execution = runner.run(*cells, timeout=3)
        expected = (f"{PATH}:8", "timeout", "the section's 3 seconds were over in this cell (`timeout`)")
        assert expected == problem(execution)
        assert outputs(execution) == [["1\n"], ["2\n", "KeyboardInterrupt"]]

    def test_hangs_and_does_not_listen(self, runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
        """Code that catches the interrupt is killed, and the problem is on the cell's first line."""
        source = """
            import time
            while True:
                try:
                    time.sleep(9)
                except KeyboardInterrupt:
                    print("no")
        """
        execution = runner.run(code(textwrap.dedent(source).strip(), 3), timeout=1)
        expected = (f"{PATH}:3", "timeout", "the section's 1 seconds were over in this cell (`timeout`)")
        assert expected == problem(execution)
        # The test runner hears what goes nowhere, too.
        assert [record for record in caplog.records if record.name != "bindery.silent"] == []

    @pytest.mark.parametrize("source", ["bytearray(3 << 30)", "import torch\ntorch.zeros(1 << 30)"])
    @pytest.mark.parametrize("warm", [True, False])
    def test_over_its_memory(self, runner: Runner, source: str, warm: bool) -> None:
        """What does not fit into the section's memory is a problem on the line that asks for it; others go on."""
        greedy = runner.task(code(source, 3), name="greedy")
        greedy = replace(greedy, section=replace(greedy.section, settings=SectionSettings(memory=2)))
        executions = schedule.run(
            [greedy, runner.task(code("len(bytearray(3 << 30))", 3))], 1, lambda _: None, warm=warm
        )
        place, rule, message = problem(executions[0])
        assert (place, rule) == (f"{PATH}:{2 + len(source.splitlines())}", "memory")
        assert message.startswith("more than the section's 2 GiB were asked for (`memory`): ")
        assert outputs(executions[1]) == [["3221225472"]]

    def test_runaway_output(self, runner: Runner) -> None:
        """A cell that prints without end keeps its first million characters and a note; the next cell is as it was."""
        loop = "for number in range(300_000):\n    print('line', number)"
        execution = runner.run(code(loop, 3), code("print('next')", 9))
        assert execution.error is None
        (text,), (following,) = outputs(execution)
        assert text.startswith("line 0\nline 1\n")
        assert text.endswith("\nbindery left out what this cell gave after 1,000,000 characters of text\n")
        assert 1_000_000 < len(text) < 1_000_200
        assert following == "next\n"

    def test_failing_threads_and_workers_do_not_hang(self, runner: Runner) -> None:
        """An exception in a thread or in a worker process ends with them."""
        threaded = "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()"
        worker = "import multiprocessing\nmultiprocessing.get_context('fork').Pool(1).apply(divmod, (1, 0))"
        execution = runner.run(code(threaded, 3), code(worker, 9))
        assert problem(execution)[:2] == (f"{PATH}:10", "cell-raised")
        assert "ZeroDivisionError" in outputs(execution)[0][0]

    def test_dies_at_start(self, runner: Runner) -> None:
        """A kernel that cannot start is a problem of the section, with what it printed."""
        (runner.library / "ipykernel.py").write_text("raise SystemExit('broken')\n")
        execution = runner.run(code("1", 3))
        message = "the kernel exited with status 1 before it was ready"
        assert (f"{PATH}:1", "kernel-died", message) == problem(execution)
        assert execution.error
        assert execution.error.detail == "broken\n"

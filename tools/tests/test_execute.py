"""A section that runs to its end: its notebook, its folder, its kernel and its outputs."""

import asyncio
import copy
import json
import os
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from running import PATH, Runner, clean_runner, code, outputs, read

from bindery import execute, kernels, schedule
from bindery.model import Cell, Injected, Location


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs sections, and sees to it that nothing is left of them."""
    with clean_runner(tmp_path) as made:
        yield made


def open_things() -> tuple[int, int]:
    """How many file descriptors and threads this process has."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


class TestNotebook:
    """The notebook that goes into the kernel."""

    def test_holds_every_cell_in_order(self, runner: Runner) -> None:
        """Markdown cells too, with deterministic ids, tags, options, and where they stand."""
        option = {"mystnb": {"image": {"alt": "a line"}}}
        cells = [
            Cell("markdown", "# Demo", Location(PATH, 1)),
            Cell("code", "1", Location(PATH, 5), ("claim",), option),
        ]
        notebook = execute.notebook_of(runner.task(*cells))
        nbformat.validate(notebook)
        assert [
            ("cell-0", "markdown", {"tags": [], "bindery": {"path": PATH, "line": 1}}),
            ("cell-1", "code", {"tags": ["claim"], "bindery": {"path": PATH, "line": 5}, **option}),
        ] == [(cell["id"], cell["cell_type"], cell["metadata"]) for cell in notebook["cells"]]
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        assert notebook["metadata"]["language_info"]["name"] == "python"

    def test_holds_the_injected_cell_after_the_parameters(self, runner: Runner) -> None:
        """It stands after the section's cell that its index names, and says where that is."""
        cells = [code("n = 9", 3, "parameters"), code("n", 7)]
        notebook = execute.notebook_of(runner.task(*cells, injected=Injected(0, {"n": 1})))
        nbformat.validate(notebook)
        assert [cell["source"] for cell in notebook["cells"]] == ["n = 9", "n = 1", "n"]
        injected = notebook["cells"][1]
        assert injected["id"] == "injected"
        assert injected["metadata"] == {"tags": ["injected-parameters"], "bindery": {"path": PATH, "line": 3}}

    def test_is_new_each_time(self, runner: Runner) -> None:
        """Changing one does not change the next."""
        task = runner.task(code("1", 3))
        notebook = execute.notebook_of(task)
        expected = copy.deepcopy(notebook)
        notebook["metadata"]["language_info"]["version"] = "3"
        notebook["cells"][0]["metadata"]["tags"].append("x")
        assert expected == execute.notebook_of(task)


@pytest.mark.slow
class TestPasses:
    """Sections that run to their end."""

    def test_outputs_are_kept(self, runner: Runner) -> None:
        """Results, prints, top-level await, what goes to file descriptor 1, and the library all work."""
        heard: list[schedule.Event] = []
        cells = [
            code("print('a')\nprint('b')\n6 * 7", 3),
            Cell("markdown", "text", Location(PATH, 8)),
            code("import asyncio\nawait asyncio.sleep(0)\nfrom d2l import torch as d2l\nd2l.invert(2)", 10),
            code("import os\n_ = os.write(1, b'raw\\n')", 20),
        ]
        [execution] = schedule.run([runner.task(*cells)], 1, heard.append)
        assert execution.error is None
        assert outputs(execution) == [["a\nb\n", "42"], ["0.5"], ["raw\n"]]
        nbformat.validate(execution.notebook)
        ran = [cell for cell in execution.notebook["cells"] if cell["cell_type"] == "code"]
        assert [cell["execution_count"] for cell in ran] == [1, 2, 3]
        assert (
            *(execution.section, execution.device, execution.cached),
            len(execution.cell_seconds),
        ) == ("demo/demo", "cpu", False, 3)
        assert 0 < sum(execution.cell_seconds) < execution.seconds
        expected = [("start", 0, 0), ("cell", 1, 3), ("cell", 2, 3), ("cell", 3, 3), ("end", 0, 0)]
        assert expected == [(event.kind, event.cell, event.cells) for event in heard]
        assert execution == heard[-1].execution

    def test_injected_values_are_used(self, runner: Runner) -> None:
        """The profile's value replaces the text's own in what follows, and counts as a cell."""
        cells = [code("n = 9", 3, "parameters"), code("n", 7)]
        execution = runner.run(*cells, injected=Injected(0, {"n": 1}))
        assert outputs(execution) == [[], [], ["1"]]
        assert [cell["execution_count"] for cell in execution.notebook["cells"]] == [1, 2, 3]

    def test_tagged_cells_may_raise(self, runner: Runner) -> None:
        """The exception is an output and the next cell runs."""
        execution = runner.run(code("1 / 0", 3, "raises-exception"), code("1", 7))
        assert execution.error is None
        assert outputs(execution) == [["ZeroDivisionError"], ["1"]]

    def test_twice_the_same(self, runner: Runner) -> None:
        """Running again gives the same bytes: streams are joined, standard output before standard error."""
        source = (
            "import sys, time\nfor i in range(3):\n    print(i)\n    print(i, file=sys.stderr)\n    time.sleep(0.25)"
        )
        cells = [code(source, 3), code("print({'a', 'b', 'c'})", 12)]
        first, second = (json.dumps(runner.run(*cells).notebook) for _ in range(2))
        assert first == second
        assert [output["text"] for output in json.loads(first)["cells"][0]["outputs"]] == ["0\n1\n2\n", "0\n1\n2\n"]

    def test_no_output_is_lost(self, runner: Runner) -> None:
        """A flood of outputs does not fill a queue somewhere, even while we are busy."""
        flood = "from IPython.display import display\nfor i in range(8000):\n    display(i)"

        def stall(event: schedule.Event) -> None:
            if event.cell == 2:
                loop = asyncio.get_running_loop()
                loop.call_later(0.1, time.sleep, 2)

        [execution] = schedule.run([runner.task(code("1", 1), code(flood, 3))], 1, stall)
        assert execution.error is None
        assert [str(i) for i in range(8000)] == outputs(execution)[1]

    def test_kernel_is_on_its_own(self, runner: Runner) -> None:
        """It runs this interpreter in the section's empty folder, with our settings."""
        source = f"""
            import os, sys
            same = os.path.samefile(sys.executable, {sys.executable!r})
            print(same, os.getcwd(), os.listdir(), os.environ["OMP_NUM_THREADS"])
        """
        runner.run(code("open('left', 'w').close()", 3))
        execution = runner.run(code(textwrap.dedent(source), 3))
        expected = f"True {runner.task().folder} [] {len(os.sched_getaffinity(0))}\n"
        assert [[expected]] == outputs(execution)

    def test_nothing_is_leaked(self, runner: Runner) -> None:
        """No file descriptor, thread or process outlives a run, in a session of its own or with another environment."""
        source = """
            import subprocess
            kinds = {"start_new_session": True}, {"env": {}}
            print(*(subprocess.Popen(["/bin/sleep", "300"], **kind).pid for kind in kinds))
        """
        runner.run(code("1", 3))
        before = open_things()
        execution = runner.run(code(textwrap.dedent(source), 3))
        assert before == open_things()
        numbers = [int(word) for word in outputs(execution)[0][0].split()]
        assert len(numbers) == 2
        assert [read(Path(f"/proc/{number}/cmdline")) for number in numbers] == [b"", b""]

    def test_the_most_memory_held_is_told(self, runner: Runner) -> None:
        """Also what was given back before the end."""
        small = runner.run(code("1", 1)).memory
        large = runner.run(code("x = b'1' * 2**29; del x", 1)).memory
        assert small is not None
        assert large is not None
        assert 0.01 < small < 0.4 < large < 2

    def test_no_code_no_kernel(self, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        """A section of prose alone starts nothing."""
        monkeypatch.setattr(kernels, "running", None)
        execution = runner.run(Cell("markdown", "text", Location(PATH, 8)))
        assert (execution.error, execution.cell_seconds) == (None, ())


@pytest.mark.slow
def test_figures_have_the_same_bytes_in_every_run(runner: Runner) -> None:
    """An SVG holds neither a date nor random names, and fonts are looked up inside the build folder."""
    source = (
        "%config InlineBackend.figure_formats = ['svg']\n"
        "from matplotlib import pyplot as plt\nplt.plot([1, 2])\nplt.legend(['a'])\nplt.show()"
    )
    first, second = (runner.run(code(source, 1)).notebook["cells"][0]["outputs"] for _ in range(2))
    assert "image/svg+xml" in first[0]["data"]
    assert first == second
    assert (runner.folder / "home" / "matplotlib").is_dir()

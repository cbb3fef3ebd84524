"""Kernels that this process owns: where they work, what they see, and how they end."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Runner, clean_runner

from bindery import kernels


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """Runs sections, and sees to it that nothing is left of them."""
    with clean_runner(tmp_path) as made:
        yield made


class TestFolder:
    """The directory a section works in."""

    def test_is_empty_at_the_start(self, tmp_path: Path) -> None:
        """What an earlier run left is gone."""
        folder = tmp_path / "a" / "b"
        kernels.start_afresh(folder)
        (folder / "sub").mkdir()
        (folder / "sub" / "left").touch()
        kernels.start_afresh(folder)
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize("inside", [False, True])
    def test_links_are_not_followed(self, tmp_path: Path, inside: bool) -> None:
        """A link in its place or inside it is removed, and what it leads to stays."""
        precious = tmp_path / "data"
        precious.mkdir()
        (precious / "file").touch()
        folder = tmp_path / "folder"
        if inside:
            folder.mkdir()
        (folder / "data" if inside else folder).symlink_to(precious)
        kernels.start_afresh(folder)
        assert list(folder.iterdir()) == []
        assert not folder.is_symlink()
        assert [precious / "file"] == list(precious.iterdir())


@pytest.mark.parametrize(("gpus", "seen"), [((), ""), (None, "0"), (["GPU-1", "GPU-2"], "GPU-1,GPU-2")])
def test_only_sections_that_declare_a_gpu_see_one(tmp_path: Path, gpus: list[str] | None, seen: str) -> None:
    """Otherwise the page would name a device that did not make the outputs."""
    outer = {"CUDA_VISIBLE_DEVICES": "0"}
    inner = kernels.environment(outer, Path("/library"), Path("/home"), 2, tmp_path, gpus)
    assert inner["CUDA_VISIBLE_DEVICES"] == seen


def test_environment_hides_how_the_book_is_built(tmp_path: Path) -> None:
    """Variables of bindery, make, pytest, the terminal and Python itself do not reach the section; others do."""
    outer = {"BINDERY_X": "1", "MAKEFLAGS": "j", "PYTEST_CURRENT_TEST": "t", "PYTHONSTARTUP": "s", "HOME": "/h"}
    outer |= {"NO_COLOR": "1", "TTY_COMPATIBLE": "1"}
    inner = kernels.environment({**outer, "OMP_NUM_THREADS": "64"}, Path("/library"), Path("/home"), 2, tmp_path)
    assert {"HOME"} == set(outer) & set(inner)
    assert {"/library", "0", "2"} == {inner[name] for name in ("PYTHONPATH", "PYTHONHASHSEED", "OMP_NUM_THREADS")}
    assert inner["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "GITHUB_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "DB_PASSWORD"]
)
def test_environment_hides_credentials(tmp_path: Path, name: str) -> None:
    """A cell that prints its environment prints no secret of the machine that builds."""
    inner = kernels.environment({name: "hidden", "HOME": "/h"}, Path("/library"), Path("/home"), 2, tmp_path)
    assert ("hidden" in inner.values(), inner["HOME"]) == (False, "/h")


@pytest.mark.slow
def test_killed_itself_takes_the_kernels_along(runner: Runner, tmp_path: Path) -> None:
    """When bindery is killed without a chance to clean up, its kernels notice and go."""
    script = """
import sys
from pathlib import Path
from bindery import schedule
from bindery.model import Cell, Location, Section, Task
from bindery.settings import SectionSettings
cells = (Cell("code", "import time; time.sleep(60)", Location("chapters/a.md", 1)),)
section = Section("chapters/a.md", "A", "sec_a", cells, SectionSettings())
folder = Path(sys.argv[2])
task = Task(section, None, Path(sys.argv[1]), folder, folder.with_name("home"), 60, "quick", "key", {})
schedule.run([task], 1, lambda event: print(event.kind, flush=True))
"""
    command = [sys.executable, "-c", script, str(runner.library), str(tmp_path / "run")]
    environment = {**os.environ, "TMPDIR": tempfile.gettempdir()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["start\n", "cell\n"]
        assert len(runner.processes()) == 1
        process.kill()
    deadline = time.monotonic() + 10
    while runner.processes() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert runner.processes() == []
    # The directory with its sockets is the one thing that such an end leaves behind.
    [left] = Path(tempfile.gettempdir()).iterdir()
    shutil.rmtree(left)

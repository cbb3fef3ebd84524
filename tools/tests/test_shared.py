"""The shared cache: one machine fills it, another builds from it, and nothing wrong with it stops a build."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import fsspec
import pytest
from building import BOOK, bindery, contents, edit, ran, write
from conftest import REPOSITORY
from fsspec.implementations.memory import MemoryFileSystem

from bindery import kernels, shared
from bindery.cache import Cache
from bindery.execute import notebook_of
from bindery.model import Execution, Section, Task
from bindery.settings import SectionSettings
from bindery.shared import SharedCache

GPU = {"device": "cuda", "python": "3.12", "torch": "2.15.0"}
LAPTOP = {"device": "cpu", "python": "3.11"}


def task(environment: Mapping[str, str]) -> Task:
    """A task of a section without cells, for an environment."""
    section = Section("chapters/one/a.md", "A", "", (), SectionSettings())
    nowhere = Path("unused")
    return Task(section, None, nowhere, nowhere, nowhere, 60, "full", "ab" * 16, environment)


class Machine:
    """A cache in a folder of its own, with the shared one behind it."""

    def __init__(self, folder: Path, url: str, environment: Mapping[str, str], write: bool = False) -> None:
        """What the user is told is in `told`."""
        self.told: list[str] = []
        self.task = task(environment)
        self.cache = Cache(folder, SharedCache(url, "full-real", write, self.told.append))

    def make(self) -> int:
        """Keep a result and publish it; says how many were new."""
        made = Execution("one/a", notebook_of(self.task), 2.5, (), self.task.environment["device"], False)
        self.cache.keep(self.task, made)
        return self.cache.publish([("one/a", self.task.key, self.task.environment)])

    def find(self) -> Execution | None:
        """The result, if there is one."""
        return self.cache.find(self.task.section, self.task.key, self.task.environment)


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place that nobody has used."""
    name = f"{os.getpid()}-{time.monotonic_ns()}"
    return f"file://{tmp_path}/shared" if request.param == "file" else f"memory://{name}/cache"


def test_a_reader_takes_what_another_machine_has_made(tmp_path: Path, url: str) -> None:
    """Neither device nor versions need agree, and once taken it is there without the shared cache, too."""
    assert Machine(tmp_path / "gpu", url, GPU, write=True).make() == 1
    laptop = Machine(tmp_path / "laptop", url, LAPTOP)
    found = laptop.find()
    assert found
    assert (found.device, found.cached, laptop.told) == ("cuda", True, [])
    assert laptop.cache.path(laptop.task.key, GPU).is_file()


def test_one_who_fills_it_takes_only_its_own(tmp_path: Path, url: str) -> None:
    """Another machine's result does not keep a GPU runner from running; its own is found and not put there again."""
    Machine(tmp_path / "laptop", url, LAPTOP, write=True).make()
    assert Machine(tmp_path / "gpu", url, GPU, write=True).find() is None
    assert Machine(tmp_path / "gpu", url, GPU, write=True).make() == 1
    assert Machine(tmp_path / "other", url, GPU, write=True).find()
    assert Machine(tmp_path / "gpu", url, GPU, write=True).make() == 0


def test_a_result_of_other_code_is_not_taken(tmp_path: Path, url: str) -> None:
    """The manifest names the key; a section that has been edited since has another."""
    Machine(tmp_path / "gpu", url, GPU, write=True).make()
    laptop = Machine(tmp_path / "laptop", url, LAPTOP)
    assert laptop.cache.find(laptop.task.section, "cd" * 16, LAPTOP) is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"half"])
@pytest.mark.parametrize("part", ["manifest", "entry"])
def test_damage_is_told_once_and_nothing_is_taken(tmp_path: Path, part: str, damage: bytes) -> None:
    """A result that was cut off, changed or emptied, or a manifest that cannot be read, counts as not there."""
    Machine(tmp_path / "gpu", f"file://{tmp_path}/shared", GPU, write=True).make()
    (file,) = (tmp_path / "shared").rglob("*.ipynb" if part == "entry" else "manifest*")
    file.write_bytes(file.read_bytes()[:-40] if damage == b"half" else damage)
    laptop = Machine(tmp_path / "laptop", f"file://{tmp_path}/shared", LAPTOP)
    assert laptop.find() is None
    assert laptop.find() is None
    empty = part == "manifest" and not damage
    assert len(laptop.told) == (0 if empty else 1)
    assert empty or "is damaged; the build goes on without it" in laptop.told[0]


class Slow(MemoryFileSystem):
    """A place that answers much too late."""

    protocol = "slow"
    cachable = False

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: object) -> bytes:
        """Never, as far as a test is concerned."""
        threading.Event().wait(60)
        raise AssertionError("nobody waits so long")


def test_slow_or_unavailable_it_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer in time, nobody there, no such kind of place: the build goes on."""
    monkeypatch.setattr(shared, "PATIENCE", 0.3)
    fsspec.register_implementation("slow", Slow, clobber=True)
    for url, reason in (
        ("slow://somewhere", "no answer within 0 seconds"),
        ("no-such-kind://user:word@host/x", "ValueError: Protocol not known: no-such-kind"),
    ):
        laptop = Machine(tmp_path / "laptop", url, LAPTOP)
        start = time.monotonic()
        assert laptop.find() is None
        assert laptop.find() is None
        assert time.monotonic() - start < 5
        assert len(laptop.told) == 1
        assert laptop.told[0].startswith(f"shared cache: {reason}")
        assert "word" not in laptop.told[0]


def test_sections_do_not_learn_of_it(tmp_path: Path) -> None:
    """Its URL, which may hold a password, is not in the environment of kernels."""
    outer = {"CACHE": "s3://user:word@host/x", "CACHE_MODE": "write", "AWS_SECRET_ACCESS_KEY": "word", "HOME": "/"}
    inner = kernels.environment(outer, tmp_path, tmp_path, 1, tmp_path)
    assert "word" not in json.dumps(inner)
    assert inner["HOME"] == "/"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real S3 server on this machine, with a bucket; gives the address of the server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "FSSPEC_S3_ENDPOINT_URL": address,
    }.items():
        monkeypatch.setenv(name, value)
    try:
        make = "import time, fsspec\nfor _ in range(100):\n  try: fsspec.filesystem('s3').mkdir('book'); break\n"
        make += "  except Exception: time.sleep(0.2)\nelse: raise SystemExit(1)"
        subprocess.run([sys.executable, "-c", make], check=True)
        yield address
    finally:
        server.kill()
        server.wait()


@pytest.mark.slow
def test_a_laptop_builds_the_site_from_what_a_runner_put_into_s3(s3: str, root: Path, tmp_path: Path) -> None:
    """No section runs, the pages have the same bytes, and after an edit only what it reaches runs here."""
    runner = ("--cache", "s3://book/cache", "--cache-mode", "write")
    code, output, errors = bindery(root, *runner, "html")
    assert (code, errors) == (0, "")
    assert "shared cache: 3 results put there" in output
    laptop = tmp_path / "laptop"
    write(laptop, BOOK)
    shutil.copy(REPOSITORY / "conf.py", laptop)
    code, output, errors = bindery(laptop, "--cache", "s3://book/cache", "html")
    assert (code, errors, ran(output)) == (0, "", set())
    assert "sections: 0 run, 3 unchanged" in output
    assert contents(laptop / "build/source") == contents(root / "build/source")
    edit(laptop, "one/apart.md", "no library here", "nor here")
    assert ran(bindery(laptop, "--cache", "s3://book/cache", "run")[1]) == {"one/apart"}


@pytest.mark.slow
def test_a_build_goes_on_when_the_server_has_gone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One note, exit code 0, and the sections run here."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{probe.getsockname()[1]}"
    for name in ("AWS_ENDPOINT_URL", "FSSPEC_S3_ENDPOINT_URL"):
        monkeypatch.setenv(name, gone)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    edit(root, "one/apart.md", "no library here", "nor here")
    code, output, _ = bindery(root, "--cache", "s3://book/cache", "html")
    assert (code, ran(output)) == (0, {"one/apart"})
    assert output.count("the build goes on without it") == 1

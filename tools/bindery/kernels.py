"""Kernels that this process owns: a fresh one for each section, and nothing of it left afterwards."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import IO, Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Float

from bindery.environment import OPENED, environment
from bindery.parent import Forked, WarmParent
from bindery.provision import WarmProvisioner

START_TIMEOUT = 60
"""Seconds that a kernel may take to answer at all."""

_KILL_TIMEOUT = 5
"""Seconds that we wait for killed processes to go; one that hangs in a driver may not."""

_LONGEST_TEMPORARY_PATH = 60
"""Unix socket paths may have about 100 bytes; this leaves room for our own names and those of a section's workers."""


class KernelFailed(Exception):
    """A kernel that never became ready; says why, with what it printed."""

    def __init__(self, reason: str, log: str) -> None:
        """`log` is what the process printed."""
        super().__init__(reason)
        self.log = log


@dataclass(frozen=True)
class Kernel:
    """A running kernel with its connection."""

    manager: AsyncKernelManager
    client: AsyncKernelClient
    process: subprocess.Popen[bytes] | Forked
    log_file: IO[bytes]
    private: Path

    @property
    def opened(self) -> list[str]:
        """The URLs of the data that the section has opened so far, as its data hub notes them."""
        try:
            return (self.private / OPENED).read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return []

    @property
    def memory(self) -> float | None:
        """GiB that the process has come to hold; None where the system does not tell, or when it is gone."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return None
        peak = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
        return int(peak[1]) / 2**20 if peak else None

    @property
    def log(self) -> str:
        """The end of what the process wrote to its own standard output and error."""
        return _tail(self.log_file)

    @property
    def fate(self) -> str:
        """What became of the process, as the end of a sentence."""
        code = self.process.poll()
        if code is None:
            return "stopped answering"
        if code >= 0:
            return f"exited with status {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}" + (" (is there enough memory?)" if name == "SIGKILL" else "")


class _Specifications(KernelSpecManager):
    """Knows one kernel, this interpreter's own, whatever is installed."""

    memory = Float(0)
    """GiB that it may hold, 0 for no limit."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Our kernel under any name."""
        command = [sys.executable, "-m", "bindery.launch", "-f", "{connection_file}"]
        if self.memory:
            command.append(f"--LosslessKernelApp.memory={self.memory}")
        # A history file would be shared by all kernels, and written outside the build folder.
        command.append("--HistoryManager.enabled=False")
        return KernelSpec(argv=command, language="python", display_name="Python 3")


@asynccontextmanager
async def running(
    folder: Path,
    library: Path,
    home: Path,
    threads: int,
    gpus: Sequence[str] | None = (),
    mirrors: Path | None = None,
    warm: WarmParent | None = None,
    memory: float = 0,
) -> AsyncIterator[Kernel]:
    """A kernel that works in `folder` and imports from `library`; dead and cleaned up after the block.

    It comes from the warm parent, if there is one that gives it, and is a new process otherwise. `memory` is what it
    may hold, in GiB, 0 for no limit; `gpus` are the names of those it may use, None for those of this process.
    """
    start_afresh(folder)
    # ZeroMQ drops messages over its high-water mark; a section that prints much would lose its "idle" and hang.
    context = zmq.asyncio.Context()
    context.rcvhwm = 0
    with _private_directory() as name, tempfile.TemporaryFile() as log:
        private = Path(name)
        # Without `ip`, the sockets of kernels that share a working directory would share their names.
        manager = AsyncKernelManager(
            context=context,
            kernel_spec_manager=_Specifications(memory=memory),
            connection_file=str(private / "connection.json"),
            transport="ipc",
            ip=str(private / "socket"),
        )
        if warm:
            specification = manager.kernel_spec
            manager.provisioner = WarmProvisioner(kernel_spec=specification, parent=manager, source=warm)
        try:
            await manager.start_kernel(
                cwd=str(folder),
                env=environment(dict(os.environ), library, home, threads, private, gpus, mirrors),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            client = manager.client(context=context)
            kernel = Kernel(manager, client, _process(manager), log, private)
            client.start_channels(stdin=False, hb=False, control=False)
            await _ready(kernel)
            yield kernel
        finally:
            # Nothing is awaited here: a second Ctrl-C would cancel that and leave the rest undone.
            if manager.has_kernel:
                _kill(_process(manager), private)
            context.destroy(linger=0)


def start_afresh(folder: Path) -> None:
    """Make an empty folder; a link in its place or inside it goes, what the link leads to stays."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _private_directory() -> tempfile.TemporaryDirectory[str]:
    """A new temporary directory with a path short enough to hold sockets."""
    short = len(os.fsencode(tempfile.gettempdir())) <= _LONGEST_TEMPORARY_PATH
    return tempfile.TemporaryDirectory(prefix="bindery-", dir=None if short else "/tmp", ignore_cleanup_errors=True)


def _process(manager: AsyncKernelManager) -> subprocess.Popen[bytes] | Forked:
    """The process just started; the manager forgets it when it ends, and we want its exit status."""
    provisioner: Any = manager.provisioner
    process: subprocess.Popen[bytes] | Forked = provisioner.process
    return process


async def _ready(kernel: Kernel) -> None:
    """Wait until the kernel answers and is heard on both channels.

    `wait_for_ready` of the client would then wait for 0.2 s of silence; the word "idle" tells the same at once.
    """
    deadline = monotonic() + START_TIMEOUT
    while not await _answers(kernel.client, kernel.client.kernel_info()):
        if kernel.process.poll() is not None:
            raise KernelFailed(f"the kernel {kernel.fate} before it was ready", kernel.log)
        if monotonic() > deadline:
            raise KernelFailed(f"the kernel did not answer within {START_TIMEOUT} seconds", kernel.log)


async def _answers(client: AsyncKernelClient, request: str) -> bool:
    """Whether a request is soon answered, and its end told on the channel for outputs."""
    try:
        while (await client.get_shell_msg(timeout=1))["parent_header"].get("msg_id") != request:
            pass
        while True:
            # What was published before the channel was connected is lost; then another request will tell.
            message = await client.get_iopub_msg(timeout=0.05)
            idle = message["content"].get("execution_state") == "idle"
            if idle and message["parent_header"].get("msg_id") == request:
                return True
    except Empty:
        return False


def _kill(process: subprocess.Popen[bytes] | Forked, private: Path) -> None:
    """Kill a kernel, its process group, and what it started elsewhere: that has our directory in its environment."""
    if isinstance(process, Forked):
        process.end()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_TIMEOUT)
    marker = f"IPYTHONDIR={private}".encode()
    deadline = monotonic() + _KILL_TIMEOUT
    while descendants := [number for number in _process_numbers() if marker in _environment_of(number)]:
        for number in descendants:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        if monotonic() > deadline:
            return


def _process_numbers() -> list[int]:
    """All processes there are; none where the system has no /proc."""
    proc = Path("/proc")
    return [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()] if proc.is_dir() else []


def _environment_of(number: int) -> bytes:
    """A process's environment, empty when it is gone, dying or not ours."""
    try:
        return Path(f"/proc/{number}/environ").read_bytes()
    except OSError:
        return b""


def _tail(file: IO[bytes], most: int = 4000) -> str:
    """The end of an open file, read without moving the position that the writing process shares."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), most, max(0, size - most)).decode(errors="replace")

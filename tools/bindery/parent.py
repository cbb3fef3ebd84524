"""The warm parent as the build sees it: starts it, asks it for a fork, and shows what came of that as a process.

Imports little, so that the parent's own imports, which take longest of all, can begin at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bindery.environment import environment
from bindery.model import Task

HEAVY = {
    "numpy": "numpy",
    "pandas": "pandas",
    "matplotlib": "matplotlib.pyplot",
    "torch": "torch",
    "torchvision": "torchvision",
}
"""Distributions that take long to import, and what is imported of them once for all sections."""

_START_TIMEOUT = 60
"""Seconds for all that the warm parent imports; then kernels start cold."""
_STOP_TIMEOUT = 5
"""Seconds that we wait for killed processes to go; one that hangs in a driver may not."""


class WarmFailed(Exception):
    """No kernel could be had from the warm parent; says why."""


class Forked:
    """A kernel that was forked, with the part of `subprocess.Popen` that is needed of it."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, talk: socket.socket) -> None:
        """`talk` is where the supervisor tells the status; closing it ends the kernel."""
        self.pid = pid
        self.returncode: int | None = None
        self._talk = talk

    def poll(self) -> int | None:
        """The exit status as `subprocess` gives it, None while the process lives."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                self.returncode = int(self._talk.recv(64) or -signal.SIGKILL)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process."""
        if self.poll() is None:
            self._await_word(timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired("kernel", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def end(self) -> None:
        """End the process with all that it has started, and wait until they are gone."""
        self._talk.shutdown(socket.SHUT_WR)
        with suppress(subprocess.TimeoutExpired):
            self.wait(_STOP_TIMEOUT)
            self._await_word(_STOP_TIMEOUT)  # the supervisor's end, which comes when nothing is left
        self._talk.close()

    def _await_word(self, timeout: float | None) -> None:
        poller = select.poll()
        poller.register(self._talk, select.POLLIN)
        poller.poll(None if timeout is None else timeout * 1000)


class WarmParent:
    """The warm parent as those see it who want kernels of it."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, log: IO[bytes]) -> None:
        """`control` takes requests; `log` holds what the process has printed."""
        self._process = process
        self._control = control
        self._log = log
        self._failure = ""
        self._told = False

    async def fork(self, command: Sequence[str], variables: Mapping[str, str], folder: str, log: int) -> Forked:
        """A kernel of its own for each call; raises `WarmFailed` if there is none to be had."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        request = {"command": list(command), "environment": dict(variables), "folder": folder}
        try:
            with theirs:
                socket.send_fds(self._control, [json.dumps(request).encode()], [log, theirs.fileno()])
            number = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 64), _START_TIMEOUT)
        except (OSError, TimeoutError) as error:
            ours.close()
            raise WarmFailed(str(error) or f"no answer within {_START_TIMEOUT} seconds") from error
        except BaseException:
            ours.close()
            raise
        if not number:
            ours.close()
            raise WarmFailed(self._why())
        return Forked(int(number), ours)

    def note(self, failure: WarmFailed) -> None:
        """Remember why a kernel started cold."""
        self._failure = self._failure or str(failure)

    def news(self) -> str:
        """What the user should be told, once: that kernels start cold, and why."""
        if not self._failure or self._told:
            return ""
        self._told = True
        return f"kernels start cold, which takes longer: {self._failure}"

    def _why(self) -> str:
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it has gone"


@contextmanager
def warm_parent(modules: Sequence[str], variables: Mapping[str, str]) -> Iterator[WarmParent]:
    """A warm parent that has imported these modules, for as long as the block runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with tempfile.TemporaryFile() as log, ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "bindery.warm", str(theirs.fileno()), *modules],
                env=variables,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is not for it
            )
        try:
            yield WarmParent(process, ours, log)
        finally:
            process.kill()  # its kernels have supervisors of their own
            process.wait()


@contextmanager
def parent_for(tasks: Sequence[Task], threads: int) -> Iterator[WarmParent | None]:
    """A process that has what these tasks import, if that is worth while and can be had here."""
    # Elsewhere frameworks do not survive a fork, and nothing tells when a parent ends.
    if len(tasks) < 2 or sys.platform != "linux":
        yield None
        return
    with warmed([name for task in tasks for name in task.environment], tasks[0].home, threads) as parent:
        yield parent


@contextmanager
def warmed(packages: Collection[str], home: Path, threads: int) -> Iterator[WarmParent]:
    """A warm parent that has imported what is heavy among these packages."""
    with tempfile.TemporaryDirectory(prefix="bindery-") as name:
        private = Path(name)
        variables = environment(dict(os.environ), private, home.absolute(), threads, private)
        # The library is not for the parent: each section imports its own.
        del variables["PYTHONPATH"]
        with warm_parent([module for name, module in HEAVY.items() if name in packages], variables) as parent:
            yield parent

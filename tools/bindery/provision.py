"""Kernels from a warm parent, as Jupyter's provisioner: asks for a fork, and shows what came of it as a process."""

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Any as AnyTrait

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

    async def fork(self, command: Sequence[str], environment: Mapping[str, str], folder: str, log: int) -> Forked:
        """A kernel of its own for each call; raises `WarmFailed` if there is none to be had."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        request = {"command": list(command), "environment": dict(environment), "folder": folder}
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
def warm_parent(modules: Sequence[str], environment: Mapping[str, str]) -> Iterator[WarmParent]:
    """A warm parent that has imported these modules, for as long as the block runs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with tempfile.TemporaryFile() as log, ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "bindery.warm", str(theirs.fileno()), *modules],
                env=environment,
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


class WarmProvisioner(LocalProvisioner):
    """Gets kernels from a warm parent, and starts them cold where that fails."""

    source = AnyTrait()
    """The warm parent."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """A forked kernel, or else a new process."""
        try:
            forked = await self.source.fork(cmd, kwargs["env"], kwargs["cwd"], kwargs["stdout"].fileno())
        except WarmFailed as failure:
            self.source.note(failure)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = forked
        self.pid = self.pgid = forked.pid
        self.cwd = kwargs["cwd"]
        return self.connection_info

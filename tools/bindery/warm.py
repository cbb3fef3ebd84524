"""The warm parent, a program of its own: imports what sections import, then forks a kernel for each that is asked for.

It starts no thread, touches no GPU and computes nothing, so that its children are as good as fresh. Each kernel is
forked by a supervisor of its own, which ends all that the kernel has started when the kernel ends, when whoever asked
for it goes away, or when it is told to. So the end of this process, or of the build, leaves nothing behind.

A request is a JSON object (`command`, `environment`, `folder`) that comes with two file descriptors: where the kernel
prints, and a socket on which the supervisor tells the kernel's number and, when it has ended, its status.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from bindery import launch

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h

_libc = ctypes.CDLL(None)


def main() -> None:
    """Import the modules named on the command line, then serve until the other end of the control socket closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended supervisors go by themselves
    launch.forget_working_directory()
    for name in sys.argv[2:]:
        with suppress(Exception):  # the section that imports it will say what is wrong
            importlib.import_module(name)
    if threading.active_count() > 1:
        sys.exit(f"importing {', '.join(sys.argv[2:])} starts threads, which a fork would lose")
    gc.collect()
    gc.freeze()
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 2)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _guarded(_supervise, json.loads(request), *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _guarded(work: Any, *arguments: Any) -> NoReturn:
    """Do the work of a forked process, which must never return into its parent's code."""
    try:
        work(*arguments)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _supervise(request: dict[str, Any], log: int, talk: int) -> None:
    """Fork the kernel, say its number and how it ended, and leave none of its descendants."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    asker = socket.socket(fileno=talk)
    kernel = os.fork()
    if kernel == 0:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        asker.close()
        _guarded(_become_kernel, request, log)
    os.close(log)
    ended = os.pidfd_open(kernel)
    poller = select.poll()
    poller.register(ended, select.POLLIN)
    poller.register(asker, select.POLLIN)
    try:
        asker.send(str(kernel).encode())
        while not any(descriptor == ended for descriptor, _ in poller.poll()):
            if not asker.recv(1):
                break
    except OSError:
        pass
    with suppress(ProcessLookupError):
        os.kill(kernel, signal.SIGKILL)  # a kernel that has ended is still there to be waited for
    status = os.waitstatus_to_exitcode(os.waitpid(kernel, 0)[1])
    with suppress(OSError):
        asker.send(str(status).encode())
    _end_descendants()


def _end_descendants() -> None:
    """Kill children until there are none; what they had started becomes ours as they go."""
    while True:
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    """The processes whose parent this one is."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The name, in brackets, may hold anything; state and parent follow it.
                parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[1]
                if int(parent) == os.getpid():
                    found.append(int(entry.name))
    return found


def _become_kernel(request: dict[str, Any], log: int) -> None:
    """Turn this process into what `python -m bindery.launch` would have been, but for the modules that it has."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, standard)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.path[:0] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.argv = [launch.__file__, *request["command"][3:]]
    tempfile.tempdir = None  # may have been found out while importing
    # Python's own generator is seeded anew in every fork.
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    if torch := sys.modules.get("torch"):
        torch.default_generator.seed()
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or torch.get_num_threads()))
    launch.run()
    # Of what the warm parent has, nothing is to be closed here but what ends with any Python.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()


if __name__ == "__main__":
    main()

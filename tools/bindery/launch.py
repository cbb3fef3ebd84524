"""What runs in a kernel's process: ipykernel, made to keep every output until it is read."""

from __future__ import annotations

import sys
from pathlib import Path

import zmq
from ipykernel.kernelapp import IPKernelApp


class LosslessKernelApp(IPKernelApp):
    """ipykernel without the limit over which ZeroMQ drops outputs that a busy reader has not fetched."""

    def init_iopub(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Make the socket for outputs."""
        context.sndhwm = 0
        super().init_iopub(context)  # type: ignore[no-untyped-call]  # ipykernel has no types here


def forget_working_directory() -> None:
    """Import nothing of ours from the working directory; IPython adds it again for the section."""
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]


def run() -> None:
    """Be a kernel until it is told to stop."""
    LosslessKernelApp.launch_instance()


if __name__ == "__main__":
    forget_working_directory()
    run()

"""What runs in a kernel's process: ipykernel, made to keep every output until it is read."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import zmq
from ipykernel.kernelapp import IPKernelApp
from traitlets import Float


class LosslessKernelApp(IPKernelApp):
    """ipykernel without the limit over which ZeroMQ drops outputs that a busy reader has not fetched."""

    memory = Float(0, help="GiB that this process may hold, 0 for no limit").tag(config=True)

    def initialize(self, argv: list[str] | None = None) -> None:
        """Get ready to serve."""
        super().initialize(argv)  # type: ignore[no-untyped-call]  # nor has this
        if self.memory:
            # Not the address space: packages reserve much more than they use.
            most = int(self.memory * 2**30)
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))

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

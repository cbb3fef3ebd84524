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


if __name__ == "__main__":
    # The working directory is not for our own imports; IPython adds it again for the section's.
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    LosslessKernelApp.launch_instance()

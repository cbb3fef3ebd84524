"""Gets kernels from a warm parent, and starts them cold where that fails: Jupyter's provisioner for them."""

from __future__ import annotations

from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Any as AnyTrait

from bindery.parent import WarmFailed


class WarmProvisioner(LocalProvisioner):
    """A forked kernel where there is one to be had, else a process of its own."""

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

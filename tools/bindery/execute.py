"""Runs one section in a kernel of its own: its cells in, its notebook with outputs or a problem out."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError

from bindery import kernels, traces
from bindery.data import undeclared
from bindery.model import Cell, Execution, Location, Problem, Task
from bindery.outputs import LimitedClient, executable, normalise
from bindery.parent import WarmParent

INJECTED_TAG = "injected-parameters"

_SILENT = logging.getLogger("bindery.silent")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_INTERRUPT_TIMEOUT = 2
"""Seconds that code past its deadline gets to answer an interrupt, which tells the line it was on."""

_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def notebook_of(task: Task) -> dict[str, Any]:
    """The section as a notebook without outputs, with the profile's values after the cell they replace."""
    cells = []
    for index, cell in enumerate(task.section.cells):
        cells.append(_notebook_cell(cell, f"cell-{index}"))
        if task.injected and index == task.injected.after:
            # A problem in these values is the author's, and this is the nearest line of the chapter.
            injected = Cell("code", task.injected.source, cell.location, (INJECTED_TAG,))
            cells.append(_notebook_cell(injected, "injected"))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": json.loads(json.dumps(_LANGUAGE))}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


async def execute(
    task: Task,
    on_cell: Callable[[int, int], None],
    threads: int | None = None,
    warm: WarmParent | None = None,
    gpus: Sequence[str] | None = (),
) -> Execution:
    """Run a section's code cells in order; `on_cell` hears each one's number as it starts, and of how many.

    `gpus` are the names of those that it may use, None for those of this process.
    """
    start = monotonic()
    notebook = nbformat.from_dict(notebook_of(task))  # type: ignore[no-untyped-call]  # nbformat has no types here
    seconds: list[float] = []
    error = None
    memory = None
    if any(cell.cell_type == "code" for cell in notebook.cells):
        try:
            threads = threads or len(os.sched_getaffinity(0))
            async with kernels.running(
                task.folder,
                task.library.absolute(),
                task.home.absolute(),
                threads,
                gpus,
                task.data.mirrors,
                warm,
                task.section.settings.memory,
            ) as kernel:
                error = await _Run(task, notebook, kernel).all(on_cell, seconds)
                memory = kernel.memory
        except kernels.KernelFailed as failure:
            location = Location(task.section.path, task.section.line)
            error = Problem(location, "kernel-died", str(failure), failure.log)
    normalise(notebook)
    return Execution(
        section=task.section.name,
        notebook=json.loads(json.dumps(notebook)),
        seconds=monotonic() - start,
        cell_seconds=tuple(seconds),
        device=task.environment.get("device", "cpu"),
        cached=False,
        error=error,
        memory=memory,
    )


class _Run:
    """The cells of one section on their way through its kernel, with one deadline for all."""

    def __init__(self, task: Task, notebook: nbformat.NotebookNode, kernel: kernels.Kernel) -> None:
        self.task = task
        self.kernel = kernel
        self.cells = executable(notebook)
        self.reply: dict[str, Any] = {}
        # Widget state has random names, and scripts of other hosts would have to show it.
        self.client = LimitedClient(
            notebook,
            km=kernel.manager,
            record_timing=False,
            store_widget_state=False,
            iopub_timeout=task.timeout + _INTERRUPT_TIMEOUT,
            on_cell_executed=self._hear,
        )
        self.client.kc = kernel.client
        # It takes our ending a cell for a death of the kernel, and says so; what there is to say is in our problems.
        self.client.log = _SILENT
        self.deadline = monotonic() + task.timeout

    async def all(self, on_cell: Callable[[int, int], None], seconds: list[float]) -> Problem | None:
        """Run cells up to the first that fails; adds each one's seconds to the list."""
        for count, (index, cell) in enumerate(self.cells, 1):
            on_cell(count, len(self.cells))
            start = monotonic()
            problem = await self._one(count, index, cell)
            seconds.append(monotonic() - start)
            if problem:
                return problem
        return None

    async def _one(self, count: int, index: int, cell: nbformat.NotebookNode) -> Problem | None:
        """Run one cell; gives what went wrong in it."""
        self.reply = {}
        # nbclient takes any cancelling for a dead kernel, so it gets a task that nobody else cancels.
        running = asyncio.ensure_future(self.client.async_execute_cell(cell, index))
        try:
            done, _ = await asyncio.wait({running}, timeout=max(0, self.deadline - monotonic()))
            if not done:
                await self.kernel.manager.interrupt_kernel()
                await asyncio.wait({running}, timeout=_INTERRUPT_TIMEOUT)
                message = f"the section's {self.task.timeout} seconds were over in this cell (`timeout`)"
                return self._problem("timeout", message, count, cell)
            await running
        except CellExecutionError as error:
            rule = "kernel-exited" if error.ename == "SystemExit" else "cell-raised"
            message = traces.headline(error.ename, error.evalue)
            limit = self.task.section.settings.memory
            if limit and (error.ename == "MemoryError" or "allocate memory" in error.evalue):
                rule, message = "memory", f"more than the section's {limit:g} GiB were asked for (`memory`): {message}"
            return self._problem(rule, message, count, cell)
        except DeadKernelError:
            rule = "kernel-exited" if (self.kernel.process.poll() or 0) >= 0 else "kernel-died"
            return self._problem(rule, f"the kernel {self.kernel.fate} in this cell", count, cell)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        # After `exit()` the kernel reports success, then goes on for some tenths of a second.
        if any(payload.get("source") == "ask_exit" for payload in self.reply.get("payload", ())):
            return self._problem("kernel-exited", "this cell tells the kernel to exit", count, cell)
        if fault := undeclared(self.kernel.opened, self.task.data):
            return Problem(Location(cell.metadata.bindery.path, cell.metadata.bindery.line), "data", fault)
        return None

    def _problem(self, rule: str, message: str, count: int, cell: nbformat.NotebookNode) -> Problem:
        """A problem on the line that the kernel's traceback gives, or else on the cell's first."""
        sources = _sources(self.task.library, [cell for _, cell in self.cells])
        text = "\n".join(self.reply.get("traceback", ()))
        if not text:
            # Exception groups and mistaken magics are told on standard error only.
            streams = [output for output in cell.outputs if output.get("name") == "stderr"]
            text = "".join(output.text for output in streams) or self.kernel.log
        location = traces.raised_at(text, count, sources) or sources.cells[count].line(1)
        return Problem(location, rule, message, traces.readable(text, sources))

    def _hear(self, execute_reply: dict[str, Any], **_: object) -> None:
        """Keep the kernel's answer to a cell."""
        self.reply = execute_reply["content"]


def _notebook_cell(cell: Cell, identity: str) -> dict[str, Any]:
    """A cell in the notebook format, with its tags, its options and where it stands in the book."""
    place = {"path": cell.location.path, "line": cell.location.line}
    metadata = {**cell.options, "tags": list(cell.tags), "bindery": place}
    common = {"id": identity, "cell_type": cell.kind, "metadata": metadata, "source": cell.source}
    return {**common, "execution_count": None, "outputs": []} if cell.kind == "code" else common


def _sources(library: Path, cells: list[nbformat.NotebookNode]) -> traces.Sources:
    """What maps frames of this run's tracebacks to chapter lines."""
    # Importing it takes long (all of IPython), and only failures need it.
    from ipykernel.compiler import get_file_name

    places = {}
    files = {}
    for count, cell in enumerate(cells, 1):
        location = Location(cell.metadata.bindery.path, cell.metadata.bindery.line)
        injected = INJECTED_TAG in cell.metadata.tags
        places[count] = traces.Place(location, 1) if injected else traces.Place.of(cell.source, location)
        files[Path(get_file_name(cell.source)).name] = count  # type: ignore[no-untyped-call]  # nor ipykernel
    try:
        origins = json.loads((library / "d2l" / "torch" / "_origin.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        origins = {}
    return traces.Sources(places, files, str(library.absolute()), origins)

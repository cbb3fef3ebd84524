"""Runs sections on the machines of a Ray cluster: tasks in, executions out.

Ray decides where a section runs, gives it its GPUs, and runs it again if its machine is lost. Each machine has bindery
and what the book requires; library and settings travel to it, and stand-ins are drawn there.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bindery import files
from bindery.data import choose_data
from bindery.execute import execute
from bindery.model import Execution, Task
from bindery.settings import Facts
from bindery.slots import Board, Place

if TYPE_CHECKING:
    from bindery.parent import WarmParent
    from bindery.schedule import OnCell, OnEvent, Store

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True)
class Luggage:
    """What all sections of a run need on the machine that runs them."""

    digest: str
    library: Mapping[str, bytes]
    facts: Facts
    data: str
    """The choice between published data and stand-ins."""
    packages: tuple[str, ...]
    """What sections import, for the warm parent."""


def run(
    tasks: Sequence[Task], address: str, slots: int, facts: Facts, data: str, on_event: OnEvent, store: Store
) -> list[Execution]:
    """Run all tasks on the cluster at an address, or, if there is none, on one that is started here for the run."""
    import ray

    from bindery.schedule import share_out

    with ExitStack() as stack:
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        if not ray.is_initialized():
            options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
            if address:
                ray.init(address, **options)
            else:
                os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # nobody but this process can reach it
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bindery-ray-"))
                ray.init(num_cpus=slots, include_dashboard=False, _temp_dir=folder, **options)
            stack.callback(ray.shutdown)
        luggage = ray.put(_pack(tasks, facts, data))
        section = ray.remote(run_here)

        async def there(task: Task, on_cell: OnCell, place: Place) -> Execution:
            gpus = task.section.settings.gpus if task.environment.get("device") == "cuda" else 0
            going = section.options(num_cpus=1, num_gpus=gpus, name=task.section.name).remote(task, luggage)
            try:
                execution: Execution = await going
            except asyncio.CancelledError:
                ray.cancel(going, force=True)
                raise
            return execution

        processors = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]  # it has no types
        return share_out(tasks, Board(int(processors)), there, on_event, store)


def _pack(tasks: Sequence[Task], facts: Facts, data: str) -> Luggage:
    library = tasks[0].library
    contents = {
        path.relative_to(library).as_posix(): path.read_bytes()
        for path in sorted(library.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    packages = tuple(sorted({name for task in tasks for name in task.environment}))
    return Luggage(library.name, contents, facts, data, packages)


def run_here(task: Task, luggage: Luggage) -> Execution:
    """Run one section on this machine, in the temporary folder that this user's sections share here."""
    base = Path(tempfile.gettempdir()) / f"bindery-{os.getuid()}"
    library = base / "libraries" / luggage.digest
    files.write_tree_once(library, luggage.library)
    data = choose_data(luggage.facts, luggage.data, base, os.environ.get("D2L_MIRRORS", ""))
    data.folder.mkdir(parents=True, exist_ok=True)
    # Two runs of one section, of two builds or of one whose machine was thought lost, must not meet.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=base)) / task.section.name
    files.point(folder.parent / "data", data.folder)
    try:
        here = replace(task, library=library, folder=folder, home=base / "home", data=data.use_of(task.section))
        threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
        gpus = None if task.environment.get("device") == "cuda" else ()  # Ray has set which
        warm = _warm(luggage, base / "home", threads)
        return asyncio.run(execute(here, lambda cell, cells: None, threads, warm, gpus))
    finally:
        files.remove(base / folder.relative_to(base).parts[0])


_KEPT: dict[tuple[str, ...], WarmParent] = {}
"""The warm parents of this process, which runs many sections; they end with it."""


def _warm(luggage: Luggage, home: Path, threads: int) -> WarmParent:
    if luggage.packages not in _KEPT:
        from bindery.parent import warmed

        _KEPT[luggage.packages] = ExitStack().enter_context(warmed(luggage.packages, home, threads))
    return _KEPT[luggage.packages]

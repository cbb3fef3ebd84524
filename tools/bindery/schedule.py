"""Runs many sections at once, as many as there are slots; each gets its execution, whatever happens to others."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Literal, Protocol, TypeVar

from bindery.gpus import measured
from bindery.model import Execution, Gpu, Location, Need, Problem, Task, Turn
from bindery.parent import parent_for
from bindery.slots import Board, Place, order

Result = TypeVar("Result")


@dataclass(frozen=True)
class Event:
    """What a progress display hears: a section starts, starts its next cell, ends, or waits again; or the run stops."""

    section: str
    kind: Literal["start", "cell", "end", "again", "stop"]
    cell: int = 0
    """The number of the code cell that starts, from 1."""
    cells: int = 0
    execution: Execution | None = None
    note: str = ""
    """What else the user should know."""


OnEvent = Callable[[Event], None]
OnCell = Callable[[int, int], None]
Runner = Callable[[Task, OnCell, Place], Awaitable[Execution]]
"""Runs one section, in its place if it is run here; tells each cell that starts, and of how many, if it can."""


class Store(Protocol):
    """Keeps results, each as soon as it is there."""

    def claimed(self, task: Task) -> AbstractContextManager[Execution | None]:
        """Wait for and hold a task's entry during the block; gives what another build has made of it meanwhile."""

    def keep(self, task: Task, execution: Execution) -> Execution:
        """Store a result, unless it failed."""


class KeepNothing:
    """A store for runs whose results nobody asks for again."""

    def claimed(self, task: Task) -> AbstractContextManager[Execution | None]:
        """Nothing to wait for."""
        return nullcontext()

    def keep(self, task: Task, execution: Execution) -> Execution:
        """Just the result."""
        return execution


def run(
    tasks: Sequence[Task],
    slots: int,
    on_event: OnEvent,
    store: Store | None = None,
    warm: bool = True,
    gpus: Sequence[Gpu] = (),
    threads: int = 0,
) -> list[Execution]:
    """Run all tasks on CPU slots and GPUs, starting the longest first; the executions come in the tasks' order.

    If `warm`, what several tasks import is imported once, by a process that forks their kernels; a single task gets a
    new process. Each kernel computes with so many `threads`, or with its share of the cores.

    Ctrl-C lets the sections that run finish and starts no other; a second one kills them. Then
    `Interrupted` is raised.
    """
    slots = max(1, min(slots, len(tasks)))
    threads = threads or max(1, len(os.sched_getaffinity(0)) // slots)
    with parent_for(tasks, threads) if warm else nullcontext() as parent:
        from bindery.execute import execute  # takes long to import; meanwhile the warm parent does its own

        async def here(task: Task, on_cell: OnCell, place: Place) -> Execution:
            used = [gpus[number] for number in place.memory]
            with measured(used) if used and not place.shared else nullcontext() as meter:
                execution = await execute(task, on_cell, threads, parent, [gpu.name for gpu in used])
            return replace(execution, gpu_memory=meter.peak) if meter else execution

        return share_out(tasks, Board(slots, gpus), here, on_event, store, parent.news if parent else lambda: "")


def share_out(
    tasks: Sequence[Task],
    board: Board,
    runner: Runner,
    on_event: OnEvent,
    store: Store | None = None,
    news: Callable[[], str] = lambda: "",
) -> list[Execution]:
    """Run all tasks by a runner, at most as many at once as the board has room for; `news` is for the user."""
    means = _Means(board, runner, on_event, store or KeepNothing(), news)
    try:
        asyncio.run(_run(tasks, means))
    except (asyncio.CancelledError, KeyboardInterrupt):
        means.stopping = True
    executions = [means.executions[index] for index in sorted(means.executions)]
    if means.stopping:
        raise Interrupted(executions)
    return executions


class Interrupted(KeyboardInterrupt):
    """The user has stopped a run; carries the executions that there are."""

    def __init__(self, executions: list[Execution]) -> None:
        """Of the sections that had ended by then."""
        super().__init__("stopped")
        self.executions = executions


@dataclass
class _Means:
    """What all sections of a run share."""

    board: Board
    runner: Runner
    on_event: OnEvent
    store: Store
    news: Callable[[], str]
    began: float = field(default_factory=monotonic)
    executions: dict[int, Execution] = field(default_factory=dict)
    """By the place of their task."""
    stopping: bool = False
    """Whether no further section is to start."""

    def stop(self, run: asyncio.Task[None]) -> None:
        """What Ctrl-C does to a run."""
        if self.stopping:
            run.cancel()
            return
        self.stopping = True
        self.on_event(Event("", "stop", note="finishing the sections that run; Ctrl-C once more stops them now"))


async def _run(tasks: Sequence[Task], means: _Means) -> None:
    """Start each task as soon as there is room for it."""
    run = asyncio.current_task()
    if run and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, means.stop, run)
    waiting = {index: tasks[index].need for index in order(task.need for task in tasks)}
    running: set[int] = set()
    released = asyncio.Event()

    async def occupy(index: int, place: Place) -> None:
        try:
            again = await _run_one(index, tasks[index], place, means)
            if again and not means.stopping:
                waiting[index] = again
        finally:
            means.board.release(place)
            running.discard(index)
            released.set()

    async with asyncio.TaskGroup() as group:
        while (waiting or running) and not means.stopping:
            if choice := means.board.choose(waiting):
                index, place = choice
                del waiting[index]
                running.add(index)
                group.create_task(occupy(index, place))
            else:
                released.clear()
                await released.wait()


async def _run_one(index: int, task: Task, place: Place, means: _Means) -> Need | None:
    """Run a task in its place; one that lacked memory because others were on its GPU needs one of its own then."""
    execution = await _execution(task, place, means)
    error = execution.error
    if error and place.shared and "out of memory" in f"{error.message}{error.detail}":
        note = f"{task.section.name} lacked memory beside others on a GPU; it runs again with one of its own"
        means.on_event(Event(task.section.name, "again", note=note))
        return replace(task.need, memory=None)
    means.executions[index] = execution
    with suppress(Exception):
        means.on_event(Event(task.section.name, "end", execution=execution, note=means.news()))
    return None


async def _execution(task: Task, place: Place, means: _Means) -> Execution:
    """Run a task; a failure of our own is its problem too, so that the others go on."""
    name, on_event = task.section.name, means.on_event
    turn = Turn(monotonic() - means.began, place.slot)
    try:
        on_event(Event(name, "start"))
        claim = means.store.claimed(task)
        found = await _in_thread(claim.__enter__)
        try:
            execution = found or await means.runner(
                task, lambda cell, cells: on_event(Event(name, "cell", cell, cells)), place
            )
            if not execution.cached:
                execution = means.store.keep(task, replace(execution, turn=turn))
        finally:
            claim.__exit__(None, None, None)
    except Exception as error:
        execution = replace(_failed(task, error), turn=turn)
    return execution


async def _in_thread(wait: Callable[[], Result]) -> Result:
    """What a function that may block gives; unlike the loop's own threads, this one holds up nobody's exit."""
    done: concurrent.futures.Future[Result] = concurrent.futures.Future()

    def work() -> None:
        try:
            done.set_result(wait())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(done)


def _failed(task: Task, error: Exception) -> Execution:
    """The execution of a task that could not be run."""
    from bindery.execute import notebook_of

    location = Location(task.section.path, task.section.line)
    problem = Problem(location, "kernel-died", f"could not be run: {type(error).__name__}: {error}")
    device = task.environment.get("device", "cpu")
    return Execution(task.section.name, notebook_of(task), 0.0, (), device, False, problem)

"""Runs many sections at once, as many as there are slots; each gets its execution, whatever happens to others."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal, Protocol, TypeVar

from bindery.execute import execute, notebook_of
from bindery.model import Execution, Location, Problem, Task, Turn

Result = TypeVar("Result")


@dataclass(frozen=True)
class Event:
    """What a progress display hears: a section starts, starts its next cell, or ends with its execution."""

    section: str
    kind: Literal["start", "cell", "end"]
    cell: int = 0
    """The number of the code cell that starts, from 1."""
    cells: int = 0
    execution: Execution | None = None


OnEvent = Callable[[Event], None]


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


def run(tasks: Sequence[Task], slots: int, on_event: OnEvent, store: Store | None = None) -> list[Execution]:
    """Run all tasks, starting them in the order given; the executions come in the same order.

    Ctrl-C kills the kernels, then raises KeyboardInterrupt.
    """
    return asyncio.run(_run(tasks, slots, on_event, store or KeepNothing()))


async def _run(tasks: Sequence[Task], slots: int, on_event: OnEvent, store: Store) -> list[Execution]:
    """Share the tasks out over the slots."""
    executions: dict[int, Execution] = {}
    waiting = iter(enumerate(tasks))
    slots = max(1, min(slots, len(tasks)))
    threads = max(1, len(os.sched_getaffinity(0)) // slots)
    began = monotonic()
    async with asyncio.TaskGroup() as group:
        for slot in range(slots):
            group.create_task(_fill_slot(slot, began, waiting, executions, threads, on_event, store))
    return [executions[index] for index in range(len(tasks))]


async def _fill_slot(
    slot: int,
    began: float,
    waiting: Iterator[tuple[int, Task]],
    executions: dict[int, Execution],
    threads: int,
    on_event: OnEvent,
    store: Store,
) -> None:
    """Run one task after the other in a slot."""
    for index, task in waiting:
        turn = Turn(monotonic() - began, slot)
        execution = await _run_one(task, threads, on_event, store)
        executions[index] = execution if execution.cached else replace(execution, turn=turn)


async def _run_one(task: Task, threads: int, on_event: OnEvent, store: Store) -> Execution:
    """Run a task; a failure of our own is its problem too, so that the others go on."""
    name = task.section.name
    try:
        on_event(Event(name, "start"))
        claim = store.claimed(task)
        found = await _in_thread(claim.__enter__)
        try:
            execution = found or await execute(
                task, lambda cell, cells: on_event(Event(name, "cell", cell, cells)), threads
            )
            execution = store.keep(task, execution)
        finally:
            claim.__exit__(None, None, None)
        on_event(Event(name, "end", execution=execution))
    except Exception as error:
        execution = _failed(task, error)
        with suppress(Exception):
            on_event(Event(name, "end", execution=execution))
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
    location = Location(task.section.path, task.section.line)
    problem = Problem(location, "kernel-died", f"could not be run: {type(error).__name__}: {error}")
    device = task.environment.get("device", "cpu")
    return Execution(task.section.name, notebook_of(task), 0.0, (), device, False, problem)

"""Shows a run as it goes: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bindery.schedule import Event, OnEvent


@contextmanager
def showing(console: Console, sections: int) -> Iterator[OnEvent]:
    """A listener for the events of a run of this many sections."""
    if console.is_terminal:
        with _Bars(console, sections) as bars:
            yield bars.hear
    else:
        yield _Lines(console, sections).hear


class _Lines:
    """One line for each section that ends."""

    def __init__(self, console: Console, sections: int) -> None:
        self.console = console
        self.sections = sections
        self.ended = 0

    def hear(self, event: Event) -> None:
        if event.kind == "end" and event.execution:
            self.ended += 1
            outcome = "failed" if event.execution.error else "another build ran" if event.execution.cached else "ran"
            seconds = f"{event.execution.seconds:.1f} s"
            self.console.print(f"[{self.ended}/{self.sections}] {outcome} {event.section} in {seconds}", markup=False)
        if event.note:
            self.console.print(event.note, markup=False)


class _Bars:
    """One bar for the whole run and one for each section that is running."""

    def __init__(self, console: Console, sections: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True)
        self.all = self.progress.add_task("sections", total=sections)
        self.running: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def hear(self, event: Event) -> None:
        if event.kind == "start":
            self.running[event.section] = self.progress.add_task(f"  {event.section}", total=None)
        elif event.kind == "cell":
            self.progress.update(self.running[event.section], completed=event.cell - 1, total=event.cells)
        elif event.kind in ("end", "again"):
            self.progress.remove_task(self.running.pop(event.section))
            self.progress.advance(self.all, event.kind == "end")
        if event.note:
            self.progress.console.print(event.note, markup=False)

"""One book on the workbench, from its files to executed sections: composes the stages, and tells what it did."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bindery import files
from bindery.book import read_book
from bindery.cache import Cache, entry_of
from bindery.data import Data, choose_data, picture_of
from bindery.gpus import discover
from bindery.library import Library
from bindery.model import Book, Execution, Gpu, Mistyped, Need, Problem, ProblemsFound, Task
from bindery.plan import Step, entries_in_use, make_plan, remember_inputs
from bindery.recall import made_from, recall, remember
from bindery.settings import Facts
from bindery.shared import SharedCache
from bindery.slots import makespan, order
from bindery.tangle import tangle
from bindery.tidy import tidy
from bindery.validate import hint

if TYPE_CHECKING:
    from bindery.schedule import OnEvent


@dataclass(frozen=True)
class Choices:
    """What the command line decides."""

    profile: str = "quick"
    slots: int = 1
    gpus: str = "auto"
    """Which GPUs sections may use: `auto`, `0` for none, a number, or a list of numbers."""
    data: str = "standin"
    warm: bool = True
    """Whether kernels are forked from a process that has imported what they need."""
    cache: str = ""
    """The URL of a shared cache."""
    cache_mode: str = "read"
    cache_size: float = 2
    """GiB that the cache in the build folder may have."""
    runner: str = "local"
    """`local` or `ray`."""
    ray_address: str = ""
    """Of a cluster; without one, a cluster is started here for the run."""


class Workshop:
    """A book, its build folder, and the choices made on the command line."""

    def __init__(self, root: Path, choices: Choices, console: Console) -> None:
        """Work on the book in `root`; nothing is read yet."""
        self.root = root
        self.build = root / "build"
        self.choices = choices
        self.console = console
        kind, write = f"{choices.profile}-{choices.data}", choices.cache_mode == "write"
        shared = SharedCache(choices.cache, kind, write, self.say) if choices.cache else None
        self.store = Cache(self.build / "cache", shared)
        self.done: dict[str, Execution] = {}
        """What has become of the sections so far."""

    @cached_property
    def _inputs(self) -> str:
        return made_from(self.root)

    @cached_property
    def _remembered(self) -> tuple[Book, Library] | None:
        return recall(self.build, self._inputs)

    @cached_property
    def book(self) -> Book:
        """The book, read once."""
        return self._remembered[0] if self._remembered else read_book(self.root)

    @property
    def known_facts(self) -> Facts | None:
        """The book's facts, if there is a book here and nothing is wrong with it."""
        try:
            return self.book.facts
        except ProblemsFound:
            return None

    @cached_property
    def library(self) -> Library:
        """The library, tangled once and written where kernels find it."""
        library = self._remembered[1] if self._remembered else tangle(self.book)
        self.put(library, self.build / "library")
        return library

    def keep(self) -> None:
        """Remember what was read, for the next command."""
        read = "library" in vars(self) and not self._remembered
        if read and made_from(self.root) == self._inputs:  # nobody has saved a chapter meanwhile
            remember(self.build, self._inputs, self.book, self.library)

    def put(self, library: Library, link: Path) -> None:
        """Write a library into a folder of its own, which nothing changes any more, and let a link lead there."""
        folder = self.build / "libraries" / library.digest
        files.write_tree_once(folder, {path: text.encode() for path, text in library.files.items()})
        files.point(link, folder)

    @cached_property
    def data(self) -> Data:
        """The data sets in use; stand-ins are drawn if a section declares data and they are not there."""
        declared = any(section.settings.data for section in self.book.sections())
        return self._choose_data(self.choices.data if declared else "real")

    @cached_property
    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that sections of this book may use on this machine."""
        declared = any(section.settings.gpus for section in self.book.sections())
        return discover(self.choices.gpus, os.environ) if declared and not self._gpus_elsewhere else ()

    @property
    def _gpus_elsewhere(self) -> bool:
        """Whether the user says that a cluster's machines have GPUs, of which this one knows nothing."""
        return self.choices.runner == "ray" and self.choices.gpus not in ("auto", "0")

    @property
    def _on_gpus(self) -> bool:
        """Whether sections that declare a GPU get one."""
        return self._gpus_elsewhere or bool(self.gpus)

    def _choose_data(self, choice: str) -> Data:
        return choose_data(self.book.facts, choice, self.build, os.environ.get("D2L_MIRRORS", ""), self.say)

    @cached_property
    def steps(self) -> list[Step]:
        """What a build would do, section by section."""
        steps = make_plan(
            self.book, self.library, self.choices.profile, self.store, self.build, self.data, self._on_gpus
        )
        for name in sorted(self.store.damaged):
            self.say(f"cache: the stored result of {name} is damaged and is not used")
        return steps

    def say(self, text: str) -> None:
        """Tell the user something."""
        self.console.print(text, markup=False)

    def lib(self) -> list[Problem]:
        """Tangle."""
        self.say(f"library: {self.counts(self.library)}, in build/library")
        return []

    def counts(self, library: Library) -> str:
        """How large a library is."""
        return f"{len(library.definitions)} names in {len(library.lines)} modules"

    def make_data(self, picture: Path | None) -> list[Problem]:
        """Draw the stand-ins, say what is used for each data set, and make a picture of what was drawn."""
        data = self._choose_data(self.choices.data)
        for line in data.lines(self.root):
            self.say(line)
        if picture and data.drawn:
            files.write_if_changed(picture, picture_of(data))
            self.say(f"picture: {picture}")
        return []

    def plan(self, why: str) -> list[Problem]:
        """Say what would run."""
        if why:
            return self._why(why)
        waiting = [step for step in self.steps if not step.cached]
        waiting = [waiting[number] for number in order(step.task.need for step in waiting)]
        for step in waiting:
            seconds = step.task.need.seconds
            estimate = f"about {seconds:.0f} s" if seconds is not None else "not timed yet"
            more = f", and {len(step.changes) - 1} more" if len(step.changes) > 1 else ""
            self.say(f"would run {step.section.name} ({estimate}): {step.changes[0]}{more}")
        forecast = self._forecast([step.task.need for step in waiting])
        self.say(f"{len(waiting)} of {len(self.steps)} sections would run{forecast}")
        return []

    def _forecast(self, needs: list[Need]) -> str:
        """How long these would take, as far as they have been timed; no build can be shorter than its longest."""
        known = [need.seconds for need in needs if need.seconds is not None]
        if not known:
            return ""
        slots, wall = self.choices.slots, makespan(needs, self.choices.slots, self.gpus)
        places = f"{slots} slot{'s' if slots != 1 else ''}"
        if any(need.gpus for need in needs):
            places += f" and {len(self.gpus)} GPU{'s' if len(self.gpus) != 1 else ''}"
        untimed = f", besides {len(needs) - len(known)} not timed yet" if len(known) < len(needs) else ""
        return f": about {wall:.0f} s on {places}, of which the longest takes {max(known):.0f} s{untimed}"

    def _why(self, name: str) -> list[Problem]:
        name = name.removeprefix("chapters/").removesuffix(".md").removesuffix(".ipynb")
        step = next((step for step in self.steps if step.section.name == name), None)
        if step is None:
            known = [step.section.name for step in self.steps]
            raise Mistyped(f"no section `{name}` has code{hint(name, known)}")
        for change in step.changes or ("nothing changed: its stored result is used",):
            self.say(f"{name}: {change}")
        return []

    def run(self, only: str = "") -> list[Problem]:
        """Run what changed."""
        executions = self.execute(self.chosen(only) if only else self.steps)
        return [execution.error for execution in executions.values() if execution.error]

    def chosen(self, only: str) -> list[Step]:
        """The steps of a section or of a chapter."""
        chosen = [step for step in self.steps if step.section.name == only or step.section.name.startswith(f"{only}/")]
        if not chosen:
            known = {part for step in self.steps for part in (step.section.name, step.section.chapter)}
            raise Mistyped(f"no section or chapter `{only}` has code{hint(only, known)}")
        return chosen

    def execute(self, steps: list[Step]) -> dict[str, Execution]:
        """One execution for each step, stored or made now."""
        done = {step.section.name: step.cached for step in steps if step.cached}
        waiting = [step for step in steps if not step.cached]
        stopped: KeyboardInterrupt | None = None
        if waiting:
            from bindery import schedule
            from bindery.progress import showing

            self.data.folder.mkdir(parents=True, exist_ok=True)
            for step in waiting:
                files.point(step.task.folder.parent / "data", self.data.folder)
            tasks = [step.task for step in waiting]
            with showing(self.console, len(waiting)) as on_event:
                try:
                    made = self._run_tasks(tasks, on_event)
                except schedule.Interrupted as interrupted:
                    made, stopped = interrupted.executions, interrupted
            done |= {execution.section: execution for execution in made}
        self._keep_account(steps, done)
        if stopped:
            raise stopped
        return done

    def _run_tasks(self, tasks: list[Task], on_event: OnEvent) -> list[Execution]:
        """Run tasks on this machine, or on those of a cluster."""
        choices = self.choices
        if choices.runner == "ray":
            from bindery import remote

            return remote.run(
                tasks, choices.ray_address, choices.slots, self.book.facts, choices.data, on_event, self.store
            )
        from bindery import schedule

        return schedule.run(tasks, choices.slots, on_event, self.store, choices.warm, self.gpus)

    def _keep_account(self, steps: list[Step], done: dict[str, Execution]) -> None:
        """Note for the next plan and for the report what has become of sections, and show failures."""
        self.done |= done
        remember_inputs(self.build, steps, done.values())
        if self.choices.cache_mode == "write":
            good = [step.task for step in steps if step.section.name in done and not done[step.section.name].error]
            new = self.store.publish((task.section.name, task.key, task.environment) for task in good)
            self.say(f"shared cache: {new} results put there")
        for name, execution in done.items():
            partial = self.build / "report" / "failed" / f"{name}.ipynb"
            if not execution.error:
                files.remove(partial)
            else:
                files.write_if_changed(partial, (json.dumps(execution.notebook, indent=1) + "\n").encode())
                self.say(f"{name} failed; its outputs so far are in {partial.relative_to(self.root)}")
        run = sum(not execution.cached for execution in done.values())
        if run:
            self._tidy(done.values())
        self.say(f"sections: {run} run, {len(done) - run} unchanged")

    def _tidy(self, done: Iterable[Execution]) -> None:
        """Keep the cache under its size."""
        used = {entry for execution in done if (entry := entry_of(execution))}
        limit = self.choices.cache_size
        removed, left = tidy(self.store.folder, used, entries_in_use(self.build, self.book), int(limit * 2**30))
        if removed:
            self.say(f"cache: removed {removed} result{'s' if removed != 1 else ''} that nothing had used for longest")
        if left > limit * 2**30:
            takes = f"{left / 2**20:,.2f} MiB, more than the {limit * 2**10:,.0f} MiB that it may have"
            self.say(f"cache: the results in use take {takes}")

    @cached_property
    def executions(self) -> dict[str, Execution]:
        """All executions of the book; raises `ProblemsFound` if a section failed, so that nothing is built on it."""
        executions = self.execute(self.steps)
        problems = [execution.error for execution in executions.values() if execution.error]
        if problems:
            raise ProblemsFound(problems)
        return executions

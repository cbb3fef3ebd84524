"""What a build would run, why, and for how long: book, library and cache in, steps out. Runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bindery.cache import Cache, Inputs, entry_of, injected_cell, inputs_of
from bindery.data import Data
from bindery.files import write_if_changed
from bindery.library import Library
from bindery.model import Book, Execution, Location, Need, Problem, ProblemsFound, Section, Task
from bindery.validate import hint


@dataclass(frozen=True)
class Step:
    """One section with code: its stored result, or the task that would make it and what changed since last time."""

    section: Section
    inputs: Inputs
    task: Task
    cached: Execution | None
    changes: tuple[str, ...]


def make_plan(
    book: Book, library: Library, profile: str, cache: Cache, build: Path, data: Data, gpus: bool = False
) -> list[Step]:
    """One step for each section that has code, in reading order; raises `ProblemsFound` for unknown data sets.

    `gpus` tells whether sections that declare a GPU get one.
    """
    problems = []
    steps = []
    for section in book.sections():
        for name in section.settings.data:
            if name not in book.facts.data:
                message = f"data set `{name}` is not in chapters/book.yml{hint(name, book.facts.data)}"
                problems.append(Problem(Location(section.path, 1), "data", message))
        if not section.code:
            continue
        inputs = inputs_of(section, profile, library, data.checksums, gpus)
        before, seconds, memory = _read_last(build, section, profile)
        task = Task(
            section=section,
            injected=injected_cell(section, profile),
            library=build / "libraries" / library.digest,
            folder=build / "run" / section.name,
            home=build / "home",
            timeout=section.settings.timeout,
            profile=profile,
            key=inputs.key,
            environment=inputs.environment,
            data=data.use_of(section),
            need=Need(section.settings.gpus if gpus else 0, memory, seconds),
        )
        cached = cache.find(section, inputs.key, inputs.environment)
        changes = () if cached else tuple(_changes(before, inputs))
        steps.append(Step(section, inputs, task, cached, changes))
    if problems:
        raise ProblemsFound(problems)
    return steps


def _last_path(build: Path, section: Section, profile: str) -> Path:
    return build / "history" / profile / f"{section.name}.json"


def _read_last(build: Path, section: Section, profile: str) -> tuple[object, float | None, float | None]:
    """The digests of what the last good result was made from, how many seconds it took, and GiB of a GPU."""
    try:
        last = json.loads(_last_path(build, section, profile).read_text(encoding="utf-8"))
        inputs, seconds, memory = last["inputs"], float(last["seconds"]), last.get("gpu_memory")
        return inputs, seconds, None if memory is None else float(memory)
    except (OSError, ValueError, KeyError, TypeError):
        return None, None, None


def remember_inputs(build: Path, steps: Iterable[Step], executions: Iterable[Execution]) -> None:
    """Note what each good result was made from, so that the next plan can say what changed."""
    done = {execution.section: execution for execution in executions if not execution.error}
    for step in steps:
        if execution := done.get(step.section.name):
            memory = step.task.need.memory if execution.gpu_memory is None else execution.gpu_memory
            last = {
                "seconds": execution.seconds,
                "gpu_memory": memory,
                "entry": entry_of(execution),
                "inputs": step.inputs.summary(),
            }
            text = json.dumps(last, indent=1, sort_keys=True) + "\n"
            write_if_changed(_last_path(build, step.section, step.task.profile), text.encode())


def entries_in_use(build: Path, book: Book) -> set[str]:
    """The cache's entries that hold the last good results of the book's sections, in any profile."""
    found = set()
    for section in book.sections():
        for path in (build / "history").glob(f"*/{section.name}.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                found.add(json.loads(path.read_text(encoding="utf-8"))["entry"])
    return found


def _changes(before: object, inputs: Inputs) -> list[str]:
    """Which inputs differ from last time, one line each."""
    if not isinstance(before, dict):
        return ["it has not run yet"]
    lines = []
    for kind, now in inputs.summary().items():
        then = before.get(kind, {})
        for name in sorted({*then, *now}, key=lambda text: (len(text), text)):
            if name not in then:
                lines.append(f"{kind} `{name}` is new")
            elif name not in now:
                lines.append(f"{kind} `{name}` is gone")
            elif then[name] != now[name]:
                readable = kind in ("environment", "injected value")
                lines.append(f"{kind} `{name}` changed" + (f": {then[name]} → {now[name]}" if readable else ""))
    return lines or ["its stored result is gone"]

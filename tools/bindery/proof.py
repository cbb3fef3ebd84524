"""Holds what sections show against the baseline, as a proof is held against the copy; and accepts what they show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bindery import files, schedule
from bindery.baseline import FOLDER, Baseline, codes, learned, path_of, read_baseline, to_bytes
from bindery.cache import entry_of
from bindery.drift import Moved, moved, speed
from bindery.driftpage import Compared, to_page
from bindery.model import Execution, Location, Problem, ProblemsFound
from bindery.plan import Step
from bindery.progress import showing
from bindery.report import DRIFT_PAGE

if TYPE_CHECKING:
    from bindery.press import Press

_PLAIN = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "AVX",
    "ONEDNN_MAX_CPU_ISA": "AVX",
    "OPENBLAS_CORETYPE": "Sandybridge",
}
"""What makes PyTorch and NumPy round as on an older processor, where no instruction multiplies and adds at once."""
_PATIENCE = 4
"""Such runs may take so many times as long as the section's front matter allows."""


class Proof:
    """A book's executions beside its baseline."""

    def __init__(self, press: Press) -> None:
        """Take the executions from this press."""
        self.press = press

    def compare(self) -> list[Problem]:
        """Say what has moved, and write a page with before and after side by side."""
        executions = self.press.execute(self.press.steps)
        failed = [execution.error for execution in executions.values() if execution.error]
        steps = {step.section.name: step for step in self.press.steps if not executions[step.section.name].error}
        baselines, problems = self._read(steps)
        pace = speed((found.seconds, executions[name].seconds) for name, found in baselines.items())
        all_moved: list[Moved] = []
        compared = []
        for name, baseline in baselines.items():
            found = moved(steps[name].section, executions[name], baseline, pace)
            all_moved += found
            kept = self._kept(baseline) if found else None
            compared += [Compared(each, kept, executions[name].notebook) for each in found]
        page = self.press.build / "report" / DRIFT_PAGE
        files.write_if_changed(page, to_page(self.press.book.facts.title, compared, len(baselines), problems))
        self.press.say(
            f"drift: {len(baselines)} sections compared, {len(all_moved)} outputs have moved, in {self._shown(page)}"
        )
        return failed + problems + [each.problem for each in all_moved]

    def accept(self, names: Sequence[str], runs: int) -> list[Problem]:
        """Record what sections show as their baseline; 0 `runs` are as many as the baseline had that they replace."""
        steps = list({step.section.name: step for name in names for step in self.press.chosen(name)}.values())
        made = {name: [execution] for name, execution in self.press.execute(steps).items()}
        wanted = {step.section.name: runs or self._runs_before(step) for step in steps}
        for count in range(1, max(wanted.values())):
            again = [step for step in steps if wanted[step.section.name] > count and _good(made[step.section.name])]
            for execution in self._run_again(again, count):
                made[execution.section].append(execution)
        problems = []
        for step in steps:
            executions = made[step.section.name]
            if not _good(executions):
                problems += [execution.error for execution in executions if execution.error]
                continue
            baseline = learned(step.section, executions, entry_of(executions[0]))
            files.write_if_changed(self.press.root / _path(step), to_bytes(baseline))
            self.press.say(f"accepted {step.section.name}: {_summary(baseline)}, in {_path(step)}")
        return problems

    def _read(self, steps: Mapping[str, Step]) -> tuple[dict[str, Baseline], list[Problem]]:
        """The baselines of sections, and which are missing, damaged, or of no section."""
        found: dict[str, Baseline] = {}
        problems: list[Problem] = []
        for name, step in steps.items():
            try:
                baseline = read_baseline(self.press.root, _path(step))
            except ProblemsFound as damaged:
                problems += damaged.problems
                continue
            if baseline:
                found[name] = baseline
            else:
                message = f"there is no baseline {_path(step)}; `bindery drift accept {name}` records one"
                problems.append(Problem(Location(step.section.path, step.section.line), "drift", message))
        known = {step.section.name for step in self.press.steps}
        for file in sorted((self.press.root / FOLDER).glob("*/**/*.json")):
            name = file.relative_to(self.press.root / FOLDER).with_suffix("").as_posix().partition("/")[2]
            if name not in known:
                message = "the baseline of a section that the book has no longer, or not with code; delete this file"
                problems.append(Problem(Location(self._shown(file), 1), "drift", message))
        return found, problems

    def _runs_before(self, step: Step) -> int:
        try:
            before = read_baseline(self.press.root, _path(step))
        except ProblemsFound:
            before = None
        return before.runs if before else 1

    def _run_again(self, steps: Sequence[Step], count: int) -> list[Execution]:
        """Run sections once more, as another machine would: with other threads, and every other time plainly."""
        if not steps:
            return []
        place = self.press.build / "run" / f"again-{count}"
        tasks = [
            replace(step.task, folder=place / step.section.name, timeout=_PATIENCE * step.task.timeout)
            for step in steps
        ]
        data = self.press.data
        data.folder.mkdir(parents=True, exist_ok=True)
        for task in tasks:
            files.point(task.folder.parent / "data", data.folder)
        choices = self.press.choices
        try:
            with _instructions(plain=count % 2 == 1), showing(self.press.console, len(tasks)) as on_event:
                return schedule.run(tasks, choices.slots, on_event, None, choices.warm, self.press.gpus, threads=count)
        finally:
            files.remove(place)

    def _kept(self, baseline: Baseline) -> dict[str, Any] | None:
        """The notebook that a baseline was made of, if the cache still has it."""
        file = self.press.store.folder / baseline.entry
        if not baseline.entry or not file.is_file():
            return None
        notebook: dict[str, Any] = json.loads(file.read_bytes())
        return notebook if codes(notebook) == [cell.code for cell in baseline.cells] else None

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.press.root).as_posix()


@contextmanager
def _instructions(plain: bool) -> Iterator[None]:
    """Let kernels that start meanwhile use all instructions of the processor, or only those that any has."""
    before = dict(os.environ)
    os.environ.update(_PLAIN if plain else {})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _path(step: Step) -> str:
    """Where a section's baseline lies; one that profile or data do not touch has the same under all of them."""
    profile = "quick" if step.task.injected else "full"
    data = "real" if "real" in step.task.data.declared.values() else "standin"
    return path_of(step.section.name, profile, data, step.task.environment["device"])


def _good(executions: Sequence[Execution]) -> bool:
    return not any(execution.error for execution in executions)


def _summary(baseline: Baseline) -> str:
    """What was learned, for the one who accepts it."""
    outputs = [output for cell in baseline.cells for output in cell.outputs]
    bands = sum(len(output.numbers) for output in outputs)
    loose = sum(bool(output.loose) for output in outputs)
    runs = f"{baseline.runs} runs" if baseline.runs > 1 else "one run"
    unsteady = f", {loose} too unsteady to compare" if loose else ""
    return f"{len(outputs)} outputs of {runs}, {bands} numbers with bands{unsteady}"

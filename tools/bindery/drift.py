"""Whether a section's outputs have moved from its baseline, and where: an execution in, the moved cells out. Pure."""

from __future__ import annotations

import difflib
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bindery.baseline import ANYWHERE, Baseline, Curve, Output, shown, unsteady
from bindery.curves import alike, distance
from bindery.model import Execution, Location, Problem, Section
from bindery.quantities import WIDER, Move, moves
from bindery.report import placed_cells
from bindery.thumbnails import likeness

NEAR = 10
"""Thousandths of the axes that something drawn may move: less than a line's width."""
ALIKE = 0.95
"""How alike two thumbnails must be."""
SLOWER, LONGER = 3.0, 30.0
"""A section has become slow if it takes so many times as long as others have changed, and so many seconds more; what
else the machine does may slow it down, too."""
FULLER, MORE = 1.5, 0.5
"""A section has become large if it holds so many times the memory, and so many GiB more."""
TELLING = 5
"""Sections whose times tell how fast this machine is beside that of the baseline."""
FEW = 3
"""Moves that a message names before it counts."""


@dataclass(frozen=True)
class Moved:
    """An output that has moved, or a cell that has none to compare with, or what a section as a whole takes."""

    location: Location
    parts: tuple[str, ...]
    """What has moved in it, each in words."""
    before: Output | None = None
    now: Output | None = None
    moves: tuple[Move, ...] = ()
    """What of the text has moved."""
    place: tuple[int, int, int] | None = None
    """The numbers of the code cell in the baseline, of that in the run, and of the output in both, from 0."""

    @property
    def problem(self) -> Problem:
        """The same for an author."""
        more = f"; and {len(self.parts) - FEW} more" if len(self.parts) > FEW else ""
        return Problem(self.location, "drift", "; ".join(self.parts[:FEW]) + more)


def speed(times: Iterable[tuple[float, float]]) -> float:
    """How many times as long this machine takes as that of the baselines, which is the median of many sections.

    For each section, the seconds of its baseline and its own; where these are equal, it is the same run.
    """
    ratios = [now / before for before, now in times if before > 1 and round(now, 1) != before]
    return statistics.median(ratios) if len(ratios) >= TELLING else 1.0


def moved(section: Section, execution: Execution, baseline: Baseline, pace: float = 1.0) -> list[Moved]:
    """All that has moved; `pace` is by how much this machine is slower."""
    places = [cell for cell, _ in placed_cells(section, execution.notebook)]
    before, now = baseline.cells, shown(section, execution.notebook)
    found = []
    for old, new in _matched([cell.code for cell in before], [cell.code for cell in now]):
        then = before[old].outputs if old is not None else ()
        here = now[new].outputs if new is not None else ()
        where = places[new].location if new is not None else Location(section.path, section.line)
        if new is None and then:
            what = "a cell is gone whose outputs are in the baseline; if this is meant, accept the section"
            found.append(Moved(where, (what,), then[0]))
        elif old is None and here:
            what = "this cell is not in the baseline; if its outputs are right, accept the section"
            found.append(Moved(where, (what,), None, here[0]))
        elif [output.kind for output in then] != [output.kind for output in here]:
            kinds = [" and ".join(output.kind for output in side) or "nothing" for side in (then, here)]
            what = f"it shows {kinds[1]}, where it showed {kinds[0]}"
            found.append(Moved(where, (what,), then[0] if then else None, here[0] if here else None))
        elif new is not None and not unsteady(places[new]):
            for count, (one, other) in enumerate(zip(then, here, strict=True)):
                place = (old or 0, new, count)
                found += list(_compared(where, one, other, place))
    return found + list(_costs(section, execution, baseline, pace))


def _matched(before: Sequence[str], now: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Which cell is which, by digests of their code; of cells rewritten in one place, the first is the first."""
    matcher = difflib.SequenceMatcher(None, before, now, autojunk=False)
    for _, first, last, start, end in matcher.get_opcodes():
        shared = min(last - first, end - start)
        yield from zip(range(first, first + shared), range(start, start + shared), strict=True)
        yield from ((old, None) for old in range(first + shared, last))
        yield from ((None, new) for new in range(start + shared, end))


def _compared(location: Location, before: Output, now: Output, place: tuple[int, int, int]) -> Iterator[Moved]:
    found: list[Move] = []
    parts = []
    if "text" not in before.loose:
        found = moves("\n".join(before.text), "\n".join(now.text), before.numbers)
        parts += [str(move) for move in found]
    if "curves" not in before.loose:
        parts += list(_curves(before.curves, now.curves))
    if "pictures" not in before.loose:
        parts += list(_pictures(before, now))
    if parts:
        yield Moved(location, tuple(parts), before, now, tuple(found), place)


def _curves(before: Sequence[Curve], now: Sequence[Curve]) -> Iterator[str]:
    if len(before) != len(now):
        yield f"{len(before)} things drawn → {len(now)}"
        return
    counts: Counter[str] = Counter()
    for old, new in zip(before, now, strict=True):
        counts[old.kind] += 1
        name = f"{'ticks of axis' if old.kind == 'ticks' else old.kind} {counts[old.kind]}"
        if old.room >= ANYWHERE:
            continue
        if not alike(old.drawn, new.drawn):
            yield f"{name}: {old.count} {old.kind} → {new.count} {new.kind}"
            continue
        apart, room = distance(old.drawn, new.drawn), NEAR + WIDER * old.room
        if apart > room:
            yield f"{name}: moved by {apart / 10:.1f}% of the axes (up to {room / 10:.1f}% is noise)"


def _pictures(before: Output, now: Output) -> Iterator[str]:
    if len(before.pictures) != len(now.pictures):
        yield f"{len(before.pictures)} pictures → {len(now.pictures)}"
        return
    pairs = list(zip(before.pictures, now.pictures, strict=True))
    found = [(likeness(old.png, new.png), ALIKE - WIDER * (1 - old.likeness)) for old, new in pairs]
    if changed := [(likely, least) for likely, least in found if likely < least]:
        likely, least = min(changed)
        many = f"{len(changed)} of {len(pairs)} pictures"
        yield f"{many}: likeness down to {likely:.2f} (from {least:.2f} it is noise)"


def _costs(section: Section, execution: Execution, baseline: Baseline, pace: float) -> Iterator[Moved]:
    """What the run of a section takes, where it is much more than before."""
    where = Location(section.path, section.line)
    most = baseline.seconds * pace
    if execution.seconds > max(SLOWER * most, most + LONGER):
        beside = f", on a machine that takes {pace:.1f} times as long" if pace != 1 else ""
        what = f"the section takes {baseline.seconds:.1f} s → {execution.seconds:.1f} s{beside}"
        yield Moved(where, (what,))
    if baseline.memory is not None and execution.memory is not None:
        held = baseline.memory
        if execution.memory > max(FULLER * held, held + MORE):
            what = f"its kernel holds {held:.2f} GiB → {execution.memory:.2f} GiB"
            yield Moved(where, (what,))

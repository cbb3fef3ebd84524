"""Who may run where: places sections on CPU slots and GPUs, and foretells how long all of them take. Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bindery.model import Gpu, Need

_FACTOR, _MORE = 1.1, 0.5
"""A section that is placed beside others gets so many times the memory that was measured, and so many GiB more."""


@dataclass(frozen=True)
class Place:
    """What a running section occupies: a CPU slot, and for each of its GPUs some GiB of memory."""

    slot: int
    memory: Mapping[int, float]
    """By the number of the GPU."""
    shared: bool = False
    """Whether other sections may come onto the same GPUs."""


class Board:
    """Which slots are free, and how much memory of each GPU."""

    def __init__(self, slots: int, gpus: Sequence[Gpu] = ()) -> None:
        """All is free."""
        self._slots = list(range(max(1, slots)))
        self._total = [gpu.memory for gpu in gpus]
        self._free = list(self._total)

    def choose(self, waiting: Mapping[int, Need]) -> tuple[int, Place] | None:
        """The first of the waiting for which there is room, which it then occupies; None if there is room for none."""
        if not self._slots:
            return None
        for number, need in waiting.items():
            memory = self._room(need)
            if memory is not None:
                for gpu, part in memory.items():
                    self._free[gpu] -= part
                return number, Place(heapq.heappop(self._slots), memory, self._can_share(need))
        return None

    def release(self, place: Place) -> None:
        """What a section occupied is free again."""
        heapq.heappush(self._slots, place.slot)
        for gpu, part in place.memory.items():
            # Sums of parts may miss the whole by a rounding error; what nobody uses is free to the last byte.
            free = self._free[gpu] + part
            self._free[gpu] = self._total[gpu] if math.isclose(free, self._total[gpu]) else free

    def _can_share(self, need: Need) -> bool:
        """Whether it is known what a section takes, and whether it leaves anything."""
        return need.memory is not None and _padded(need.memory) < min(self._total, default=0)

    def _room(self, need: Need) -> dict[int, float] | None:
        """The GPUs that a section would get, with what it takes of each; a machine with fewer gives it all it has."""
        wanted = _padded(need.memory) if need.memory is not None and self._can_share(need) else None
        count = min(need.gpus, len(self._total))
        fitting = [
            gpu
            for gpu, free in enumerate(self._free)
            if (free >= wanted if wanted is not None else free == self._total[gpu])
        ]
        # Where least is left: so room stays together for those that need a GPU to themselves.
        fitting.sort(key=lambda gpu: (self._free[gpu], gpu))
        if len(fitting) < count:
            return None
        return {gpu: self._total[gpu] if wanted is None else wanted for gpu in fitting[:count]}


def _padded(memory: float) -> float:
    return memory * _FACTOR + _MORE


def order(needs: Iterable[Need]) -> list[int]:
    """The numbers of the sections as they should start: what took longest first, and first of all what may be long."""
    listed = list(needs)
    return sorted(range(len(listed)), key=lambda number: -_seconds(listed[number], math.inf))


def simulate(needs: Sequence[Need], slots: int, gpus: Sequence[Gpu] = ()) -> list[tuple[float, Place]]:
    """When each section starts, in seconds, and where, if they start in this order and take as long as last time."""
    board = Board(slots, gpus)
    waiting = dict(enumerate(needs))
    running: list[tuple[float, int]] = []
    turns: dict[int, tuple[float, Place]] = {}
    now = 0.0
    while waiting or running:
        while choice := board.choose(waiting):
            number, place = choice
            heapq.heappush(running, (now + _seconds(waiting.pop(number), 0), number))
            turns[number] = (now, place)
        now, number = heapq.heappop(running)
        board.release(turns[number][1])
    return [turns[number] for number in range(len(needs))]


def makespan(needs: Sequence[Need], slots: int, gpus: Sequence[Gpu] = ()) -> float:
    """The seconds from the first start to the last end."""
    turns = simulate(needs, slots, gpus)
    return max((start + _seconds(need, 0) for (start, _), need in zip(turns, needs, strict=True)), default=0.0)


def _seconds(need: Need, unknown: float) -> float:
    return unknown if need.seconds is None else need.seconds

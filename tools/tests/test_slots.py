"""Who runs where and how long all take, as pure functions, held against the best that there is."""

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest

from bindery.model import Gpu, Need
from bindery.slots import Board, makespan, order, simulate

CARD = Gpu("GPU-a", 24.0)


def test_two_that_fit_share_a_gpu() -> None:
    """What is known to leave room shares the fullest GPU that has it; what is not known gets one to itself."""
    board = Board(4, [CARD, CARD])
    needs = {0: Need(1, 8.0), 1: Need(1), 2: Need(1, 8.0), 3: Need(1, 8.0)}
    first, second, third = (board.choose({number: needs[number]}) for number in (0, 1, 2))
    assert first and second and third
    assert [list(place.memory) for _, place in (first, second, third)] == [[0], [1], [0]]
    assert [place.shared for _, place in (first, second, third)] == [True, False, True]
    assert board.choose({3: needs[3]}) is None  # 8 GiB and what is allowed for errors do not fit a third time
    board.release(first[1])
    assert board.choose({3: needs[3]}) is not None


def test_whoever_fits_goes_before_who_does_not() -> None:
    """A section that waits for a GPU does not keep another from the CPU slot that is free."""
    board = Board(2, [CARD])
    assert board.choose({0: Need(1)}) is not None
    choice = board.choose({1: Need(1), 2: Need()})
    assert choice and choice[0] == 2
    assert board.choose({1: Need(1), 3: Need()}) is None  # no slot


def test_what_was_measured_elsewhere_and_fits_nowhere_gets_a_gpu_to_itself() -> None:
    """A section that took more than this GPU has may still do with less; nobody else comes beside it."""
    board = Board(2, [CARD])
    choice = board.choose({0: Need(1, 40.0)})
    assert choice and choice[1].memory == {0: 24.0} and not choice[1].shared


def test_a_section_that_wants_more_gpus_than_there_are_gets_those() -> None:
    """It runs on what there is, and none is a machine without."""
    for gpus in ([], [CARD]):
        choice = Board(1, gpus).choose({0: Need(2)})
        assert choice and len(choice[1].memory) == len(gpus)


def test_all_is_free_again() -> None:
    """After any run of a board, it has room for a section that wants every GPU."""
    board = Board(3, [CARD, CARD])
    for _ in range(100):
        places = [choice[1] for memory in (3.3, 5.7, 0.1) if (choice := board.choose({0: Need(1, memory)}))]
        for place in places:
            board.release(place)
    assert board.choose({0: Need(2)}) is not None


def test_the_longest_go_first() -> None:
    """And before them those that may be long, in the order they came in."""
    assert order([Need(seconds=1), Need(), Need(seconds=3), Need()]) == [1, 3, 2, 0]


def test_a_forecast() -> None:
    """Three sections on two slots: the short ones share one."""
    needs = [Need(seconds=5), Need(seconds=2), Need(seconds=2)]
    assert [(start, place.slot) for start, place in simulate(needs, 2)] == [(0, 0), (0, 1), (2, 1)]
    assert (makespan(needs, 2), makespan([], 2), makespan(needs, 1)) == (5, 0, 9)


def test_sections_that_fit_on_a_gpu_take_half_the_time() -> None:
    """Two that take a third of the GPU each run together once this is known."""
    assert makespan([Need(1, None, 10.0)] * 2, 2, [CARD]) == 20
    assert makespan([Need(1, 8.0, 10.0)] * 2, 2, [CARD]) == 10


def cases(gpus: int) -> Iterator[tuple[list[Need], int]]:
    """Small books with sections of all kinds, and a number of CPU slots."""
    dice = random.Random(gpus)
    for _ in range(60):
        slots = dice.choice([2, 3])
        memory = [None, 2.0, 6.0, 9.0, 15.0]
        needs = [
            Need(dice.randint(0, gpus), dice.choice(memory), float(dice.randint(1, 9)))
            for _ in range(dice.choice([3, 4]))
        ]
        yield needs, slots


def optimum(needs: Sequence[Need], slots: int, gpus: Sequence[Gpu]) -> float:
    """The least makespan of all schedules: tries every order, every GPU, every time at which something ends."""
    best = float("inf")
    wanted = [need.memory * 1.1 + 0.5 if need.memory is not None else None for need in needs]

    def go(rest: frozenset[int], done: tuple[tuple[float, float, dict[int, float]], ...]) -> None:
        nonlocal best
        latest = max((end for _, end, _ in done), default=0.0)
        if latest >= best:
            return
        if not rest:
            best = latest
            return
        for number in rest:
            seconds, part = needs[number].seconds or 0.0, wanted[number]
            for chosen in itertools.combinations(range(len(gpus)), min(needs[number].gpus, len(gpus))):
                takes = {gpu: gpus[gpu].memory if part is None else part for gpu in chosen}
                for start in sorted({0.0, *(end for _, end, _ in done)}):
                    moments = [start, *(begin for begin, _, _ in done if start < begin < start + seconds)]
                    if all(room(moment, takes, done) for moment in moments):
                        go(rest - {number}, (*done, (start, start + seconds, takes)))
                        break

    def room(moment: float, takes: dict[int, float], done: Sequence[tuple[float, float, dict[int, float]]]) -> bool:
        there = [took for begin, end, took in done if begin <= moment < end]
        fits = all(sum(took.get(gpu, 0) for took in there) + part <= gpus[gpu].memory for gpu, part in takes.items())
        return len(there) < slots and fits

    go(frozenset(range(len(needs))), ())
    return best


@pytest.mark.parametrize("gpus", [0, 1, 2])
def test_never_far_from_the_optimum(gpus: int) -> None:
    """On m slots the longest first is within 4/3 - 1/3m of the optimum (Graham 1969).

    With one GPU to share out, it is within (m + 1) / 2 (Garey and Graham 1975); with two we have seen no worse.
    """
    ratios = []
    for needs, slots in cases(gpus):
        cards = [CARD] * gpus
        ordered = [needs[number] for number in order(needs)]
        best, ours = optimum(ordered, slots, cards), makespan(ordered, slots, cards)
        assert best <= ours
        assert ours <= best * ((slots + 1) / 2 if gpus else 4 / 3 - 1 / (3 * slots)) + 1e-9
        ratios.append(ours / best)
    assert sum(ratios) / len(ratios) < 1.05

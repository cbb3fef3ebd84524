"""Drift in its parts: what moves in numbers, plots and pictures, what does not, and what is learned from runs."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from running import PATH, code

from bindery.baseline import Baseline, learned, path_of, read_baseline, read_output, to_bytes
from bindery.drift import Moved, moved, speed
from bindery.driftpage import Compared, segments, to_page
from bindery.execute import notebook_of
from bindery.model import Cell, Execution, ProblemsFound, Section, Task
from bindery.quantities import moves, spread, tidied
from bindery.settings import SectionSettings
from bindery.thumbnails import likeness, thumbnail


def said(before: str, now: str) -> list[str]:
    """What has moved between two texts, with nothing learned."""
    return [str(move) for move in moves(before, now, {})]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("loss 0.12", "loss 0.13"),  # one in the last place
        ("loss 0.128012", "loss 0.128020"),  # a part of a thousandth
        ("largest difference 6.0e-08", "largest difference 2.4e-07"),  # nothing but rounding
        ("[1.    2.]", "[1. 2.]"),  # columns as wide as their numbers
        ("1,024 rows", "1024 rows"),
        ("<obj at 0x7f3a12b4c5d0>", "<obj at 0x7f0000b4c5d0>"),
        ("\u22120.50", "-0.50"),
        ("in /home/ada/book/build/run/a", "in /srv/build/run/a"),
    ],
)
def test_rounding_is_no_move(before: str, now: str) -> None:
    """What another machine's rounding, a formatter's taste or a memory address change has not moved."""
    assert said(tidied(before), tidied(now)) == []


@pytest.mark.parametrize(
    ("before", "now", "move"),
    [
        ("loss 0.1280", "loss 0.3587", "loss: 0.1280 → 0.3587 (band 0.127771 to 0.128229)"),
        ("3 epochs", "4 epochs", "3 → 4 (band 3 to 3)"),
        ("1,024 rows", "1,025 rows", "1,024 → 1,025 (band 1024 to 1024)"),
        ("lr 1e-3 is used", "lr 1e-2 is used", "lr: 1e-3 → 1e-2 (band 0.000998 to 0.001002)"),
        ("loss 0.5", "loss nan", "0.5 → nan"),
        ("float32", "float64", "float32 → float64"),
        ("equal: True", "equal: False", "True → False"),
        ("a b c", "a c", "b → nothing"),
    ],
)
def test_what_has_moved_is_told(before: str, now: str, move: str) -> None:
    """Numbers beyond rounding, whole numbers, words, and a number that is none any more are told with their bands."""
    assert said(before, now) == [move]


def test_bands_are_learned_from_runs() -> None:
    """A number that runs differ in may move a little beyond what they gave, on both sides, and no further."""
    bands = spread(["loss 0.50, 7 steps", "loss 0.54, 8 steps", "loss 0.52, 7 steps"])
    assert bands == {0: (0.5, 0.54), 1: (7.0, 8.0)}
    assert moves("loss 0.50, 7 steps", "loss 0.61, 10 steps", bands) == []
    assert len(moves("loss 0.50, 7 steps", "loss 0.80, 12 steps", bands)) == 2
    assert spread(["1 run", "2 runs"]) is None


def test_numbers_that_agreed_by_chance_may_stray_like_their_neighbours() -> None:
    """Where most numbers with a point stray, the others of the line get as much room; whole ones do not."""
    runs = ["a 0.50, b 0.70, c 0.67, 3 seeds", "a 0.55, b 0.64, c 0.67, 3 seeds", "a 0.52, b 0.75, c 0.67, 3 seeds"]
    bands = spread(runs) or {}
    assert [*bands] == [0, 1]
    assert moves(runs[0], "a 0.50, b 0.70, c 0.64, 3 seeds", bands) == []
    assert len(moves(runs[0], "a 0.50, b 0.70, c 0.30, 4 seeds", bands)) == 2
    assert len(moves("a 0.5, b 0.7, c 0.67", "a 0.5, b 0.7, c 0.64", {0: (0.5, 0.55)})) == 1
    assert len(moves("a 0.5\nc 0.67", "a 0.5\nc 0.64", {0: (0.5, 0.55)})) == 1


def plotted(values: np.ndarray, *, log: bool = False, scatter: bool = False, size: int = 300) -> dict[str, Any]:
    """A plot as an output of a notebook."""
    figure = Figure()
    axes = figure.subplots()
    if scatter:
        axes.scatter(*values)
    else:
        axes.plot(values[:size], label="loss")
        axes.legend()
    if log:
        axes.set_yscale("log")
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "test"}):
        figure.savefig(file, format="svg")
    return {"output_type": "display_data", "data": {"image/svg+xml": file.getvalue()}}


def picture(pixels: np.ndarray) -> bytes:
    """Grey values from 0 to 1 as a PNG."""
    file = io.BytesIO()
    Image.fromarray((255 * pixels).clip(0, 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def printed(text: str) -> dict[str, Any]:
    """A text as an output of a notebook."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def run_of(*outputs: dict[str, Any] | None, cells: tuple[Cell, ...] = (), seconds: float = 1.0) -> Execution:
    """An execution whose cells, two lines apart, gave an output each."""
    cells = cells or tuple(code(f"cell_{number}", 10 + 2 * number) for number in range(len(outputs)))
    section = Section(PATH, "Demo", "", cells, SectionSettings())
    nowhere = Path("unused")
    notebook = notebook_of(Task(section, None, nowhere, nowhere, nowhere, 60, "full", "key", {}))
    for cell, output in zip(notebook["cells"], outputs, strict=True):
        cell["outputs"] = [output] if output else []
    return Execution(section.name, notebook, seconds, (), "cpu", False, memory=1.0)


def section_of(execution: Execution) -> Section:
    """The section that an execution is of."""
    cells = []
    for cell in execution.notebook["cells"]:
        cells.append(code(cell["source"], cell["metadata"]["bindery"]["line"], *cell["metadata"]["tags"]))
    return Section(PATH, "Demo", "", tuple(cells), SectionSettings(), line=3)


def compare(before: list[Execution], now: Execution, pace: float = 1.0) -> list[Moved]:
    """What has moved from some runs to another."""
    baseline = learned(section_of(before[0]), before, "")
    return moved(section_of(now), now, Baseline.model_validate_json(to_bytes(baseline)), pace)


def told(before: dict[str, Any], now: dict[str, Any], *others: dict[str, Any]) -> list[str]:
    """What has moved in one output; others are of runs to learn from."""
    found = compare([run_of(before), *map(run_of, others)], run_of(now))
    return [part for each in found for part in each.parts]


CURVE = np.exp(-np.arange(300) / 60) + 0.05 * np.random.default_rng(0).standard_normal(300)
CLOUD = np.random.default_rng(1).standard_normal((2, 200))


@pytest.mark.parametrize("settings", [{}, {"log": True}, {"scatter": True}], ids=["line", "log", "marks"])
def test_a_plot_of_rounded_values_has_not_moved(settings: dict[str, bool]) -> None:
    """Curves, in logarithmic axes too, and clouds of marks stand still when values are rounded differently."""
    values = CLOUD if settings.get("scatter") else np.abs(CURVE) + 0.01
    noise = 1 + 1e-6 * np.random.default_rng(2).standard_normal(values.shape)
    assert told(plotted(values, **settings), plotted(values * noise, **settings)) == []
    assert told(plotted(values, **settings), plotted(values * (1 + 1e-6), **settings)) == []


def test_a_plot_of_other_values_has_moved() -> None:
    """Another curve, a cloud of another form, another number of marks, and other labels are told."""
    slower = np.exp(-np.arange(300) / 90) + (CURVE - np.exp(-np.arange(300) / 60))
    [line] = [part for part in told(plotted(CURVE), plotted(slower)) if part.startswith("line 1")]
    assert line.endswith("of the axes (up to 1.0% is noise)")
    turned = np.array([CLOUD[0], CLOUD[0] + 0.1 * CLOUD[1]])
    assert any(
        part.startswith("marks 1: moved") for part in told(plotted(CLOUD, scatter=True), plotted(turned, scatter=True))
    )
    assert "marks 1: 200 marks → 199 marks" in told(plotted(CLOUD, scatter=True), plotted(CLOUD[:, 1:], scatter=True))
    scaled = told(plotted(CURVE), plotted(10 * CURVE))
    assert any("0.2 → 2" in part for part in scaled)


def test_noise_of_curves_is_learned() -> None:
    """A curve may go where accepted runs went and a little beyond, not anywhere."""
    wild = [plotted(CURVE * (1 + 0.1 * shape)) for shape in (np.sin(np.arange(300) / 40), np.cos(np.arange(300) / 50))]
    near = plotted(CURVE * (1 + 0.08 * np.sin(np.arange(300) / 45)))
    assert told(plotted(CURVE), near)
    assert told(plotted(CURVE), near, *wild) == []
    assert told(plotted(CURVE), plotted(CURVE[::-1]), *wild)


def test_pictures_are_compared_by_structure() -> None:
    """A trace of noise leaves a picture alike; one turned round, or a plain one, is not."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :64] / 64
    garment = ((abs(columns - 0.5) < 0.2) & (rows > 0.2)) * 0.8
    one = thumbnail(picture(garment))
    assert likeness(one, one) == pytest.approx(1)
    assert likeness(one, thumbnail(picture(garment + 0.005 * generator.standard_normal((64, 64))))) > 0.97
    assert likeness(one, thumbnail(picture(garment.T))) < 0.7
    assert likeness(one, thumbnail(picture(0 * garment))) < 0.7
    image = {"output_type": "display_data", "data": {"image/png": base64.b64encode(picture(garment)).decode()}}
    other = {"output_type": "display_data", "data": {"image/png": base64.b64encode(picture(garment.T)).decode()}}
    [part] = told(image, other)
    assert part.startswith("1 of 1 pictures: likeness down to 0.")
    assert told(image, other, other) == []


def test_a_problem_stands_at_the_cell_as_it_is_now() -> None:
    """The message names the line that the cell has in the chapter now, and the first moves of several."""
    found = compare(
        [run_of(printed("x"), printed("a 1, b 2, c 3, d 4"))], run_of(printed("x"), printed("a 2, b 3, c 4, d 5"))
    )
    [problem] = [each.problem for each in found]
    bands = "a: 1 → 2 (band 1 to 1); a b: 2 → 3 (band 2 to 2); a b c: 3 → 4 (band 3 to 3); and 1 more"
    assert str(problem) == f"{PATH}:12: {bands} [drift]"


def test_cells_are_matched_by_their_code() -> None:
    """A new cell before it does not shift a cell's outputs; what is new or gone is told, if it shows anything."""
    before = run_of(printed("a"), printed("b"))
    first, second = code("cell_0", 10), code("cell_1", 12)
    with_one_more = run_of(
        None, printed("new"), printed("a"), printed("b"), cells=(code("import", 2), code("n", 4), first, second)
    )
    [new] = compare([before], with_one_more)
    assert str(new.problem).startswith(f"{PATH}:4: this cell is not in the baseline; if its outputs are right")
    [gone] = compare([before], run_of(printed("b"), cells=(second,)))
    assert str(gone.problem).startswith(f"{PATH}:3: a cell is gone whose outputs are in the baseline")
    [changed] = compare([before], run_of(printed("a"), printed("c"), cells=(first, code("rewritten", 12))))
    assert str(changed.problem) == f"{PATH}:12: b → c [drift]"


@pytest.mark.parametrize("tag", ["timing", "asynchronous"])
def test_unsteady_cells_are_compared_by_kind_only(tag: str) -> None:
    """What a cell shows that measures times is not compared, but that it shows it is."""
    cells = (code("measure", 10, tag),)
    before, other = (run_of(printed(text), cells=cells) for text in ("took 3 ms", "did not end"))
    assert compare([before], other) == []
    assert compare([run_of(printed("took 3 ms"), cells=(code("measure", 10),))], other) == [], "tagged since"
    [part] = compare([before], run_of(plotted(CURVE), cells=cells))[0].parts
    assert part == "it shows plot, where it showed text"


def test_time_and_memory_are_compared_with_a_wide_margin() -> None:
    """A section that takes much longer is told, unless the machine is slower as a whole; so is one that holds more."""
    quick, slow = run_of(printed("a"), seconds=10), run_of(printed("a"), seconds=50)
    assert compare([quick], run_of(printed("a"), seconds=28)) == []
    assert compare([quick], slow)[0].parts == ("the section takes 10.0 s → 50.0 s",)
    assert speed([(10, 40)] * 4 + [(10, 50)]) == 4
    assert speed([(10, 40)] * 5 + [(10, 10.04)] * 9) == 4  # those that were not run again tell nothing
    assert speed([(10, 40)] * 4) == 1  # too few to tell the machine from the sections
    assert compare([quick], slow, pace=4) == []
    [heavy] = compare([quick], replace(quick, memory=1.6))
    assert heavy.parts == ("its kernel holds 1.00 GiB → 1.60 GiB",)
    assert compare([quick], replace(quick, memory=1.4)) == []


def test_runs_that_differ_in_kind_are_not_compared() -> None:
    """Words that differ from run to run, and kinds of outputs that do, are let be; what else is shown is not."""
    assert told(printed("red"), printed("blue"), printed("green")) == []
    assert told(printed("red"), printed("blue"), plotted(CURVE)) == []
    assert told(printed("red 1"), printed("red 2"), printed("red 1")) == ["red: 1 → 2 (band 1 to 1)"]


def test_a_damaged_baseline_is_a_problem(tmp_path: Path) -> None:
    """A file that a merge has damaged, or that another version wrote, is told with what mends it."""
    path = path_of("one/a", "quick", "standin", "cpu")
    assert read_baseline(tmp_path, path) is None
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("<<<<<<< ours\n")
    with pytest.raises(ProblemsFound) as found:
        read_baseline(tmp_path, path)
    message = str(found.value)
    assert message.startswith("chapters/.baseline/quick-standin-cpu/one/a.json:1: not a baseline: ")
    assert message.endswith("; `bindery drift accept` writes it anew [drift]")


def test_the_page_shows_both_sides() -> None:
    """Before and after stand side by side: words with a mark, whole pictures where they are kept, else sketches."""
    before, now = run_of(printed("loss 0.5"), plotted(CURVE)), run_of(printed("loss 0.9"), plotted(CURVE[::-1]))
    found = compare([before], now)
    page = to_page("Tiny", [Compared(each, before.notebook, now.notebook) for each in found], 1, []).decode()
    assert "loss <mark>0.5</mark>" in page
    assert "loss <mark>0.9</mark>" in page
    assert page.count("data:image/svg+xml;base64,") == 2
    assert "<polyline" not in page
    page = to_page("Tiny", [Compared(each, None, now.notebook) for each in found], 1, []).decode()
    assert page.count("data:image/svg+xml;base64,") == 1
    assert page.count("<polyline") == 2
    assert "Nothing has moved" in to_page("Tiny", [], 1, []).decode()


def test_marked_pieces_make_up_the_text() -> None:
    """Marking loses nothing of a text, wherever in it the moves are."""
    before, now = "1 then 2\nthen 3", "9 then 2\nthen 8"
    found = moves(before, now, {})
    output = read_output(printed(now))
    assert segments(output, found, now=True) == [("9", True), (" then 2\nthen ", False), ("8", True)]

"""What is kept of a section's outputs to compare later runs with: executions in, a baseline out; and its file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from bindery.curves import Drawn, Kind, alike, distance, read_plot
from bindery.model import Cell, Execution, Location, Problem, ProblemsFound, Section
from bindery.quantities import spread, tidied
from bindery.report import placed_cells
from bindery.settings import Strict
from bindery.thumbnails import likeness, thumbnail

FOLDER = "chapters/.baseline"
"""Below the chapters, since authors accept it and commit it; reading a book passes over names that begin with a dot."""
ANYWHERE = 1000
"""The room of something drawn that differs too much from run to run to be compared."""

Pair = tuple[float, float]


class Curve(Strict):
    """Something drawn, with how far runs have been apart in it, in thousandths."""

    kind: Kind
    count: int
    points: str
    shades: str = ""
    room: int = 0

    @property
    def drawn(self) -> Drawn:
        """The same in numbers."""
        points = tuple((int(x), int(y)) for x, y in (pair.split(",") for pair in self.points.split()))
        return Drawn(self.kind, self.count, points, tuple(map(int, self.shades.split())))


class Picture(Strict):
    """A thumbnail, with the least likeness that runs have had in it."""

    png: str
    likeness: float = 1.0


class Output(Strict):
    """What one output of a cell shows."""

    kind: Literal["text", "plot", "picture"]
    text: tuple[str, ...] = ()
    numbers: dict[int, Pair] = Field(default_factory=dict)
    """The bands of numbers that differ from run to run, by their count in the text."""
    curves: tuple[Curve, ...] = ()
    pictures: tuple[Picture, ...] = ()
    loose: tuple[Literal["text", "curves", "pictures"], ...] = ()
    """What differs too much from run to run to be compared at all."""


class Shown(Strict):
    """What a code cell has shown; `code` is a digest of its source, by which cells are matched."""

    code: str
    outputs: tuple[Output, ...] = ()


class Baseline(Strict):
    """What is kept of a section."""

    format: Literal[1] = 1
    runs: int
    """How many there were to learn noise from."""
    seconds: float
    memory: float | None = None
    """GiB that the kernel came to hold, if that was measured."""
    entry: str = ""
    """Where a cache may still have the whole of the outputs."""
    cells: tuple[Shown, ...]


def path_of(section: str, profile: str, data: str, device: str) -> str:
    """Where the baseline of a section lies, relative to the root: another profile, data or device has another."""
    return f"{FOLDER}/{profile}-{data}-{device}/{section}.json"


def read_baseline(root: Path, path: str) -> Baseline | None:
    """The baseline of a section, None if there is none; raises `ProblemsFound` for a file that is none."""
    try:
        return Baseline.model_validate_json((root / path).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        message = f"not a baseline: {first['msg']}; `bindery drift accept` writes it anew"
        raise ProblemsFound([Problem(Location(path, 1), "drift", message)]) from None


def to_bytes(baseline: Baseline) -> bytes:
    """The baseline as its file."""
    return (baseline.model_dump_json(indent=1, exclude_defaults=True) + "\n").encode()


def shown(section: Section, notebook: Mapping[str, Any]) -> tuple[Shown, ...]:
    """What the code cells of a section have shown, by its executed notebook."""
    found = []
    for (place, cell), code in zip(placed_cells(section, notebook), codes(notebook), strict=True):
        outputs = tuple(read_output(output) for output in cell["outputs"])
        if unsteady(place):
            outputs = tuple(Output(kind=output.kind) for output in outputs)
        found.append(Shown(code=code, outputs=outputs))
    return tuple(found)


def codes(notebook: Mapping[str, Any]) -> list[str]:
    """A digest of the source of each code cell."""
    sources = (cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code")
    return [hashlib.sha256(source.encode()).hexdigest()[:8] for source in sources]


def unsteady(cell: Cell) -> bool:
    """Whether a cell's outputs differ from run to run, as its author says."""
    return bool({"timing", "asynchronous"} & {*cell.tags})


def read_output(output: Mapping[str, Any]) -> Output:
    """What an output of a notebook shows."""
    data = output.get("data", {})
    if "image/svg+xml" in data:
        plot = read_plot(data["image/svg+xml"])
        curves = tuple(_curve(each) for each in plot.drawn)
        pictures = tuple(Picture(png=thumbnail(picture)) for picture in plot.pictures)
        return Output(kind="plot", text=(tidied("  ".join(plot.labels)),), curves=curves, pictures=pictures)
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            return Output(kind="picture", pictures=(Picture(png=thumbnail(base64.b64decode(data[mime]))),))
    return Output(kind="text", text=tuple(tidied(text_of(output)).splitlines()))


def text_of(output: Mapping[str, Any]) -> str:
    """The words of an output, as far as it has some."""
    data = output.get("data", {})
    given = next((data[mime] for mime in ("text/markdown", "text/html", "text/plain") if mime in data), None)
    if given is None:
        given = output.get("text") or f"{output.get('ename', '')}: {output.get('evalue', '')}"
    return str(given)


def learned(section: Section, executions: Sequence[Execution], entry: str) -> Baseline:
    """The baseline that runs of one section give: the first one's outputs, with how far the others are from them."""
    first, *others = (shown(section, execution.notebook) for execution in executions)
    cells = [
        Shown(code=cell.code, outputs=_together(cell.outputs, [run[place].outputs for run in others]))
        for place, cell in enumerate(first)
    ]
    # Time and memory of the first run alone: the others ran as on other machines.
    own = executions[0]
    return Baseline(
        runs=len(executions),
        seconds=round(own.seconds, 1),
        memory=own.memory and round(own.memory, 2),
        entry=entry,
        cells=tuple(cells),
    )


def _together(first: tuple[Output, ...], others: Sequence[tuple[Output, ...]]) -> tuple[Output, ...]:
    """The outputs of a cell with what the other runs have taught; where not even their kinds agree, one is loose."""
    joined = []
    for place, output in enumerate(first):
        same = [run[place] for run in others if place < len(run) and run[place].kind == output.kind]
        loose: tuple[Literal["text", "curves", "pictures"], ...] = ("text", "curves", "pictures")
        steady = len(same) == len(others)
        joined.append(_joined(output, same) if steady else output.model_copy(update={"loose": loose}))
    return tuple(joined)


def _joined(first: Output, others: Sequence[Output]) -> Output:
    loose: list[str] = []
    numbers = spread(["\n".join(output.text) for output in (first, *others)])
    if numbers is None:
        loose.append("text")
    curves, pictures = first.curves, first.pictures
    if any(len(output.curves) != len(curves) for output in others):
        loose.append("curves")
    else:
        columns = [[output.curves[place] for output in others] for place in range(len(curves))]
        curves = tuple(_roomy(curve, column) for curve, column in zip(curves, columns, strict=True))
    if any(len(output.pictures) != len(pictures) for output in others):
        loose.append("pictures")
    else:
        columns_of = [[output.pictures[place] for output in others] for place in range(len(pictures))]
        pictures = tuple(_varied(picture, column) for picture, column in zip(pictures, columns_of, strict=True))
    update = {"numbers": numbers or {}, "curves": curves, "pictures": pictures, "loose": tuple(loose)}
    return first.model_copy(update=update)


def _curve(drawn: Drawn) -> Curve:
    points = " ".join(f"{x},{y}" for x, y in drawn.points)
    return Curve(kind=drawn.kind, count=drawn.count, points=points, shades=" ".join(map(str, drawn.shades)))


def _roomy(curve: Curve, others: Sequence[Curve]) -> Curve:
    own = curve.drawn
    apart = [distance(own, other.drawn) if alike(own, other.drawn) else ANYWHERE for other in others]
    return curve.model_copy(update={"room": max(apart, default=0)})


def _varied(picture: Picture, others: Sequence[Picture]) -> Picture:
    least = min((likeness(picture.png, other.png) for other in others), default=1.0)
    return picture.model_copy(update={"likeness": round(least, 3)})

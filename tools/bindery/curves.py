"""What a plot shows, read from its SVG: labels, curves, clouds of marks and pictures, each in few numbers. Pure."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

SAMPLES = 16
"""Points that are kept of a line, at equal distances along it."""
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Of the coordinates of marks: in which order they are drawn means nothing."""
MOST = 12
"""More lines or bars than this in a row count as marks."""
_SHADES = 16
_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_PIECE = re.compile(r"[MLQCz]|-?[\d.]+(?:e-?\d+)?")
_FILL = re.compile(r"fill: #([0-9a-f]{6})")

Points: TypeAlias = npt.NDArray[np.float64]
Kind = Literal["line", "marks", "ticks"]


@dataclass(frozen=True)
class Drawn:
    """A line, marks, or ticks: how many there are, and points in thousandths of the axes' width and height."""

    kind: Kind
    count: int
    points: tuple[tuple[int, int], ...]
    shades: tuple[int, ...] = ()
    """How light the marks are, in thousandths, averaged over equal runs of them."""


@dataclass(frozen=True)
class Plot:
    """What an SVG shows."""

    labels: tuple[str, ...]
    drawn: tuple[Drawn, ...]
    pictures: tuple[bytes, ...]


@dataclass(frozen=True)
class _Shape:
    points: Points
    light: float | None


@dataclass(frozen=True)
class _Box:
    """The rectangle in which coordinates are measured; the y of SVG grows downwards."""

    left: float
    top: float
    width: float
    height: float

    def measure(self, points: Points) -> Points:
        """Coordinates from 0 to 1; what is far outside is brought near, since nobody sees it."""
        x = (points[:, 0] - self.left) / self.width
        y = 1 - (points[:, 1] - self.top) / self.height
        return np.clip(np.column_stack([x, y]), -0.05, 1.05)


def read_plot(svg: str) -> Plot:
    """What an SVG shows, as Matplotlib writes it or, more roughly, any other."""
    builder = ElementTree.TreeBuilder(insert_comments=True)
    root = ElementTree.fromstring(svg, ElementTree.XMLParser(target=builder))
    known = {f"#{element.get('id')}": element for element in root.iter(f"{_SVG}path") if element.get("id")}
    axes = [group for group in root.iter(f"{_SVG}g") if group.get("id", "").startswith("axes_")]
    drawn = [each for group in axes or [root] for each in _drawn(group, _box(group, root), known)]
    links = [image.get(_LINK) or image.get("href") or "" for image in root.iter(f"{_SVG}image")]
    pictures = [base64.b64decode(link.partition("base64,")[2]) for link in links if "base64," in link]
    return Plot(tuple(_labels(root)), tuple(drawn), tuple(pictures))


def distance(one: Drawn, other: Drawn) -> int:
    """How far apart two of a kind are, in thousandths: the most that a point or a shade has moved."""
    moved = [abs(a - b) for p, q in zip(one.points, other.points, strict=True) for a, b in zip(p, q, strict=True)]
    moved += [abs(a - b) for a, b in zip(one.shades, other.shades, strict=True)]
    return max(moved, default=0)


def alike(one: Drawn, other: Drawn) -> bool:
    """Whether two can be compared point by point."""
    sides = [(each.kind, each.count, len(each.points), len(each.shades)) for each in (one, other)]
    return sides[0] == sides[1]


def _labels(root: ElementTree.Element) -> Iterator[str]:
    """The texts: Matplotlib draws them as outlines and writes each into a comment."""
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag == f"{_SVG}text":  # comments have a function for a tag
            yield (element.text or "").strip()


def _box(group: ElementTree.Element, root: ElementTree.Element) -> _Box:
    """The axes' background, or where they have none, the whole picture."""
    ground = next((child for child in group if child.get("id", "").startswith("patch_")), None)
    path = None if ground is None else ground.find(f"{_SVG}path")
    if path is not None and len(points := _points(path)) > 2:
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        if right > left and bottom > top:
            return _Box(left, top, right - left, bottom - top)
    left, top, width, height = map(float, root.get("viewBox", "0 0 1 1").split())
    return _Box(left, top, width, height)


def _drawn(axes: ElementTree.Element, box: _Box, known: dict[str, ElementTree.Element]) -> Iterator[Drawn]:
    artists: list[tuple[str, list[_Shape]]] = []
    for child in axes:
        kind = child.get("id", "").rstrip("0123456789")
        if kind.startswith("matplotlib.axis"):
            ticks = [points for use in child.iter(f"{_SVG}use") if (points := _place(use, known)) is not None]
            if ticks:
                yield Drawn("ticks", len(ticks), _thousandths(box.measure(np.vstack([each[:1] for each in ticks]))))
        elif kind not in ("legend_", "text_") and (shapes := list(_shapes(child, box, known, kind))):
            artists.append((kind, shapes))
    for (_, single), group in itertools.groupby(artists, lambda artist: (artist[0], len(artist[1]) == 1)):
        members = [shapes for _, shapes in group]
        if single and len(members) > MOST:
            yield _marks([shape for shapes in members for shape in shapes])
        else:
            for shapes in members:
                yield _marks(shapes) if len(shapes) > 1 else _line(shapes[0])


def _shapes(
    artist: ElementTree.Element, box: _Box, known: dict[str, ElementTree.Element], kind: str
) -> Iterator[_Shape]:
    """What an artist draws; of a line with marks on it only the line, and nothing of the frame."""
    defined = {id(path) for definitions in artist.iter(f"{_SVG}defs") for path in definitions.iter()}
    own = [path for path in artist.iter(f"{_SVG}path") if id(path) not in defined]
    found = [(path, _points(path)) for path in own]
    if not (own and kind == "line2d_"):
        uses = ((use, _place(use, known)) for use in artist.iter(f"{_SVG}use"))
        found += [(use, points) for use, points in uses if points is not None]
    for element, points in found:
        if len(points):
            measured = box.measure(points)
            if not np.all((np.abs(measured) < 2e-3) | (np.abs(measured - 1) < 2e-3)):
                yield _Shape(measured, _light(element.get("style", "")))


def _place(use: ElementTree.Element, known: dict[str, ElementTree.Element]) -> Points | None:
    """The points of a path that is used, where it is used; None for a letter, which has no place of its own."""
    path = known.get(use.get(_LINK, ""))
    if path is None or use.get("x") is None:
        return None
    place: Points = np.array([float(use.get("x", "0")), float(use.get("y", "0"))])
    return np.add(_points(path), place)


def _points(path: ElementTree.Element) -> Points:
    """The points of a path, control points of its curves included."""
    numbers = [float(piece) for piece in _PIECE.findall(path.get("d", "")) if piece not in "MLQCz"]
    return np.array(numbers[: len(numbers) // 2 * 2]).reshape(-1, 2)


def _light(style: str) -> float | None:
    fill = _FILL.search(style)
    if not fill:
        return None
    red, green, blue = (int(fill[1][place : place + 2], 16) / 255 for place in (0, 2, 4))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _line(shape: _Shape) -> Drawn:
    """Points at equal distances along a line: those at which Matplotlib leaves out vertices do not matter."""
    steps = np.hypot(*np.diff(shape.points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    places = np.linspace(0, along[-1], SAMPLES)
    columns = [np.interp(places, along, column) for column in shape.points.T]
    return Drawn("line", 1, _thousandths(np.column_stack(columns)))


def _marks(shapes: Sequence[_Shape]) -> Drawn:
    """How the centres of marks are spread, and how light the marks are."""
    centres = np.array([(shape.points.min(axis=0) + shape.points.max(axis=0)) / 2 for shape in shapes])
    lights = [shape.light for shape in shapes if shape.light is not None]
    chunks = np.array_split(np.array(lights), min(_SHADES, len(lights))) if lights else []
    shades = tuple(round(1000 * float(chunk.mean())) for chunk in chunks)
    return Drawn("marks", len(shapes), _thousandths(np.quantile(centres, QUANTILES, axis=0)), shades)


def _thousandths(points: Points) -> tuple[tuple[int, int], ...]:
    return tuple((round(1000 * x), round(1000 * y)) for x, y in points.tolist())

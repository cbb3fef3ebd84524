"""Shapes as signed distances in pixels, negative inside; all arguments broadcast, so one call draws many pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Value = Array | float


NOWHERE = 99.0
"""A distance from which nothing is seen of a shape."""


class Dice:
    """Random numbers, one for each of `count` pictures, shaped to broadcast over their pixels."""

    def __init__(self, generator: np.random.Generator, count: int) -> None:
        """Draw from this generator."""
        self.generator = generator
        self.count = count

    def between(self, low: float, high: float) -> Array:
        """Uniform between two bounds."""
        return low + (high - low) * self.generator.random((self.count, 1, 1))

    def chance(self, probability: float) -> npt.NDArray[np.bool_]:
        """True with this probability."""
        return self.generator.random((self.count, 1, 1)) < probability

    def choice(self, options: int) -> npt.NDArray[np.int64]:
        """One of `options` numbers from 0."""
        return np.floor(self.generator.random((self.count, 1, 1)) * options).astype(np.int64)


def grid(size: int) -> tuple[Array, Array]:
    """The coordinates x and y of a square picture's pixels, in pixels from its centre, y pointing down."""
    line = np.arange(size) - (size - 1) / 2
    y, x = np.meshgrid(line, line, indexing="ij")
    return x[None], y[None]


def cover(distance: Array, softness: float = 1.0) -> Array:
    """How much of each pixel lies inside a shape."""
    return np.clip(0.5 - distance / softness, 0, 1)


def ellipse(x: Array, y: Array, across: Value, down: Value) -> Array:
    """An ellipse about the origin with these half-axes; the distance is exact on it and for circles."""
    smaller = np.minimum(across, down)
    return np.asarray((np.sqrt((x / across) ** 2 + (y / down) ** 2) - 1) * smaller)


def box(x: Array, y: Array, across: Value, down: Value, corner: Value = 0.0) -> Array:
    """A rectangle about the origin with these half-sides and round corners."""
    dx, dy = np.abs(x) - across + corner, np.abs(y) - down + corner
    outside = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2)
    return np.asarray(outside + np.minimum(np.maximum(dx, dy), 0) - corner)


def limb(x: Array, y: Array, start: tuple[Value, Value], end: tuple[Value, Value], thick: Value, thin: Value) -> Array:
    """A round-ended limb from one point to another, with the radius at each."""
    ax, ay = end[0] - start[0], end[1] - start[1]
    px, py = x - start[0], y - start[1]
    along = np.clip((px * ax + py * ay) / (ax * ax + ay * ay + 1e-9), 0, 1)
    return np.asarray(np.sqrt((px - along * ax) ** 2 + (py - along * ay) ** 2) - (thick + (thin - thick) * along))


def curve(at: Array, knots: Sequence[Value], values: Sequence[Value]) -> Array:
    """A smooth line through these values at these knots, level outside them."""
    total: Array = np.asarray(values[0]) + 0 * at
    for left, right, low, high in zip(knots, knots[1:], values, values[1:], strict=False):
        part = np.clip((at - left) / (right - left), 0, 1)
        total = total + (high - low) * part * part * (3 - 2 * part)
    return total


def union(*distances: Array) -> Array:
    """What lies in any of the shapes."""
    return reduce(np.minimum, distances)


def blend(first: Array, second: Array, reach: float) -> Array:
    """A union whose seam is filled smoothly over some pixels."""
    part = np.maximum(reach - np.abs(first - second), 0) / reach
    return np.asarray(np.minimum(first, second) - part * part * reach / 4)


def when(chosen: npt.NDArray[np.bool_], distance: Array) -> Array:
    """The shape in the chosen pictures, nothing in the others."""
    return np.where(chosen, distance, NOWHERE)


def common(*distances: Array) -> Array:
    """What lies in all of the shapes."""
    return reduce(np.maximum, distances)

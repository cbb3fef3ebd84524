"""What garments are made of: cloth that is cut, sewn and lit, tops that hang and shoes that stand."""

from __future__ import annotations

import numpy as np

from bindery.standin.formats import Bytes
from bindery.standin.shapes import NOWHERE, Array, Dice, Value, common, cover, curve, ellipse, grid, limb, union, when


class Cloth:
    """Some pictures of garments in the making, black around them."""

    def __init__(self, dice: Dice, size: int) -> None:
        """Place each garment a little differently."""
        x, y = grid(size)
        turn, lean = dice.between(-0.17, 0.17), dice.between(-0.08, 0.08)
        self.scale = dice.between(0.82, 1.06)
        x, y = x - dice.between(-2.5, 2.5), y - dice.between(-1.5, 1.5)
        self.x: Array = (np.cos(turn) * x + np.sin(turn) * y + lean * y) / self.scale
        self.y: Array = (np.cos(turn) * y - np.sin(turn) * x) / self.scale
        self.tone = dice.between(0.3, 1.0)
        self.shape: Array = np.full_like(self.x, NOWHERE)
        self.light: Array = np.ones_like(self.x)
        self.weave = _weave(self.x, self.y, dice)

    def fill(self, distance: Array) -> None:
        """Add a piece."""
        self.shape = union(self.shape, distance)

    def cut(self, distance: Array) -> None:
        """Cut a hole."""
        self.shape = common(self.shape, -distance)

    def shade(self, factor: Value) -> None:
        """Make it darker or lighter."""
        self.light = self.light * factor

    def line(self, distance: Array, factor: Value) -> None:
        """Make a part darker: a seam, a button, an edge."""
        self.shade(1 - cover(distance) * (1 - factor))

    def paint(self, distance: Array, tone: Value) -> None:
        """Give a part a tone of its own, plain and part of the garment."""
        part = cover(distance)
        self.light = self.light * (1 - part) + part * tone / self.tone
        self.weave = self.weave * (1 - part) + part
        self.fill(distance)

    def sleeves(self, out: Value, top: Value, length: Value, spread: Value, width: Value) -> None:
        """Two arms from the shoulders, none where the length is negative, with a seam where they begin."""
        side = np.sign(self.x)
        tilt = spread + 0.06 * side * np.sin(37 * spread)  # one arm is never quite like the other
        end = (out + length * np.sin(tilt), top + length * np.cos(tilt))
        arm = limb(np.abs(self.x), self.y, (out, top), end, width, width * 0.72)
        arm = when(np.asarray(length) >= 0, arm)
        body = self.shape
        self.line(np.abs(arm) - 0.15 + np.maximum(body, 0), 0.6)
        self.fill(arm)

    def neck(self, across: Value, down: Value) -> None:
        """Cut out the neckline, with a darker edge."""
        hole = ellipse(self.x, self.y + 12.2, across, down + 0.8)
        self.line(np.abs(hole - 0.5) - 0.3, 0.6)
        self.cut(hole)

    def pixels(self, dice: Dice) -> Bytes:
        """The finished pictures."""
        cloth = self.tone * self.weave * self.light
        # Folds, and a rim that turns away from the light.
        folds = 1 + 0.12 * np.sin(
            self.x * dice.between(0.3, 1.1) + self.y * dice.between(-0.5, 0.5) + dice.between(0, 6)
        )
        rim = 0.72 + 0.28 * np.clip(-self.shape / 1.8, 0, 1)
        grain = 0.05 * (dice.generator.random(self.x.shape) - 0.5)
        lit = np.clip(cloth * folds * rim + grain, 0.04, 1) * cover(self.shape * self.scale)
        return np.floor(lit * 255 + 0.5).astype(np.uint8)


def _weave(x: Array, y: Array, dice: Dice) -> Array:
    """Plain mostly, else striped across or down, chequered or spotted."""
    kind, period, dark = dice.choice(10), dice.between(2.2, 5), dice.between(0.25, 0.75)
    down = np.sin(2 * np.pi * x / period + dice.between(0, 6)) > 0
    across = np.sin(2 * np.pi * y / period + dice.between(0, 6)) > 0
    spots = np.sin(2 * np.pi * x / period) * np.sin(2 * np.pi * y / period) > 0.45
    marked = np.select([kind == 0, kind == 1, kind == 2, kind == 3], [across, down, across ^ down, spots], False)
    return np.where(marked, dark, 1.0)


def hang(cloth: Cloth, dice: Dice, hem: Value, sleeve: Value, spread: Value, wide: float = 0.0) -> None:
    """A body with two arms, as on a hanger."""
    shoulder = dice.between(5.2, 7) + wide
    waist = shoulder - dice.between(0, 1.6)
    half = curve(cloth.y, (-10.0, -1.0, hem), (shoulder, waist, waist + dice.between(0, 1.3)))
    slope = dice.between(0.15, 0.4)
    cloth.fill(common(np.abs(cloth.x) - half, -12.2 + slope * np.abs(cloth.x) - cloth.y, cloth.y - hem))
    width = dice.between(1.7, 2.4) + wide / 3
    cloth.sleeves(shoulder - width + 0.4, -12.2 + slope * shoulder + width, sleeve, spread, width)


def footwear(cloth: Cloth, dice: Dice, kind: str) -> None:
    """A shoe from the side; some look to the right."""
    cloth.x = np.where(dice.chance(0.4), -cloth.x, cloth.x)
    cloth.weave = np.where(dice.chance(0.7), 1.0, cloth.weave)
    {"sandal": _sandal, "sneaker": _sneaker, "boot": _boot}[kind](cloth, dice)


def _sneaker(cloth: Cloth, dice: Dice) -> None:
    x, y = cloth.x, cloth.y
    ground, tongue = dice.between(4.5, 7.0), dice.between(0.5, 4.5)
    high, toe = dice.between(8, 11), dice.between(3.5, 5)
    top = ground - curve(
        x,
        (-12.5, -9.0, tongue - 5, tongue, tongue + 3, 11.5),
        (1.0, toe, toe + dice.between(0, 1.5), high, high - dice.between(1, 3), high - dice.between(-0.5, 1)),
    )
    shoe = common(top - y, y - ground, -12.5 - x, x - 11.6 - 0.12 * (y - ground))
    cloth.fill(shoe)
    thick = dice.between(1.2, 2.6)
    cloth.paint(common(shoe, ground - thick - y), dice.between(0.2, 1))
    slant = dice.between(-2, 3)
    stripe = limb(x, y, (3 + slant, ground - 2.5), (5 - slant, ground - 6.5), 0.9, 0.5)
    cloth.paint(when(dice.chance(0.6), common(stripe, shoe)), dice.between(0.2, 1))
    laces = common(np.abs((x + 30) % 2 - 1) - 0.5, np.abs(x - tongue + 3.5) - 3, y - top - 2.4, shoe)
    cloth.line(when(dice.chance(0.7), laces), 0.35)


def _boot(cloth: Cloth, dice: Dice) -> None:
    x, y = cloth.x, cloth.y
    heel, top = dice.between(0, 4.5), dice.between(-12.5, -7)
    ground = 8.5
    sole = ground - curve(x, (-6.0, 5.0), (0.0, heel))
    back, front = dice.between(8, 11), dice.between(-1.5, 2.5)
    shaft = common(front + 0.12 * y - x, x - back, top - y, y - sole + 1)
    instep = curve(x, (-12.0, -8.0, 4.0), (ground - 3, ground - 5 - 0.3 * heel, -4.0))
    foot = common(instep - y, y - sole, -12.2 - x, x - back)
    cloth.fill(union(shaft, foot))
    block = common(back - dice.between(2, 5) - x, x - back, sole - 0.6 - y, y - ground)
    cloth.paint(when(heel > 0.6, block), dice.between(0.25, 0.8))
    cloth.paint(common(foot, sole - 1.3 - y), dice.between(0.15, 0.8))
    cloth.line(when(dice.chance(0.6), common(np.abs(x - (front + back) / 2) - 0.4, y - 3, top - y)), 0.4)


def _sandal(cloth: Cloth, dice: Dice) -> None:
    x, y = cloth.x, cloth.y
    heel = np.where(dice.chance(0.4), dice.between(0, 1.5), dice.between(3.5, 10))
    ground = dice.between(6, 8.5)
    sole = ground - 0.8 - curve(x, (-6.0, 8.0), (0.0, heel))
    thick = dice.between(0.6, 1.5)
    cloth.fill(common(np.abs(y - sole) - thick, np.abs(x) - dice.between(10.5, 12)))
    wedge = common(sole - y, y - ground, -5 - x, x - 11)
    spike = limb(x, y, (9.5, ground - heel), (10.5, ground), 1.1, 0.5)
    cloth.fill(when(heel > 2, np.where(dice.chance(0.35), wedge, spike)))
    strap = dice.between(0.45, 1.0)
    toe, reach = dice.between(-8, -5), dice.between(3, 5)
    cloth.fill(common(np.abs(ellipse(x - toe, y - sole, dice.between(2, 3.5), reach)) - strap, y - sole))
    back, ankle = ground - 0.8 - heel, dice.between(5, 8)
    post = limb(x, y, (9.5, back), (8.5, back - ankle), strap, strap)
    round_ankle = limb(x, y, (8.5, back - ankle), (dice.between(1.5, 4), back - ankle + 1), strap, strap)
    cloth.fill(when(dice.chance(0.8), union(post, round_ankle)))
    cross = limb(x, y, (toe + 2, ground - reach), (3, back - ankle + 1), strap, strap)
    second = common(np.abs(ellipse(x - toe - 5, y - sole, 3, reach + 1)) - strap, y - sole)
    cloth.fill(np.where(dice.chance(0.6), cross, second))

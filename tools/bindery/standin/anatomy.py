"""Creatures in the making, with their colours and proportions, and the bodies they may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bindery.standin.formats import Bytes
from bindery.standin.shapes import Array, Dice, Value, blend, box, common, cover, ellipse, grid, limb, union

INK = 0.28
"""How dark outlines are beside the colour that they surround."""


class Creature:
    """Some creatures in the making; as they are symmetrical, `x` counts from the middle outwards."""

    def __init__(self, dice: Dice, size: int) -> None:
        """Choose colours and proportions."""
        x, y = grid(size)
        scale = dice.between(0.88, 0.98)
        self.x, self.y = np.abs(x) * scale, y * scale
        self.image: Array = np.ones((dice.count, size, size, 3))
        hue = dice.between(0, 1)
        vivid = dice.between(0.38, 0.72)
        self.main = colour(hue, vivid, dice.between(0.82, 0.98))
        other = hue + np.array([0.08, -0.1, 0.42, 0.5, 0.58])[dice.choice(5)]
        self.accent = colour(other, dice.between(0.45, 0.8), dice.between(0.8, 1.0))
        self.pale = 1 - 0.35 * (1 - self.main)
        self.middle = dice.between(1, 5)
        """How far the body's centre lies below that of the picture."""
        self.width = dice.between(13.5, 17.5)
        self.height = dice.between(13, 16.5)
        self.face = self.middle - 1.0
        """The line of the eyes; bodies move it."""
        self.eyes_apart = self.width * dice.between(0.36, 0.46)
        self.top = self.middle - self.height

    def part(self, distance: Array, paint: Array, outline: bool = True) -> None:
        """Add a part over what is there, darker towards its rim and below."""
        if outline:
            self.flat(distance - 1.2, paint * INK)
        round_off = 0.84 + 0.16 * np.clip(-distance / 6, 0, 1)
        from_above = 1.04 - 0.14 * np.clip((self.y + 14) / 34, 0, 1)
        self.flat(distance, np.clip(paint * (round_off * from_above)[..., None], 0, 1))

    def flat(self, distance: Array, paint: Array) -> None:
        """Add a part in one tone."""
        part = cover(distance)[..., None]
        self.image = self.image * (1 - part) + part * paint

    def pixels(self) -> Bytes:
        """The finished pictures."""
        return np.floor(np.clip(self.image, 0, 1) * 255 + 0.5).astype(np.uint8)


def colour(hue: Array, saturation: Array, value: Array) -> Array:
    """Red, green and blue in a last axis."""
    wheel = np.abs((hue[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6 - 3) - 1
    return np.asarray(value[..., None] * (1 - saturation[..., None] * (1 - np.clip(wheel, 0, 1))))


def leaf(x: Array, y: Array, long: Value, wide: Value, angle: Value) -> Array:
    """A pointed oval that grows from the origin, upwards at angle 0 and outwards as it grows."""
    along, across = -y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
    part = np.clip(along / long, 0, 1)
    return common(np.abs(across) - wide * np.sin(np.pi * part) ** 0.8, -along, along - long)


def _ball(creature: Creature, dice: Dice) -> Array:
    return ellipse(creature.x, creature.y - creature.middle, creature.width, creature.height)


def _egg(creature: Creature, dice: Dice) -> Array:
    down = creature.y - creature.middle
    taper = 1 + dice.between(0.12, 0.25) * down / creature.height
    creature.height = creature.height * 1.1
    creature.top = creature.middle - creature.height
    return ellipse(creature.x / taper, down, creature.width * 0.88, creature.height)


def _bean(creature: Creature, dice: Dice) -> Array:
    """A big head on a small trunk."""
    creature.middle = creature.middle - 5
    creature.face = creature.middle + 0.5
    creature.height = creature.height * 0.85
    creature.top = creature.middle - creature.height
    head = ellipse(creature.x, creature.y - creature.middle, creature.width, creature.height)
    trunk = ellipse(creature.x, creature.y - creature.middle - 16, creature.width * dice.between(0.5, 0.68), 9.5)
    return blend(head, trunk, 4)


def _ghost(creature: Creature, dice: Dice) -> Array:
    waves = np.where(dice.chance(0.5), 3.0, 4.0)
    hem = creature.middle + 17 + 2.2 * np.cos(creature.x / creature.width * np.pi * waves)
    dome = ellipse(creature.x, creature.y - creature.middle, creature.width, creature.height)
    skirt = common(creature.x - creature.width - 0.1 * (creature.y - creature.middle), creature.middle - creature.y)
    return common(union(dome, skirt), creature.y - hem)


def _drop(creature: Creature, dice: Dice) -> Array:
    creature.middle = creature.middle + 4
    creature.face = creature.face + 4
    creature.top = creature.middle - creature.height - 8
    ball = ellipse(creature.x, creature.y - creature.middle, creature.width * 0.95, creature.height)
    tip = limb(creature.x, creature.y, (0.0, creature.middle - 7), (0.0, creature.top), creature.width * 0.62, 0.8)
    return blend(ball, tip, 5)


def _cloud(creature: Creature, dice: Dice) -> Array:
    x, y = creature.x, creature.y - creature.middle
    puffs = [ellipse(x, y, creature.width * 0.9, creature.height * 0.9)]
    for angle in (0.0, 0.85, 1.7, 2.5):
        reach = creature.width * dice.between(0.75, 0.95)
        radius = creature.width * dice.between(0.36, 0.5)
        puffs.append(ellipse(x - reach * np.sin(angle), y + 0.72 * reach * np.cos(angle), radius, radius))
    return union(*puffs)


def _star(creature: Creature, dice: Dice) -> Array:
    y = creature.y - creature.middle
    radius, angle = np.sqrt(creature.x**2 + y**2), np.arctan2(creature.x, -y)
    creature.eyes_apart = creature.eyes_apart * 0.8
    waves = dice.between(3.5, 5) * np.cos(5 * angle) + dice.between(0, 1) * np.cos(10 * angle)
    return np.asarray((radius - 16.5 - waves) * 0.75)


def _mushroom(creature: Creature, dice: Dice) -> Array:
    """The stem; its cap hides what lies behind it."""
    creature.face = creature.middle + 5.5
    creature.eyes_apart = creature.eyes_apart * 0.75
    return box(creature.x, creature.y - creature.middle - 7, creature.width * 0.68, 11.5, 6)


def _jelly(creature: Creature, dice: Dice) -> Array:
    creature.middle = creature.middle - 5
    creature.face = creature.middle + 0.5
    for place in (0.0, 0.38, 0.76):
        out = creature.width * place
        sway = 1.6 * np.sin(creature.y * dice.between(0.4, 0.7) + place * 9)
        end = creature.middle + dice.between(18, 25) - 5 * place
        creature.part(
            limb(creature.x + sway, creature.y, (out, creature.middle), (out, end), 2.4, 1.4), creature.accent
        )
    dome = ellipse(creature.x, creature.y - creature.middle, creature.width * 1.1, creature.height)
    return common(dome, creature.y - creature.middle - 7 - np.cos(creature.x * 0.9))


BODIES: Mapping[str, Callable[[Creature, Dice], Array]] = {
    **{"ball": _ball, "egg": _egg, "bean": _bean, "ghost": _ghost, "drop": _drop, "cloud": _cloud},
    **{"star": _star, "mushroom": _mushroom, "jelly": _jelly},
}

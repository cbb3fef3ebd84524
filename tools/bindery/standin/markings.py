"""What distinguishes one creature of a kind from another: belly, spots and stripes, and the face."""

from __future__ import annotations

import numpy as np

from bindery.standin.anatomy import Creature
from bindery.standin.shapes import Array, Dice, common, ellipse, limb, union, when

_DARK = np.array([0.13, 0.1, 0.16])
_WHITE = np.ones(3)


def add_markings(creature: Creature, dice: Dice, body: Array, kind: str) -> None:
    """Give some a pale belly, spots or stripes; a mushroom gets its cap."""
    x, y = creature.x, creature.y
    if kind == "mushroom":
        _add_cap(creature, dice)
        return
    inside = body + 1.5
    low = creature.middle + np.where(creature.face > creature.middle, 16, creature.height * 0.75)
    belly = ellipse(x, y - low, creature.width * 0.55, dice.between(6, 9))
    creature.flat(when(dice.chance(0.6), common(belly, inside)), creature.pale)
    brow, edge = creature.top + 4, creature.width
    spots = union(ellipse(x - 6, y - brow - 3, 1.8, 1.5), ellipse(x, y - brow, 1.9, 1.7))
    stripes = union(
        limb(x, y, (0.0, brow - 4), (0.0, brow + 3), 1.3, 0.3), limb(x, y, (4.5, brow - 3), (4, brow + 2), 1.2, 0.2)
    )
    heights = (creature.middle - 1, creature.middle + 4)
    bars = union(*(limb(x, y, (edge, height), (edge * 0.72, height), 1.5, 0.2) for height in heights))
    pattern = dice.choice(4)  # the fourth is none
    for number, marks in enumerate((spots, stripes, bars)):
        creature.flat(when(pattern == number, common(marks, inside)), creature.accent)


def _add_cap(creature: Creature, dice: Dice) -> None:
    x, y = creature.x, creature.y - creature.middle - 1
    cap = common(ellipse(x, y, dice.between(19, 24), dice.between(16, 20)), y)
    creature.part(cap - 1, creature.accent)
    for out, up, radius in ((0.0, 10.0, 3.4), (9.5, 5.0, 2.8), (16.0, 2.5, 1.8)):
        creature.flat(common(ellipse(x - out, y + up, radius, radius * 0.9), cap), creature.pale)


def add_face(creature: Creature, dice: Dice, beaked: bool) -> None:
    """Eyes, cheeks, and a mouth or a beak."""
    x, y = creature.x - creature.eyes_apart, creature.y - creature.face
    mood, size = dice.choice(6), dice.between(2.6, 4.3)
    tall = size * dice.between(1.0, 1.3)
    eye = ellipse(x, y, size, tall)
    happy = common(np.abs(ellipse(x, y - 1, 3.4, 3.0)) - 0.8, y)
    sleepy = common(np.abs(ellipse(x, y, 3.2, 2.4)) - 0.8, -y)
    open_eyes = (mood > 0) & (mood < 5)
    ringed = dice.chance(0.3) & open_eyes
    creature.flat(when(ringed, ellipse(x, y, size + 1.9, tall + 1.9)), _DARK)
    creature.flat(when(ringed, ellipse(x, y, size + 1.0, tall + 1.0)), _WHITE)
    creature.flat(np.where(open_eyes, eye, np.where(mood == 0, happy, sleepy)), _DARK)
    iris = ellipse(x, y - tall * 0.45, size * 0.62, tall * 0.4)
    creature.flat(when(open_eyes & dice.chance(0.7), iris), 0.25 + 0.5 * creature.accent)
    gleam = ellipse(x - size * 0.25, y + tall * 0.4, size * 0.42, size * 0.42)
    creature.flat(when(open_eyes, gleam), _WHITE)
    cheek = ellipse(x - size * 0.8, y - tall - 1.8, 2.6, 1.6)
    creature.flat(when(dice.chance(0.75), cheek), _blush(creature))
    if beaked:
        _add_beak(creature, dice)
    else:
        _add_mouth(creature, dice, creature.face + tall + 0.6)


def _blush(creature: Creature) -> Array:
    return 0.45 * creature.main + 0.55 * np.array([1.0, 0.45, 0.5])


def _add_beak(creature: Creature, dice: Dice) -> None:
    top = creature.face + 2
    beak = limb(creature.x, creature.y, (0.0, top), (0.0, top + dice.between(3.5, 5.5)), 2.9, 0.4)
    creature.part(beak, np.array([1.0, 0.72, 0.25]) + 0 * creature.main)


def _add_mouth(creature: Creature, dice: Dice, at: Array) -> None:
    """A smile, a cat's mouth, an open one with a tongue, or a little fang."""
    x, y = creature.x, creature.y - at
    kind, wide = dice.choice(4), dice.between(2.4, 3.8)
    smile = common(np.abs(ellipse(x, y, wide, 2.4)) - 0.65, -y)
    cat = common(np.abs(ellipse(x - 1.9, y, 1.9, 1.7)) - 0.65, -y)
    wide_open = common(ellipse(x, y, wide, 3.6), -y)
    creature.flat(np.where(kind == 1, cat, np.where(kind == 2, wide_open, smile)), _DARK)
    tongue = common(ellipse(x, y - 3.2, wide * 0.6, 1.5), wide_open + 0.4)
    creature.flat(when(kind == 2, tongue), np.array([0.96, 0.45, 0.5]))
    creature.flat(when(kind == 3, limb(x, y, (1.6, 2.2), (1.6, 3.8), 0.9, 0.2)), _WHITE)

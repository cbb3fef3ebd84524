"""What creatures have about their bodies: ears and the like, arms and wings, and feet."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bindery.standin.anatomy import INK, Creature, colour, leaf
from bindery.standin.shapes import Array, Dice, common, curve, ellipse, limb, union, when

Part = Callable[[Creature, Dice], None]


def _pointed(creature: Creature, dice: Dice) -> None:
    out, tip = creature.width * dice.between(0.5, 0.66), creature.width * dice.between(0.6, 1.0)
    base, top = creature.top + 6, creature.top - dice.between(4, 9)
    creature.part(limb(creature.x, creature.y, (out, base), (tip, top), 6.0, 0.6), creature.main)
    creature.flat(limb(creature.x, creature.y, (out, base), (tip, top + 3), 3.2, 0.3), creature.accent)


def _round(creature: Creature, dice: Dice) -> None:
    out, radius = creature.width * dice.between(0.62, 0.78), dice.between(4.5, 6.5)
    ear = ellipse(creature.x - out, creature.y - creature.top - 3, radius, radius)
    creature.part(ear, creature.main)
    creature.flat(ear + 2.4, creature.accent)


def _long(creature: Creature, dice: Dice) -> None:
    out, tip = creature.width * dice.between(0.3, 0.45), creature.width * dice.between(0.35, 1.0)
    top = creature.top - dice.between(8, 11)
    ear = limb(creature.x, creature.y, (out, creature.top + 5), (tip, top), 3.4, 4.2)
    creature.part(ear, creature.main)
    creature.flat(ear + 2.2, creature.accent)


def _horns(creature: Creature, dice: Dice) -> None:
    out, tip = creature.width * dice.between(0.45, 0.7), creature.width * dice.between(0.75, 1.05)
    bend, top = (tip + 1.5, creature.top + 0.5), creature.top - dice.between(6, 9)
    lower = limb(creature.x, creature.y, (out, creature.top + 5), bend, 3.4, 2.6)
    horn = union(lower, limb(creature.x, creature.y, bend, (tip - 1, top), 2.6, 0.5))
    creature.part(horn, 0.3 + 0.7 * creature.accent)


def _feelers(creature: Creature, dice: Dice) -> None:
    tip, top = creature.width * dice.between(0.35, 0.75), creature.top - dice.between(6, 9)
    stalk = limb(creature.x, creature.y, (creature.width * 0.25, creature.top + 4), (tip, top), 0.8, 0.8)
    creature.flat(stalk, creature.main * INK)
    creature.part(ellipse(creature.x - tip, creature.y - top, 2.6, 2.6), creature.accent)


def _leaves(creature: Creature, dice: Dice) -> None:
    foot = creature.top - 2
    green = colour(dice.between(0.24, 0.4), dice.between(0.5, 0.75), dice.between(0.65, 0.85))
    creature.flat(limb(creature.x, creature.y, (0.0, foot), (0.0, foot + 8), 1.3, 1.3), green * 0.5)
    creature.part(leaf(creature.x, creature.y - foot, dice.between(10, 14), dice.between(3, 4.5), 1.0), green)
    bud = when(dice.chance(0.5), ellipse(creature.x, creature.y - foot, 3.2, 3.2))
    creature.part(bud, creature.accent)


def _spikes(creature: Creature, dice: Dice) -> None:
    for angle in (0.0, 0.45, 0.9, 1.35):
        out, up = np.sin(angle), np.cos(angle)
        start = (creature.width * 0.7 * out, creature.middle - creature.height * 0.7 * up)
        reach = dice.between(1.3, 1.45)
        end = (creature.width * reach * out * 0.95, creature.middle - creature.height * reach * up)
        creature.part(limb(creature.x, creature.y, start, end, 5.0, 0.4), creature.accent)


def _tuft(creature: Creature, dice: Dice) -> None:
    for angle in (0.75, 0.0):
        long = dice.between(8, 12)
        creature.part(leaf(creature.x, creature.y - creature.top - 3, long, 3.0, angle), creature.accent)


def _fin(creature: Creature, dice: Dice) -> None:
    long = dice.between(12, 16)
    creature.part(leaf(creature.x, creature.y - creature.top - 4, long, 5.5, 0.0), creature.accent)
    creature.part(leaf(creature.x, creature.y - creature.top - 5, long * 0.8, 4.0, 0.8), creature.accent)


def _halo(creature: Creature, dice: Dice) -> None:
    gold = colour(dice.between(0.11, 0.15), dice.between(0.5, 0.7), dice.between(0.95, 1.0))
    creature.part(np.abs(ellipse(creature.x, creature.y - creature.top + 1, 8, 3)) - 1.0, gold)


def _ring(creature: Creature, dice: Dice) -> None:
    """A planet's ring, of which one sees what the body does not hide, and a moon."""
    wide = np.minimum(creature.width * dice.between(1.45, 1.65), 25.5)
    ring = np.abs(ellipse(creature.x, creature.y - creature.middle - 5, wide, dice.between(5, 7))) - 1.5
    creature.part(ring, creature.accent)
    moon = creature.top - dice.between(3, 6)
    creature.part(ellipse(creature.x, creature.y - moon, 2.8, 2.8), creature.pale)


HEADGEAR: Mapping[str, Part] = {
    **{"pointed": _pointed, "round": _round, "long": _long, "horns": _horns, "feelers": _feelers},
    **{"leaves": _leaves, "spikes": _spikes, "tuft": _tuft, "fin": _fin, "halo": _halo, "ring": _ring},
}


def _stub_arms(creature: Creature, dice: Dice) -> None:
    at, lift = creature.middle + 6, dice.between(-6, 5)
    hand = (creature.width + dice.between(2.5, 5), at + lift)
    creature.part(limb(creature.x, creature.y, (creature.width * 0.6, at), hand, 3.2, 2.8), creature.main)


def _long_arms(creature: Creature, dice: Dice) -> None:
    hand = (creature.width + dice.between(2, 4), creature.middle + dice.between(15, 19))
    arm = limb(creature.x, creature.y, (creature.width * 0.45, creature.middle + 10), hand, 4.0, 4.4)
    creature.part(arm, creature.main)


def _bat_wings(creature: Creature, dice: Dice) -> None:
    root, tip = creature.middle + 3, creature.width + dice.between(8, 10)
    rise = dice.between(6, 11)
    upper = curve(creature.x, (creature.width * 0.6, tip), (root - 2, root - rise))
    scallops = 2.6 * np.abs(np.sin((creature.x - creature.width * 0.6) * np.pi / 6.5))
    lower = curve(creature.x, (creature.width * 0.6, tip), (root + 7, root + 1)) - scallops
    creature.part(common(upper - creature.y, creature.y - lower, creature.x - tip), creature.accent)


def _butterfly_wings(creature: Creature, dice: Dice) -> None:
    for up, big in ((1.0, 1.0), (-1.0, 0.75)):
        x, y = creature.x - creature.width * 0.95, creature.y - creature.middle - 8 + 9 * up
        radius = dice.between(8.5, 10.5) * big
        wing = ellipse(x * 0.9 - y * 0.3 * up, y * 0.9 + x * 0.3 * up, radius * 1.1, radius * 0.9)
        creature.part(wing, creature.accent)
        creature.flat(wing + radius * 0.5, creature.pale)


def _insect_wings(creature: Creature, dice: Dice) -> None:
    for angle in (dice.between(1.9, 2.2), dice.between(1.0, 1.4)):
        wing = leaf(creature.x - 7, creature.y - creature.middle + 3, dice.between(17, 21), 5.0, angle)
        creature.part(wing, 0.75 + 0.25 * creature.pale)


def _bird_wings(creature: Creature, dice: Dice) -> None:
    for angle in (2.3, 1.8, 1.3):
        wing = leaf(creature.x - creature.width * 0.6, creature.y - creature.middle, dice.between(13, 16), 3.6, angle)
        creature.part(wing, creature.pale)


def _fins(creature: Creature, dice: Dice) -> None:
    for angle in (dice.between(2.2, 2.5), dice.between(1.4, 1.7)):
        wing = leaf(creature.x - creature.width * 0.7, creature.y - creature.middle - 3, 14.0, 4.4, angle)
        creature.part(wing, creature.accent)


ARMS: Mapping[str, Part] = {
    **{"stubs": _stub_arms, "long": _long_arms, "bat wings": _bat_wings, "butterfly wings": _butterfly_wings},
    **{"insect wings": _insect_wings, "bird wings": _bird_wings, "fins": _fins},
}


def _stub_feet(creature: Creature, dice: Dice) -> None:
    out = creature.width * dice.between(0.38, 0.55)
    creature.part(ellipse(creature.x - out, creature.y - _ground(creature), 5.0, 3.6), creature.main * 0.92)


def _long_feet(creature: Creature, dice: Dice) -> None:
    out = creature.width * dice.between(0.3, 0.45)
    ground = _ground(creature) + 3.5
    creature.flat(limb(creature.x, creature.y, (out, creature.middle), (out, ground), 1.3, 1.3), creature.accent * 0.55)
    creature.part(ellipse(creature.x - out - 1.5, creature.y - ground, 4.4, 1.9), creature.accent)


def _ground(creature: Creature) -> Array:
    """Where the feet stand."""
    return np.minimum(creature.middle + np.where(creature.face > creature.middle, 24.0, creature.height + 1), 26.0)


FEET: Mapping[str, Part] = {"stubs": _stub_feet, "long": _long_feet}

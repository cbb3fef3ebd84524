"""Ten classes of drawn garments, the stand-in for Fashion-MNIST: same names, formats and labels, fewer pictures.

They can be learnt, but not perfectly. Of the pullovers, coats and shirts, the share `PLAIN` is drawn by one and the
same rule whatever the label says, so that of these nobody can name more than one in three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bindery.standin.formats import Bytes, contact_sheet, idx, read_idx
from bindery.standin.pieces import Cloth, footwear, hang
from bindery.standin.shapes import Dice, common, curve, ellipse, limb, union, when

LABELS = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
LOOK_ALIKES = ("pullover", "coat", "shirt")
PLAIN = 0.4
BAYES_ERROR = PLAIN * (1 - 1 / len(LOOK_ALIKES)) * len(LOOK_ALIKES) / len(LABELS)
"""No classifier has a smaller expected error: 0.08."""

SIZE = 28
SPLITS = {"train": 12_000, "t10k": 2_000}
_SEED = 28
_AT_ONCE = 200
"""Pictures drawn together, so that what is computed about them fits into the processor's cache."""


def t_shirt(dice: Dice, cloth: Cloth) -> None:
    """Short sleeves, a neckline, sometimes a print."""
    hang(cloth, dice, hem=dice.between(8, 12.5), sleeve=dice.between(3.0, 6.5), spread=dice.between(0.5, 1.15))
    cloth.neck(dice.between(2.4, 4), dice.between(1.2, 4.2))
    radius = dice.between(1.5, 3.5)
    printed = ellipse(cloth.x, cloth.y + dice.between(0, 3), radius, radius * 0.8)
    cloth.paint(when(dice.chance(0.35), printed), dice.between(0.1, 1))


def trouser(dice: Dice, cloth: Cloth) -> None:
    """Two legs that meet at the crotch."""
    x, y = cloth.x, cloth.y
    waist, hip = dice.between(3.2, 5.2), dice.between(4.2, 6.2)
    crotch, hem = dice.between(-6, -1.5), dice.between(8.5, 13)
    outer = curve(y, (-12.5, crotch, hem), (waist, hip, hip + dice.between(-0.8, 2.2)))
    inner = curve(y, (crotch, crotch + 2, hem), (-9, 0.4, dice.between(0.6, 2.6)))
    cloth.fill(common(np.abs(x) - outer, inner - np.abs(x), -12.5 - y, y - hem))
    cloth.paint(common(-12.5 - y, y + 11.3, np.abs(x) - outer), dice.between(0.3, 1))
    cloth.line(common(np.abs(x) - 0.2, crotch - 6 - y, y - crotch), 0.5)


def dress(dice: Dice, cloth: Cloth) -> None:
    """A bodice on a narrow waist and a skirt; straps, short sleeves or long ones."""
    x, y = cloth.x, cloth.y
    shoulder, waist = dice.between(2.4, 4.8), dice.between(2.2, 3.8)
    at, hem = dice.between(-5, 0), dice.between(9.5, 13)
    half = curve(y, (-12, at, hem), (shoulder, waist, waist + dice.between(0.8, 6.5)))
    cloth.fill(common(np.abs(x) - half, -12.5 + 0.3 * np.abs(x) - y, y - hem))
    length = np.where(dice.chance(0.55), -1, np.where(dice.chance(0.5), dice.between(2, 4), dice.between(8, 12)))
    cloth.sleeves(shoulder - 1, -10.5, length, dice.between(0.15, 0.7), dice.between(1.2, 1.8))
    cloth.neck(dice.between(1.4, 2.8), dice.between(1.5, 5.5))
    cloth.line(common(np.abs(y - at) - 0.3, np.abs(x) - half), np.where(dice.chance(0.5), 0.35, 1))


def pullover(dice: Dice, cloth: Cloth) -> None:
    """Long sleeves with cuffs, a ribbed hem, a round or a high collar."""
    hem = dice.between(7.5, 11)
    hang(cloth, dice, hem=hem, sleeve=dice.between(14, 18), spread=dice.between(0.12, 0.5), wide=0.6)
    high = dice.chance(0.3)
    cloth.neck(np.where(high, 0.5, dice.between(2, 3.4)), dice.between(0.8, 2))
    collar = common(np.abs(cloth.x) - 2.6, -13.3 - cloth.y, cloth.y + 10)
    cloth.paint(when(high, collar), dice.between(0.4, 1))
    cloth.shade(np.where((cloth.y > hem - 2.6) & (np.floor(cloth.x) % 2 == 0), 0.55, 1))
    yoke = dice.between(-6, 0)
    banded = dice.chance(0.5)
    cloth.shade(np.where(banded & (np.abs(cloth.y - yoke) < dice.between(1, 3)), dice.between(0.35, 0.7), 1))


def coat(dice: Dice, cloth: Cloth) -> None:
    """Long, open at the front, with lapels, buttons and pockets."""
    x, y = cloth.x, cloth.y
    hem, sleeve, lapel = dice.between(11, 13.2), dice.between(15, 19), dice.between(-7, -1)
    hang(cloth, dice, hem, sleeve, spread=dice.between(0.08, 0.32), wide=0.2)
    cloth.neck(dice.between(1.2, 2.2), lapel + 12)
    for side in (-1, 1):
        cloth.line(limb(x, y, (side * 2.8, -11.5), (side * 0.4, lapel), 0.3, 0.3), 0.45)
    cloth.line(common(np.abs(x) - np.where(dice.chance(0.6), 0.4, 1.0), lapel - y), dice.between(0, 0.45))
    pocket, across = dice.between(2, 6), dice.between(3.4, 4.4)
    cloth.line(common(np.abs(np.abs(x) - across) - 1.3, np.abs(y - pocket) - 0.3), np.where(dice.chance(0.7), 0.4, 1))


def shirt(dice: Dice, cloth: Cloth) -> None:
    """A pointed collar, a row of buttons on a light band, sometimes short sleeves."""
    x, y = cloth.x, cloth.y
    short = dice.chance(0.2)
    sleeve = np.where(short, dice.between(4, 6.5), dice.between(14, 18))
    hang(cloth, dice, hem=dice.between(9, 12.5), sleeve=sleeve, spread=dice.between(0.12, 0.6), wide=-0.7)
    cloth.neck(dice.between(1, 1.8), dice.between(1, 2.4))
    for side in (-1, 1):
        cloth.paint(limb(x, y, (side * 2.6, -11.6), (side * 1.0, -8.4), 1.1, 0.2), dice.between(0.7, 1))
    cloth.shade(np.where(np.abs(x) < 1, 1.35, 1))
    cloth.line(common(np.abs(x) - 0.5, np.abs((y + 30) % dice.between(3, 4.2) - 1) - 0.5), 0.25)
    pocket = common(np.abs(x - 3.2) - 1.6, np.abs(y + dice.between(3, 5)) - 1.6)
    cloth.line(when(dice.chance(0.5), np.abs(pocket) - 0.3), 0.5)


def plain_top(dice: Dice, cloth: Cloth) -> None:
    """What might be a pullover, a coat or a shirt: long sleeves, and at most a hint of a front."""
    hang(cloth, dice, hem=dice.between(8.5, 12.5), sleeve=dice.between(14, 18), spread=dice.between(0.1, 0.45))
    cloth.neck(dice.between(1.2, 2.8), dice.between(1, 3.5))
    cloth.line(common(np.abs(cloth.x) - 0.3, -10 - cloth.y), np.where(dice.chance(0.5), dice.between(0.5, 0.9), 1))


def sandal(dice: Dice, cloth: Cloth) -> None:
    """A sole, flat or on a heel, and straps with air between them."""
    footwear(cloth, dice, "sandal")


def sneaker(dice: Dice, cloth: Cloth) -> None:
    """A low shoe with a sole in another tone, laces and a stripe."""
    footwear(cloth, dice, "sneaker")


def ankle_boot(dice: Dice, cloth: Cloth) -> None:
    """A shoe with a shaft and a heel."""
    footwear(cloth, dice, "boot")


def bag(dice: Dice, cloth: Cloth) -> None:
    """A body, mostly with a flap and a clasp, under a handle."""
    cloth.weave = np.where(dice.chance(0.6), 1.0, cloth.weave)
    x, y = cloth.x, cloth.y
    top, bottom, half = dice.between(-6, 1), dice.between(7, 11.5), dice.between(7.5, 12.5)
    body = common(np.abs(x) - curve(y, (top, bottom), (half * dice.between(0.75, 1), half)), top - y, y - bottom)
    wide, tall = half * dice.between(0.35, 0.75), dice.between(3, 8)
    ring = np.abs(ellipse(x, y - top, wide, tall)) - dice.between(0.4, 0.9)
    handle = when(dice.chance(0.8), common(ring, y - top))
    cloth.fill(union(body, handle))
    flap = top + dice.between(2, 6) * (1 - (x / half) ** 2 * dice.between(0, 0.7))
    cloth.line(common(np.abs(y - flap) - 0.4, body), np.where(dice.chance(0.7), 0.4, 1))
    cloth.paint(when(dice.chance(0.6), ellipse(x, y - flap, 1.3, 1.1)), dice.between(0.6, 1))


_DRAW: Mapping[str, Callable[[Dice, Cloth], None]] = {
    **{"t-shirt": t_shirt, "trouser": trouser, "pullover": pullover, "dress": dress, "coat": coat, "sandal": sandal},
    **{"shirt": shirt, "sneaker": sneaker, "bag": bag, "ankle boot": ankle_boot},
}


def draw(label: str, plain: bool, count: int, generator: np.random.Generator) -> Bytes:
    """Pictures of one class, (count, 28, 28)."""
    parts = []
    for start in range(0, count, _AT_ONCE):
        dice = Dice(generator, min(_AT_ONCE, count - start))
        cloth = Cloth(dice, SIZE)
        (plain_top if plain else _DRAW[label])(dice, cloth)
        parts.append(cloth.pixels(dice))
    return np.concatenate(parts)


def split(count: int, generator: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Pictures and labels, as many of each class, in random order."""
    pictures, labels = [], []
    each = count // len(LABELS)
    for number, label in enumerate(LABELS):
        alike = round(each * PLAIN) if label in LOOK_ALIKES else 0
        for plain, some in ((False, each - alike), (True, alike)):
            if some:
                pictures.append(draw(label, plain, some, generator))
        labels.append(np.full(each, number, np.uint8))
    order = np.argsort(generator.random(each * len(LABELS)), kind="stable")
    return np.concatenate(pictures)[order], np.concatenate(labels)[order]


def files() -> dict[str, bytes]:
    """The four files of Fashion-MNIST."""
    made = {}
    for number, (name, count) in enumerate(SPLITS.items()):
        pictures, labels = split(count, np.random.default_rng((_SEED, number)))
        made[f"{name}-images-idx3-ubyte.gz"] = idx(pictures)
        made[f"{name}-labels-idx1-ubyte.gz"] = idx(labels)
    return made


def sheet(made: Mapping[str, bytes]) -> Bytes:
    """Twenty test pictures of each class, one row a class."""
    pictures, labels = (read_idx(made[f"t10k-{part}-ubyte.gz"]) for part in ("images-idx3", "labels-idx1"))
    rows = [pictures[labels == number][:20] for number in range(len(LABELS))]
    return contact_sheet(np.concatenate(rows), columns=20, scale=2)

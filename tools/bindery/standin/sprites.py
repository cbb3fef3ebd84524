"""Little creatures, symmetrical and colourful: the stand-in for the sprites, a zip of PNGs, one folder a kind."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bindery.standin.anatomy import BODIES, Creature
from bindery.standin.formats import Bytes, archive, contact_sheet, png, read_png
from bindery.standin.limbs import ARMS, FEET, HEADGEAR
from bindery.standin.markings import add_face, add_markings
from bindery.standin.shapes import Dice

SIZE = 64
EACH = 32
_SEED = 64


@dataclass(frozen=True)
class Kind:
    """What all creatures of a kind have in common; each has colours, proportions and a face of its own."""

    name: str
    body: str
    headgear: str
    arms: str
    feet: str


KINDS = (
    Kind("batlet", "ball", "pointed", "bat wings", "stubs"),
    Kind("bumblet", "egg", "feelers", "insect wings", "none"),
    Kind("cloudling", "cloud", "none", "stubs", "none"),
    Kind("dozebear", "bean", "round", "stubs", "stubs"),
    Kind("dropling", "drop", "none", "stubs", "stubs"),
    Kind("emberkit", "bean", "pointed", "stubs", "stubs"),
    Kind("finnow", "ball", "fin", "fins", "none"),
    Kind("flitwing", "bean", "feelers", "butterfly wings", "none"),
    Kind("gloomp", "ghost", "none", "stubs", "none"),
    Kind("hornlet", "egg", "horns", "stubs", "stubs"),
    Kind("hoppum", "egg", "long", "stubs", "long"),
    Kind("jellibob", "jelly", "none", "none", "none"),
    Kind("kitsel", "ball", "pointed", "none", "stubs"),
    Kind("lopkin", "ball", "long", "none", "stubs"),
    Kind("mushmuff", "mushroom", "none", "stubs", "stubs"),
    Kind("orbit", "ball", "ring", "none", "none"),
    Kind("peeplet", "ball", "tuft", "bird wings", "long"),
    Kind("pricklet", "egg", "spikes", "stubs", "stubs"),
    Kind("seraffle", "drop", "halo", "bird wings", "none"),
    Kind("snorkin", "bean", "horns", "bat wings", "stubs"),
    Kind("sproutle", "egg", "leaves", "stubs", "stubs"),
    Kind("starbit", "star", "none", "none", "none"),
    Kind("wisp", "ghost", "tuft", "none", "none"),
    Kind("yetikin", "bean", "horns", "long", "stubs"),
)


def draw(kind: Kind, count: int, generator: np.random.Generator) -> Bytes:
    """Some creatures of one kind on white, (count, 64, 64, 3)."""
    dice = Dice(generator, count)
    creature = Creature(dice, SIZE)
    body = BODIES[kind.body](creature, dice)
    for table, name in ((ARMS, kind.arms), (HEADGEAR, kind.headgear), (FEET, kind.feet)):
        if name != "none":
            table[name](creature, dice)
    creature.part(body, creature.main)
    add_markings(creature, dice, body, kind.body)
    add_face(creature, dice, beaked=kind.headgear == "tuft")
    return creature.pixels()


def files() -> dict[str, bytes]:
    """`pokemon.zip`, whose members are `pokemon/<kind>/<number>.png`."""
    generator = np.random.default_rng(_SEED)
    members = {
        f"pokemon/{kind.name}/{number}.png": png(picture)
        for kind in KINDS
        for number, picture in enumerate(draw(kind, EACH, generator), 1)
    }
    return {"pokemon.zip": archive(members)}


def sheet(made: Mapping[str, bytes]) -> Bytes:
    """The first eight of each kind, two kinds a row."""
    with zipfile.ZipFile(io.BytesIO(made["pokemon.zip"])) as source:
        names = [f"pokemon/{kind.name}/{number}.png" for kind in KINDS for number in range(1, 9)]
        pictures = np.stack([read_png(source.read(name)) for name in names])
    return contact_sheet(pictures, columns=16, scale=1)

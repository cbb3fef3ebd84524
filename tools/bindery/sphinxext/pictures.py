"""Pictures that leave their place free while they load, and load when a reader comes near them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from PIL import Image, UnidentifiedImageError
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
"""CSS pixels of a unit."""

ROOT = re.compile(r"<svg\b[^>]*>", re.DOTALL)
IDENTITY = re.compile(r'\sid="[^"]*"')
LENGTH = re.compile(r"([\d.]+)\s*(\w*)$")


def connect(app: Sphinx) -> None:
    """Add the visitor."""
    app.add_node(nodes.image, override=True, html=(visit_image, HTML5Translator.depart_image))


def visit_image(self: HTML5Translator, node: nodes.image) -> None:
    """Write a picture as Sphinx does, with its size."""
    file = Path(self.builder.srcdir, node["uri"])
    HTML5Translator.visit_image(self, node)
    found = size(file) if file.is_file() else None
    given = f'width="{found[0]}" height="{found[1]}" ' if found and not {"width", "height", "scale"} & {*node} else ""
    waits = 'loading="lazy" decoding="async" ' if self.builder.name == "html" else ""
    self.body[-1] = self.body[-1].replace("<img ", f"<img {given}{waits}", 1)


@cache
def size(file: Path) -> tuple[int, int] | None:
    """Width and height of a picture in CSS pixels, if it says so."""
    if file.suffix == ".svg":
        return _svg_size(file.read_text(encoding="utf-8", errors="replace")[:4000])
    try:
        with Image.open(file) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError):
        return None


def named_once(drawing: str) -> str:
    """A drawing in which no element has a name that an earlier one has."""
    seen: set[str] = set()

    def keep(match: re.Match[str]) -> str:
        known = match[0] in seen
        seen.add(match[0])
        return "" if known else match[0]

    return IDENTITY.sub(keep, drawing)


def _svg_size(text: str) -> tuple[int, int] | None:
    root = ROOT.search(text)
    if not root:
        return None
    lengths = [LENGTH.match(value) for value in (_attribute(root[0], "width"), _attribute(root[0], "height"))]
    if all(length and length[2] in PIXELS for length in lengths):
        width, height = (float(length[1]) * PIXELS[length[2]] for length in lengths if length)
        return round(width), round(height)
    box = _attribute(root[0], "viewBox").replace(",", " ").split()
    return (round(float(box[2])), round(float(box[3]))) if len(box) == 4 else None


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}\s*=\s*"([^"]*)"', tag)
    return found[1] if found else ""

"""Pictures of the book, drawn as PNG: a card for each chapter, where people share links to it, and the EPUB's cover."""

from __future__ import annotations

import io
import textwrap
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from sphinx.application import Sphinx

from bindery import files
from bindery.settings import Facts

SIZE = (1200, 630)
"""Pixels, as the services that show such cards ask for."""

COVER = (1600, 2400)
"""Pixels of a cover that is large enough for every shop and shelf."""

GROUND, TEXT, MUTED, ACCENT = "#ffffff", "#222832", "#48566b", "#0a7d91"


def connect(app: Sphinx) -> None:
    """Connect the event; cards need an address, since links to them are absolute."""
    app.connect("html-page-context", _add_card)


def card(book: str, number: str, title: str) -> bytes:
    """The card of a chapter, as a PNG."""
    picture = Image.new("RGB", SIZE, GROUND)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 24, SIZE[1]), fill=ACCENT)
    draw.text((96, 84), book, fill=MUTED, font=_font(40))
    lines = textwrap.wrap(title, 22)[:3]
    top = 250 if number else 210
    if number:
        draw.text((96, 170), f"Chapter {number}", fill=ACCENT, font=_font(44))
    for index, line in enumerate(lines):
        draw.text((96, top + 104 * index), line, fill=TEXT, font=_font(84, bold=True))
    return _png(picture)


def cover(facts: Facts, chapters: list[int]) -> bytes:
    """The cover of the book, as a PNG: a row of squares for each chapter, one square for each of its sections."""
    picture = Image.new("RGB", COVER, ACCENT)
    draw = ImageDraw.Draw(picture)
    size, lines = _fitted(draw, facts.title)
    for index, line in enumerate(lines):
        draw.text((140, 180 + size * 5 // 4 * index), line, fill=GROUND, font=_font(size, bold=True))
    for index, line in enumerate(textwrap.wrap(", ".join(author.name for author in facts.authors), 40)[:3]):
        draw.text((140, 2130 + 70 * index), line, fill=GROUND, font=_font(52))
    size = min(90, 880 // max(1, len(chapters)), 1320 // max([1, *chapters]))
    for row, count in enumerate(chapters):
        for column in range(count):
            left, top = 140 + size * column, 2030 - size * (len(chapters) - row)
            draw.rectangle((left, top, left + size * 3 // 4, top + size * 3 // 4), fill=GROUND)
    draw.text((140, 2290), f"Version {facts.version}", fill=GROUND, font=_font(40))
    return _png(picture)


def _fitted(draw: ImageDraw.ImageDraw, title: str) -> tuple[int, list[str]]:
    """Size and lines of a title that has the upper part of the cover to itself."""
    for size in (150, 120, 96, 72, 48):
        lines = textwrap.wrap(title, 2100 // size)
        if all(draw.textlength(line, _font(size, bold=True)) <= 1320 for line in lines) and len(lines) * size <= 760:
            break
    return size, lines


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.quantize(64).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    import matplotlib  # only for the fonts that it brings

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


def _add_card(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    facts: Facts | None = app.config.bindery_facts
    if facts is None or not facts.url or doctree is None:
        return
    opening = f"{page.partition('/')[0]}/index"
    if "/" not in page or opening not in app.env.titles:
        opening = app.config.root_doc
    name = f"_static/cards/{opening.partition('/')[0]}.png"
    file = Path(app.outdir, name)
    if opening == page or not file.is_file():
        number = ".".join(map(str, app.env.toc_secnumbers.get(opening, {}).get("", ())))
        title = facts.title if opening == app.config.root_doc else app.env.titles[opening].astext()
        files.write_if_changed(file, card("" if title == facts.title else facts.title, number, title))
    context["card"] = f"{facts.url.rstrip('/')}/{name}"

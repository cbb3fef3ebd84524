"""What figures are drawn with can be seen: lines at 3 to 1, words at 4.5 to 1 (WCAG 2.2, 1.4.11 and 1.4.3).

In the dark theme figures lie on a white sheet, and a filter darkens the sheet with all that is on it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
DRAWINGS = sorted((ROOT / "chapters").glob("*/img/*.svg"))
STYLE = ROOT / "tools" / "bindery" / "sphinxext" / "static" / "bindery.css"
DARKENED = re.findall(r"filter: brightness\(([\d.]+)\)", STYLE.read_text())
INHERITED = ("fill", "stroke")


def luminance(colour: str, brightness: float) -> float:
    """Relative luminance of `#rrggbb` behind a filter, from 0 for black to 1 for white."""
    channels = [brightness * int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str) -> float:
    """With the sheet, in the theme where it is less: from 1 for white to 21 for black."""
    return min(
        (luminance("#ffffff", each) + 0.05) / (luminance(colour, each) + 0.05) for each in (1, *map(float, DARKENED))
    )


def drawn(element: ElementTree.Element, style: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each shape and each text of a drawing with the colours of its area and of its line."""
    style = style | {name: element.attrib[name] for name in INHERITED if name in element.attrib}
    kind = element.tag.rpartition("}")[2]
    yield kind, style["fill"], style["stroke"]
    for child in element:
        yield from drawn(child, style)


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawings_stand_out_from_the_page(path: Path) -> None:
    """White is left out: it keeps lines apart where they cross, and writes on dark areas."""
    faint = set()
    for kind, fill, stroke in drawn(ElementTree.parse(path).getroot(), {"fill": "#000000", "stroke": "none"}):
        if kind == "text" and fill.startswith("#") and fill != "#ffffff" and contrast(fill) < 4.5:
            faint.add((kind, fill))
        elif kind not in ("text", "tspan") and stroke.startswith("#") and stroke != "#ffffff" and contrast(stroke) < 3:
            faint.add((kind, stroke))
    assert not faint


@pytest.mark.slow
def test_lines_of_plots_stand_out_from_the_page(book: Path) -> None:
    """Those that the library draws where a section names no colour."""
    code = """
import json, matplotlib
matplotlib.use('module://matplotlib_inline.backend_inline')
from d2l import torch as d2l
d2l.set_figsize()
print(json.dumps(d2l.plt.rcParams['axes.prop_cycle'].by_key()['color']))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=book / "build" / "library", capture_output=True, text=True, check=True
    )
    colours = json.loads(run.stdout)
    assert len(colours) == 10
    assert min(map(contrast, colours)) >= 3

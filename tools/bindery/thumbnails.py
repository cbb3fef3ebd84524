"""Pictures made small enough to be kept, and how much alike two of them are. Pure."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 32
"""Pixels of a side."""
_WINDOW, _STEP = 8, 4
_STEADY = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)
"""The constants of the index, which keep it steady where a picture is dark or flat."""


def thumbnail(picture: bytes) -> str:
    """A picture in 32 by 32 greys, as a PNG in base64; what is transparent becomes white."""
    with Image.open(io.BytesIO(picture)) as opened:
        coloured = opened.convert("RGBA")
    ground = Image.new("RGBA", coloured.size, "white")
    small = Image.alpha_composite(ground, coloured).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    kept = io.BytesIO()
    small.save(kept, "PNG", optimize=True)
    return base64.b64encode(kept.getvalue()).decode()


def likeness(one: str, other: str) -> float:
    """The mean structural similarity of two thumbnails, 1 for equal ones (Wang et al., 2004), in windows of 8 by 8."""
    first, second = _windows(one), _windows(other)
    mean_first, mean_second = first.mean(axis=(2, 3)), second.mean(axis=(2, 3))
    joint = (first * second).mean(axis=(2, 3)) - mean_first * mean_second
    light, contrast = _STEADY
    similarity = (2 * mean_first * mean_second + light) * (2 * joint + contrast)
    similarity /= mean_first**2 + mean_second**2 + light
    similarity /= first.var(axis=(2, 3)) + second.var(axis=(2, 3)) + contrast
    return float(similarity.mean())


def _windows(thumb: str) -> npt.NDArray[np.float64]:
    with Image.open(io.BytesIO(base64.b64decode(thumb))) as opened:
        pixels = np.asarray(opened, dtype=np.float64)
    return np.lib.stride_tricks.sliding_window_view(pixels, (_WINDOW, _WINDOW))[::_STEP, ::_STEP]

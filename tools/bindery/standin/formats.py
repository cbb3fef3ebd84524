"""Writes and reads the formats of data sets, gzipped IDX, PNG and zip, without dates or names of machines."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]
"""An array of unsigned bytes: pixels or labels."""

_UNSIGNED_BYTE = 0x08
_GZIP_HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255))
"""Deflate, no name, no date, unknown system: Python's own header depends on its version."""

_EPOCH = (2020, 1, 1, 0, 0, 0)


def idx(array: Bytes) -> bytes:
    """An array of bytes in the IDX format of MNIST, gzipped."""
    header = struct.pack(f">HBB{array.ndim}I", 0, _UNSIGNED_BYTE, array.ndim, *array.shape)
    content = header + array.tobytes()
    press = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join(
        (_GZIP_HEADER, press.compress(content), press.flush(), struct.pack("<II", zlib.crc32(content), len(content)))
    )


def read_idx(content: bytes) -> Bytes:
    """The array in a gzipped IDX file."""
    raw = gzip.decompress(content)
    dimensions = raw[3]
    shape = struct.unpack(f">{dimensions}I", raw[4 : 4 + 4 * dimensions])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def png(pixels: Bytes) -> bytes:
    """An image of shape (height, width) or (height, width, 3) as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=False)
    return stream.getvalue()


def read_png(content: bytes) -> Bytes:
    """The pixels of an image, (height, width, 3)."""
    pixels: npt.NDArray[Any] = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    return pixels.astype(np.uint8)


def archive(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members in the order given; they are stored, for PNGs do not shrink any more."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for path, content in members.items():
            member = zipfile.ZipInfo(path, _EPOCH)
            member.create_system = 3  # as on Unix, wherever it is written
            member.external_attr = 0o644 << 16
            target.writestr(member, content, zipfile.ZIP_STORED)
    return stream.getvalue()


def contact_sheet(pictures: Bytes, columns: int, scale: int, gap: int = 2) -> Bytes:
    """Pictures of equal size, (count, height, width[, 3]), in rows on a grey ground."""
    if pictures.ndim == 3:
        pictures = np.repeat(pictures[..., None], 3, axis=-1)
    pictures = pictures.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 128, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def stack(sheets: Sequence[Bytes]) -> Bytes:
    """Sheets under one another, grey beside the narrower ones."""
    widest = max(sheet.shape[1] for sheet in sheets)
    padded = [np.pad(sheet, ((0, 0), (0, widest - sheet.shape[1]), (0, 0)), constant_values=128) for sheet in sheets]
    return np.concatenate(padded)

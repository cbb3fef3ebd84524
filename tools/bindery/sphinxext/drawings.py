"""Drawings and plots as PDF, which LaTeX can include: each SVG goes through `rsvg-convert` and stays vectors."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx.util import logging

logger = logging.getLogger(__name__)

EPOCH = "1577836800"
"""The second at which every PDF claims to have been made: the same content gives the same bytes."""


class DrawingConverter(ImageConverter):
    """Makes a PDF of each SVG that a page shows."""

    conversion_rules = [("image/svg+xml", "application/pdf")]  # noqa: RUF012  # as Sphinx declares it

    def is_available(self) -> bool:
        """Always: a machine without the program is told so by the failing call."""
        return True

    def convert(self, _from: str | os.PathLike[str], _to: str | os.PathLike[str]) -> bool:
        """Convert one drawing; where that fails, say which."""
        command = ["rsvg-convert", "--format=pdf", f"--output={os.fspath(_to)}", os.fspath(_from)]
        try:
            subprocess.run(
                command, check=True, capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
            )
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip()
            message = f"rsvg-convert cannot make a PDF of '{Path(_from).name}': {said}"
            logger.warning("%s", message, location=str(_from), type="bindery", subtype="drawing")
            return False
        return True


def connect(app: Sphinx) -> None:
    """Register the converter."""
    app.add_post_transform(DrawingConverter)

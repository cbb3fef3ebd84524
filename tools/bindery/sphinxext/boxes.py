"""Boxes that scroll on their own for what a narrow screen cannot show whole, and short code that no line end cuts."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

SHORT = 24
"""Letters up to which code in a line of text goes to the next line whole."""


class BoxWideThings(SphinxPostTransform):
    """Put each table, and each picture of a figure, into a box."""

    # After the numbers have been read off the figures, and the pictures' files are known.
    default_priority = 910
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the tables and figures of one page."""
        for table in list(self.document.findall(nodes.table)):
            _box(table, "table-box")
        for figure in self.document.findall(nodes.figure):
            for picture in figure.findall(nodes.image):
                # A drawing stands beside the chapter, a plot among the outputs.
                drawn = "/img/" in picture.get("uri", "")
                _box(picture, "drawing-box" if drawn else "plot-box")


class KeepShortCode(SphinxPostTransform):
    """Mark short code in a line of text, which browsers hold together then; `latex` does so on paper."""

    default_priority = 910
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the code of one page."""
        for literal in self.document.findall(nodes.literal):
            if len(literal.astext()) <= SHORT:
                literal["classes"].append("short")


def connect(app: Sphinx) -> None:
    """Register both."""
    app.add_post_transform(BoxWideThings)
    app.add_post_transform(KeepShortCode)


def _box(node: nodes.Element, name: str) -> None:
    box = nodes.container(classes=[name])
    node.parent.replace(node, box)  # `replace_self` would give the box the node's ids as well
    box += node

"""Links in the printed book: what leads out of a section says on which page its other end is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.writers.latex import LaTeXTranslator


class LinksOnPaper(LaTeXTranslator):
    """Writes links as Sphinx does, and behind them the pages to which they lead."""

    def visit_reference(self, node: nodes.Element) -> None:
        """Open a link, and leave the page to which it leads for its end."""
        super().visit_reference(node)
        page, _, identity = node.get("refuri", "").removeprefix("%").partition("#")
        inside = node.next_node()
        # A term is explained to those who have forgotten it; the page of its entry would only be in the way.
        term = isinstance(inside, nodes.Element) and "std-term" in inside["classes"]
        if node.get("internal") and not (term or isinstance(inside, nodes.literal)):
            self.context[-1] += self._page_number(node, page, f"{page}:{identity}" if identity else f"{page}::doc")

    def visit_number_reference(self, node: nodes.Element) -> None:
        """Write a link to something with a number, and the page on which that is."""
        try:
            super().visit_number_reference(node)
        finally:  # Sphinx skips what is inside by an exception
            page, _, identity = node.get("refuri", "").removeprefix("%").partition("#")
            self.body.append(self._page_number(node, page, f"{page}:{identity}"))

    def visit_math_reference(self, node: nodes.Element) -> None:
        """Write a link to a formula, and the page on which that is."""
        try:
            super().visit_math_reference(node)
        finally:  # Sphinx skips what is inside by an exception
            label = f"equation:{node['docname']}:{node['target']}"
            self.body.append(self._page_number(node, node["docname"], label, written=True))

    def _page_number(self, node: nodes.Element, page: str, label: str, written: bool = False) -> str:
        """The page on which the other end of a link is printed, unless it is in the section that the reader is in."""
        far = any(isinstance(outer, addnodes.start_of_file) and outer.get("gathered") for outer in _around(node))
        near = page == self.curfilestack[-1] and not far
        if near or not page or self.in_title or self.in_caption or isinstance(node.parent, nodes.title):
            return ""
        block = next(parent for parent in _around(node.parent) if not isinstance(parent, nodes.Inline))
        earlier = itertools.takewhile(lambda other: other is not node, block.findall())
        before = "".join(text.astext() for text in earlier if isinstance(text, nodes.Text))
        name = "binderypageinside" if before.count("(") > before.count(")") else "binderypage"
        return f"\\{name}{{{label if written else self.idescape(label)}}}"


def _around(node: nodes.Node) -> Iterator[nodes.Node]:
    """The node and all that it lies in, from the inside."""
    here: nodes.Node | None = node
    while here is not None:
        yield here
        here = here.parent

"""Names of the library in code lead to their pages; on paper, what only a page on the web can offer is left out."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import NoUri
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.osutil import relative_uri
from sphinx.writers.html5 import HTML5Translator

PYTHON = ("python", "python3", "ipython", "ipython3")
NAME = re.compile(r"\bd2l\.(\w+)")
HIGHLIGHTED = re.compile(
    r'<span class="n">d2l</span><span class="o">\.</span><span class="(?P<kind>\w+)">(?P<name>\w+)</span>'
)


class LeaveOutOnPaper(SphinxPostTransform):
    """Remove the notes that are made of links only; an EPUB has no page for them to lead to either."""

    default_priority = 400

    def run(self, **kwargs: Any) -> None:
        """Change one page."""
        if self.app.builder.name == "html":
            return
        for note in list(self.document.findall(nodes.container)):
            if "saved-note" in note["classes"]:
                note.parent.remove(note)


def connect(app: Sphinx) -> None:
    """Add the transform and the visitor."""
    app.add_post_transform(LeaveOutOnPaper)
    app.add_node(nodes.literal_block, override=True, html=(visit_code, HTML5Translator.depart_literal_block))


def mentioned(node: nodes.Element) -> set[str]:
    """The names of the library that a block of code has."""
    return {f"d2l.{name}" for name in NAME.findall(node.astext())} if node.get("language") in PYTHON else set()


def visit_code(self: HTML5Translator, node: nodes.literal_block) -> None:
    """Write a block of code as Sphinx does, then make links of the library's names in it."""
    start = len(self.body)
    try:
        HTML5Translator.visit_literal_block(self, node)
    finally:  # Sphinx skips what is inside by an exception
        if node.get("language") in PYTHON:
            self.body[start:] = [_linked(self, text) for text in self.body[start:]]


def _linked(translator: HTML5Translator, text: str) -> str:
    builder = translator.builder
    objects = builder.env.domains.python_domain.objects
    here = builder.get_target_uri(builder.current_docname)

    def link(match: re.Match[str]) -> str:
        found = objects.get(f"d2l.{match['name']}")
        if found is None or found.docname == builder.current_docname:
            return match[0]
        try:
            target = relative_uri(here, builder.get_target_uri(found.docname))
        except NoUri:
            return match[0]
        return f'<a class="library-name" href="{target}#{found.node_id}">{match[0]}</a>'

    return HIGHLIGHTED.sub(link, text)

"""Finds labels that two pages define: Sphinx sees them only while one process reads both pages."""

from __future__ import annotations

from collections.abc import Set

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.util import logging
from sphinx.util.nodes import get_node_line

logger = logging.getLogger(__name__)

Defined = list[tuple[str, int]]
"""The labels of one page, each with its line."""


class LabelCollector(EnvironmentCollector):
    """Keeps the labels that each page defines."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:
        """Forget a page that is read again or gone."""
        _labels(env).pop(docname, None)

    def merge_other(self, app: Sphinx, env: BuildEnvironment, docnames: Set[str], other: BuildEnvironment) -> None:
        """Take over what a parallel reader found."""
        _labels(env).update({name: found for name, found in _labels(other).items() if name in docnames})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Note the labels of a page."""
        found: Defined = []
        # `(label)=` stands above what it names.
        above = {target["refid"]: target.line for target in doctree.findall(nodes.target) if "refid" in target}
        for name, explicit in doctree.nametypes.items():
            identity = doctree.nameids.get(name) or ""
            node = doctree.ids.get(identity)
            if explicit and node is not None and not isinstance(node, (nodes.footnote, nodes.citation)):
                found.append((name, above.get(identity) or get_node_line(node) or 1))
        found += [
            (block["label"], block.line or 1) for block in doctree.findall(nodes.math_block) if block.get("label")
        ]
        _labels(app.env)[app.env.docname] = found


def connect(app: Sphinx) -> None:
    """Register the collector and the check."""
    app.add_env_collector(LabelCollector)
    app.connect("env-check-consistency", _check)


def _labels(env: BuildEnvironment) -> dict[str, Defined]:
    found: dict[str, Defined] = vars(env).setdefault("bindery_labels", {})
    return found


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    first: dict[str, str] = {}
    for page, labels in sorted(_labels(env).items()):
        for name, line in labels:
            place = f"{env.doc2path(page)}:{line}"
            if name in first:
                message = f"the label '{name}' is already defined at {first[name]}"
                logger.warning("%s", message, location=place, type="bindery", subtype="duplicate-label")
            first.setdefault(name, place)

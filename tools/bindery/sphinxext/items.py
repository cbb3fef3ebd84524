"""Notes what each page holds that readers count on, in order and with its numbers, for `parity` to look for.

It reads the resolved page and none of what is made from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx_exercise.nodes import is_exercise_node, solution_node  # type: ignore[import-untyped]  # it has no types

from bindery import files
from bindery.parity import ITEMS, Item
from bindery.sphinxext.folds import Fold


def connect(app: Sphinx) -> None:
    """Write the notes when a page of the website is written."""
    app.connect("html-page-context", _write)


def _write(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if app.builder.name == "html" and doctree is not None and not app.env.metadata[page].get("orphan"):
        found = [item.__dict__ for item in items_of(app.env, page, doctree)]
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        files.write_if_changed(Path(app.outdir).parent / ITEMS / f"{page}.json", text.encode())


def items_of(env: BuildEnvironment, page: str, doctree: nodes.document) -> Iterator[Item]:
    """The items of a page; captions come before what stands in a figure or table."""
    sections = env.toc_secnumbers.get(page, {})
    figures = env.toc_fignumbers.get(page, {})

    def number(kind: str, node: nodes.Element) -> str:
        found = figures.get(kind, {})
        return next((_dotted(found[name]) for name in node["ids"] if name in found), "")

    first = True
    for node in doctree.findall(nodes.Element):
        apart = _is_apart(node)
        if isinstance(node, nodes.section) and isinstance(node.children[0], nodes.title):
            dotted = _dotted(sections.get("" if first else f"#{node['ids'][0]}", ()))
            first = False
            kind = "heading of solutions" if _holds_solutions_only(node) else "heading"
            yield Item(kind, dotted, _parts(node.children[0]), apart)
        elif isinstance(node, (nodes.figure, nodes.table)):
            kind = "table" if isinstance(node, nodes.table) else "figure"
            title = next((each for each in node.children if isinstance(each, (nodes.caption, nodes.title))), None)
            if title is not None:
                yield Item(kind, number(kind, node), _parts(title), apart)
        elif isinstance(node, nodes.math_block) and node.get("number"):
            yield Item("equation", number("displaymath", node), (), apart)
        elif isinstance(node, nodes.literal_block):
            kind = _cell_part(node)
            if kind:
                yield Item(kind, "", tuple(node.astext().split("\n")), apart)
        elif is_exercise_node(node):
            yield Item("exercise", number("exercise", node), (), apart)
        elif isinstance(node, nodes.footnote):
            yield Item("footnote", "", _parts(*node.children[1:]), True)
        elif "bibtex-citation" in node.get("classes", ()):
            yield Item("citation", "", (node.astext(),), apart)


def _holds_solutions_only(section: nodes.section) -> bool:
    """Whether nothing is left of a section where solutions stand at the end of the book."""
    silent = (nodes.title, nodes.comment, nodes.target)
    told = (child for child in section.children if isinstance(child, nodes.Element) and not isinstance(child, silent))
    rest = [child for child in told if "provenance" not in child.get("classes", ())]
    return bool(rest) and all(isinstance(child, (solution_node, Fold)) for child in rest)


def _is_apart(node: nodes.Element) -> bool:
    """Whether it belongs to a solution, which some products put elsewhere."""
    parent: nodes.Element | None = node
    while parent is not None:
        if isinstance(parent, solution_node) or (isinstance(parent, Fold) and "solution" in parent["classes"]):
            return True
        parent = parent.parent
    return False


def _cell_part(node: nodes.Element) -> str:
    parent = node.parent
    while parent is not None:
        part = parent.get("nb_element", "")
        if part in ("cell_code_source", "cell_code_output"):
            return "code" if part == "cell_code_source" else "output"
        parent = parent.parent
    return ""


def _parts(*found: nodes.Node) -> tuple[str, ...]:
    """The words of nodes, cut where a formula stands: it is written differently everywhere."""
    words = [""]
    for node in found:
        for each in node.findall():
            if isinstance(each, nodes.math):
                words.append("")
            elif isinstance(each, nodes.Text) and not isinstance(each.parent, nodes.math):
                words[-1] += each.astext()
    return tuple(part for part in words if part.strip())


def _dotted(number: tuple[int, ...]) -> str:
    return ".".join(map(str, number))

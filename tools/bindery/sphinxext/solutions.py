"""Exercises in the printed book, and their solutions at its end, out of sight; each tells the page of the other."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.latex import LaTeXTranslator
from sphinx_exercise.nodes import (  # type: ignore[import-untyped]  # it has no types
    exercise_enumerable_node,
    exercise_node,
    solution_node,
)

TITLE = "Solutions"
GROUP = "bindery.solutions."
"""What the PDF calls the place where the solutions of a chapter begin, without the chapter's folder."""


class GatherSolutions(SphinxPostTransform):
    """Move all solutions into a chapter of their own; a section that held nothing else goes."""

    # After solutions and exercises have learned of each other (30), and Sphinx has labelled the pages (400).
    default_priority = 410
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Change the whole book, which Sphinx has put together into one document."""
        pages: dict[str, nodes.section] = {}
        for solution in list(self.document.findall(solution_node)):
            page = page_of(solution)
            if page is None:
                continue
            holder = solution.parent
            holder.remove(solution)
            section = pages.setdefault(page, self._section(page))
            section += solution
            if isinstance(holder, nodes.section) and _says_nothing(holder):
                # Links to the section lead to its solutions from now on.
                section["ids"] += holder["ids"]
                holder.parent.replace(holder, holder.children[1:])
        if pages:
            self.document.append(self._chapter(pages))

    def _section(self, page: str) -> nodes.section:
        title = nodes.title("", "", *(child.deepcopy() for child in self.env.titles[page].children))
        return nodes.section("", title, ids=[f"solutions-of-{nodes.make_id(page)}"])

    def _chapter(self, pages: dict[str, nodes.section]) -> nodes.section:
        chapter = nodes.section("", nodes.title("", TITLE), ids=["book-solutions"])
        folder = ""
        for page, section in pages.items():
            begins, folder = page.rpartition("/")[0] != folder, page.rpartition("/")[0]
            if begins:
                page_break = "" if len(chapter) == 1 else "\\clearpage"
                chapter += nodes.raw("", f"{page_break}\\hypertarget{{{GROUP}{folder}}}{{}}", format="latex")
            chapter += addnodes.start_of_file("", section, docname=page, gathered=True)
        return chapter


def page_of(node: nodes.Node) -> str | None:
    """The page of the website that something in the whole book stands on."""
    here: nodes.Node | None = node
    # Sphinx names its page at each section; that its files are in one document, the nodes themselves do not know.
    while here is not None and not (isinstance(here, nodes.Element) and "docname" in here):
        here = here.parent
    return str(here["docname"]) if isinstance(here, nodes.Element) else None


def connect(app: Sphinx) -> None:
    """Register the transform, and write exercises and solutions without boxes."""
    app.add_post_transform(GatherSolutions)
    for kind in (exercise_node, exercise_enumerable_node):
        app.add_node(kind, override=True, latex=(visit_exercise, depart_block))
    app.add_node(solution_node, override=True, latex=(visit_solution, depart_block))


def visit_exercise(self: LaTeXTranslator, node: nodes.Element) -> None:
    """Open an exercise, and say on which page its solution is."""
    numbers = self.builder.env.toc_fignumbers.get(self.curfilestack[-1], {}).get("exercise", {})
    number = ".".join(map(str, numbers.get(node["ids"][0], ())))
    label, pointer = self.idescape(f"{self.curfilestack[-1]}:{node['label']}"), ""
    if "solution" in node:
        solution = self.idescape(f"{self.curfilestack[-1]}:{node['solution']}")
        pointer = f"\\hyperref[{solution}]{{solution on page~\\pageref*{{{solution}}}}}"
    _open(self, number, f"exercise:{node['label']}", label, pointer)


def visit_solution(self: LaTeXTranslator, node: nodes.Element) -> None:
    """Open a solution, and say on which page its exercise is."""
    identity = self.idescape(f"{self.curfilestack[-1]}:{node['ids'][0]}")
    exercise, pointer = self.idescape(f"{self.curfilestack[-1]}:{node.get('exercise', '')}"), ""
    if "exercise" in node:
        pointer = f"\\hyperref[{exercise}]{{exercise on page~\\pageref*{{{exercise}}}}}"
    _open(self, "", f"solution:{node['label']}", identity, pointer)


def depart_block(self: LaTeXTranslator, node: nodes.Element) -> None:
    """Close an exercise or a solution."""
    self.no_latex_floats -= 1
    self.body.append("\n\\end{binderyblock}\n")


def _open(self: LaTeXTranslator, *arguments: str) -> None:
    self.no_latex_floats += 1
    self.body.append("\n\\begin{binderyblock}" + "".join(f"{{{argument}}}" for argument in arguments))


def _says_nothing(section: nodes.section) -> bool:
    """Whether there is nothing but the heading and what the build adds at the end of a page."""
    quiet = (nodes.comment, nodes.target)
    return all(
        isinstance(child, quiet) or (isinstance(child, nodes.container) and "provenance" in child["classes"])
        for child in section.children[1:]
    )

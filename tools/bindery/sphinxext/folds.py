"""Solutions and checks that unfold: plain `<details>`, so that keyboard, search and print work without a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode  # type: ignore[import-untyped]  # it has no types
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator
from sphinx_exercise.nodes import is_exercise_node, solution_node  # type: ignore[import-untyped]  # it has no types

logger = logging.getLogger(__name__)


LONG = 40
"""Lines of output that a reader need not scroll past."""


class Fold(nodes.General, nodes.Element):
    """A `<details>` element; its first child is a `FoldTitle`."""


class FoldTitle(nodes.Part, nodes.TextElement):
    """The `<summary>` of a fold."""


class FoldSolutions(SphinxPostTransform):
    """Make `:class: dropdown` solutions fold, and lead from an exercise to its solution and back."""

    # After sphinx-exercise has filled in the titles (20 to 22).
    default_priority = 30

    def run(self, **kwargs: Any) -> None:
        """Change the exercises and solutions of one page."""
        blocks = [node for node in self.document.findall(nodes.Element) if is_exercise_node(node)]
        solutions = list(self.document.findall(solution_node))
        for block in [*blocks, *solutions]:
            _unwrap(block)
        exercises = {block["label"]: block for block in blocks}
        for solution in solutions:
            exercise = exercises.get(solution["target_label"])
            if self.app.builder.format != "html":
                # On paper each tells the page of the other.
                if exercise is not None:
                    exercise["solution"], solution["exercise"] = solution["ids"][0], exercise["label"]
                continue
            if exercise is not None:
                exercise.append(_pointer(solution["ids"][0], "Solution", "exercise-solution"))
            if "dropdown" in solution["classes"]:
                solution.replace_self(_folded(solution, exercise))


class FoldOutputs(SphinxPostTransform):
    """Make what a cell prints fold where it is long."""

    default_priority = 420
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the outputs of one page."""
        for block in list(self.document.findall(nodes.literal_block)):
            lines = block.astext().count("\n") + 1
            printed = {"output", "cell_output"} & set(_classes_around(block))
            if printed and lines > LONG and "traceback" not in block["classes"]:
                fold = Fold(classes=["cell-fold", "output"])
                block.parent.replace(block, fold)
                fold += [FoldTitle("", f"{lines} lines of output"), block]


class CheckSolutions(SphinxPostTransform):
    """Refuse a solution to an exercise that does not exist, where it stands."""

    # Before sphinx-exercise (20), which would name a wrong page and leave the page's other solutions unfinished.
    default_priority = 19

    def run(self, **kwargs: Any) -> None:
        """Check the solutions of one page."""
        registry = getattr(self.env, "sphinx_exercise_registry", {})
        for solution in list(self.document.findall(solution_node)):
            target = solution["target_label"]
            if registry.get(target, {}).get("type") not in ("exercise", "exercise-start"):
                message = f"there is no exercise '{target}' that this could be a solution to"
                logger.warning("%s", message, location=solution, type="bindery", subtype="solution-to-nothing")
                solution.parent.remove(solution)


def connect(app: Sphinx) -> None:
    """Add the nodes, the transform and the visitors."""
    app.add_node(Fold, html=(visit_fold, depart_fold))
    app.add_node(FoldTitle, html=(visit_fold_title, depart_fold_title))
    app.add_node(HideCodeCellNode, override=True, html=(visit_hidden_cell, depart_fold))
    app.add_post_transform(CheckSolutions)
    app.add_post_transform(FoldSolutions)
    app.add_post_transform(FoldOutputs)
    app.connect("env-purge-doc", _forget_gates)


def visit_fold(self: HTML5Translator, node: Fold) -> None:
    """Open the element."""
    self.body.append(self.starttag(node, "details"))


def depart_fold(self: HTML5Translator, node: nodes.Element) -> None:
    """Close the element."""
    self.body.append("</details>\n")


def visit_fold_title(self: HTML5Translator, node: FoldTitle) -> None:
    """Open the title."""
    self.body.append(self.starttag(node, "summary", ""))


def depart_fold_title(self: HTML5Translator, node: FoldTitle) -> None:
    """Close the title."""
    self.body.append("</summary>\n")


def visit_hidden_cell(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Open a folded cell; MyST-NB's own version gives it a name for screen readers that is not the name one sees."""
    self.body.append(self.starttag(node, "details", CLASS="cell-fold"))
    self.body.append(f"<summary>{self.encode(node['prompt_show'])}</summary>\n")


def _classes_around(node: nodes.Element) -> Iterator[str]:
    parent = node.parent
    while parent is not None:
        yield from parent.get("classes", [])
        parent = parent.parent


def _unwrap(block: nodes.Element) -> None:
    # sphinx-exercise wraps all contents in sections of the same id, which an HTML page must not have twice.
    for section in [child for child in block.children if isinstance(child, nodes.section)]:
        block.replace(section, section.children)


def _folded(solution: nodes.Element, exercise: nodes.Element | None) -> Fold:
    # A link inside a summary could not be clicked without unfolding: it goes to the end of the solution.
    title, *body = solution.children
    fold = Fold(ids=solution["ids"], classes=[*solution["classes"], "fold"])
    summary = FoldTitle()
    for child in title.children:
        summary += child.children if isinstance(child, nodes.reference) else [child]
    if exercise is not None:
        body.append(_pointer(exercise["ids"][0], "Back to the exercise", "solution-back"))
    fold += [summary, nodes.container("", *body, classes=["fold-body"])]
    return fold


def _pointer(target: str, text: str, name: str) -> nodes.paragraph:
    link = nodes.reference("", text, internal=True, refuri=f"#{target}")
    return nodes.paragraph("", "", link, classes=[name])


def _forget_gates(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    # sphinx-exercise counts the `solution-start`s of a page on top of those of its earlier readings.
    getattr(env, "sphinx_exercise_gated_registry", {}).pop(docname, None)

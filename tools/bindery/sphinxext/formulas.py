"""Formulas in HTML, set by KaTeX while the book is built: readers get finished type and MathML, no script.

Reading systems set MathML themselves.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from bindery import files
from bindery.sphinxext.mathml import mended
from bindery.sphinxext.typesetter import KATEX, FormulaError, Typesetter

logger = logging.getLogger(__name__)

NUMBERED = re.compile(r"\\(begin|end)\{(equation|gather|align|alignat)\}")

CLOSING = re.compile("[].,;:!?)\u2019\u201d\u2026]+")
SHORT = 40
"""Letters of TeX up to which a formula goes to the next line whole; a longer one may break after `=` or `+`."""


class KeepPunctuation(SphinxPostTransform):
    """Hold a short formula and the full stop or bracket after it together: browsers break lines between them."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the formulas of one page."""
        for formula in list(self.document.findall(nodes.math)):
            after = formula.next_node(descend=False, siblings=True)
            if not isinstance(after, nodes.Text) or len(formula.astext()) > SHORT:
                continue
            closing = CLOSING.match(after)
            if closing and formula.parent is not None:
                formula.parent.replace(after, nodes.Text(after[closing.end() :]))
                pair = nodes.inline("", "", classes=["keep"])
                formula.replace_self(pair)
                pair += [formula, nodes.Text(closing[0])]


def connect(app: Sphinx) -> None:
    """Offer the math renderer `katex` and copy its style sheet and fonts."""
    app.add_html_math_renderer("katex", (visit_math, None), (visit_math_block, None))
    app.add_post_transform(KeepPunctuation)
    app.connect("builder-inited", _start)
    app.connect("build-finished", _stop)


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula that stands in a line of text."""
    short = " short" if len(node.astext()) <= SHORT else ""
    self.body.append(f'<span class="math{short}">{_set(self, node, node.astext(), display=False)}</span>')
    raise nodes.SkipNode


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula in a box that scrolls on its own, with its number at the right."""
    self.body.append(self.starttag(node, "div", "", CLASS="math equation"))
    self.body.append('<div class="equation-body">')
    if node.get("no-wrap", node.get("nowrap", False)):
        # KaTeX would number the environment itself; the number is Sphinx's.
        parts = [NUMBERED.sub(r"\\\1{\2*}", node.astext())]
    else:
        # As Sphinx does it for LaTeX: an empty line separates formulas, `\\` breaks lines.
        parts = [part for part in node.astext().split("\n\n") if part.strip()]
        parts = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    self.body.extend(_set(self, node, part, display=True) for part in parts)
    self.body.append("</div>")
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _set(translator: HTML5Translator, node: nodes.Element, formula: str, display: bool) -> str:
    typesetter: Typesetter = translator.builder.bindery_typesetter  # type: ignore[attr-defined]
    try:
        html = typesetter.html(formula, display)
        return html if translator.builder.name == "html" else mended(html)
    except FormulaError as error:
        written = error.text.removeprefix(r"\begin{split}").removesuffix(r"\end{split}")
        message = f'KaTeX cannot set "{written}": {error}'
        logger.warning("%s", message, location=node, type="bindery", subtype="formula")
        return f"<code>{translator.encode(formula)}</code>"


def _start(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    cache, output = Path(app.outdir).parent / "katex", "htmlAndMathml" if app.builder.name == "html" else "mathml"
    app.builder.bindery_typesetter = Typesetter(app.config.katex_macros, cache, output)  # type: ignore[attr-defined]
    if app.builder.name != "html":
        return
    static = Path(app.outdir, "_static", "katex")
    for name in ["katex.min.css", "LICENSE", *(f"fonts/{font.name}" for font in (KATEX / "fonts").iterdir())]:
        files.write_if_changed(static / name, (KATEX / name).read_bytes())
    app.add_css_file("katex/katex.min.css")


def _stop(app: Sphinx, exception: Exception | None) -> None:
    if app.builder.format == "html":
        app.builder.bindery_typesetter.close()  # type: ignore[attr-defined]

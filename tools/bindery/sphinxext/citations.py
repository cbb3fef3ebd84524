"""Citations by author and year in round brackets: Goodfellow et al. (2014), or (Goodfellow et al., 2014).

The list of references is in the order of what a reader knows: by the first author's last name and the year.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from docutils import nodes
from pybtex.plugin import find_plugin  # type: ignore[import-untyped]  # it has no types
from pybtex.plugin import register_plugin as register_with_pybtex
from pybtex.style.formatting import unsrt  # type: ignore[import-untyped]
from pybtex.style.template import Node, href, join, names, optional  # type: ignore[import-untyped]
from pybtex.style.template import field as field_of
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator
from sphinx.writers.latex import LaTeXTranslator
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle


def _round() -> BracketStyle:
    return BracketStyle(left="(", right=")")


@dataclass
class RoundAuthorYear(AuthorYearReferenceStyle):
    """The style that `bibtex_reference_style = "author_year_round"` names."""

    bracket_textual: BracketStyle = field(default_factory=_round)
    bracket_parenthetical: BracketStyle = field(default_factory=_round)
    bracket_author: BracketStyle = field(default_factory=_round)
    bracket_label: BracketStyle = field(default_factory=_round)
    bracket_year: BracketStyle = field(default_factory=_round)


class AuthorYear(unsrt.Style):  # type: ignore[misc]  # pybtex has no types
    """The style that `bibtex_default_style = "author_year"` names: Lin, J. (1991). Title. *Journal*, volume:pages."""

    default_sorting_style = "author_year_title"
    default_name_style = "lastfirst"

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "abbreviate_names": True})

    def format_names(self, role: str, as_sentence: bool = True) -> Node:
        """The names, and after those that begin an entry the year."""
        people = names(role, sep=", ", sep2=" and ", last_sep=", and ")
        return join[people, optional[" (", field_of("year"), ")"], "."] if as_sentence else people

    def format_url(self, entry: Any) -> Node:
        """An address explains itself: no "URL:" before it."""
        url = field_of("url", raw=True)
        return href(url)[url]

    def format_entry(self, label: str, entry: Any, bib_data: Any = None) -> Any:
        """Format an entry without the year at its end, where it has authors and so the year behind them."""
        template = f"get_{entry.type}_template"
        plain = getattr(type(self), template)
        if "author" in entry.persons:
            setattr(self, template, lambda written: _without_date(plain(self, written)))
        try:
            return super().format_entry(label, entry, bib_data)
        finally:
            self.__dict__.pop(template, None)


def _without_date(template: Node) -> Node:
    children = [_without_date(child) if isinstance(child, Node) else child for child in template.children]
    template.children = ["" if child is unsrt.date else child for child in children]
    return template


class Reference(nodes.Part, nodes.Element):
    """One entry of the list of references on paper; `target` is what citations link to."""


class PaperReferences(SphinxPostTransform):
    """Keep the list of references where it stands: Sphinx would gather it, with numbers, at the end of the book."""

    # Just before Sphinx's own transform (750).
    default_priority = 749
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Turn each list of citations into one of references."""
        for citation in list(self.document.findall(nodes.citation)):
            target = f"cite.{citation['docname']}:{citation['ids'][0]}"
            parent = citation.parent
            if parent.children[0] is citation:
                parent.insert(0, nodes.raw("", "\\begin{binderybibliography}", format="latex"))
                parent.append(nodes.raw("", "\\end{binderybibliography}", format="latex"))
            citation.replace_self(Reference("", *citation.children[1:], target=target))


def visit_reference(self: LaTeXTranslator, node: Reference) -> None:
    """Open an entry."""
    self.body.append(f"\n\\binderyentry{{{node['target']}}}")


def depart_reference(self: LaTeXTranslator, node: Reference) -> None:
    """Close an entry."""


def visit_entry(self: HTML5Translator, node: nodes.citation) -> None:
    """Open an entry on the web, in the role that the list around it asks for; that of docutils is deprecated."""
    start = len(self.body)
    HTML5Translator.visit_citation(self, node)
    self.body[start:] = [part.replace('role="doc-biblioentry"', 'role="listitem"') for part in self.body[start:]]


def connect(app: Sphinx) -> None:
    """Make the styles known, and what sphinxcontrib-bibtex asks for at every citation quick to find."""
    app.add_node(Reference, latex=(visit_reference, depart_reference))
    app.add_node(nodes.citation, override=True, html=(visit_entry, HTML5Translator.depart_citation))
    app.add_post_transform(PaperReferences)
    register_plugin("sphinxcontrib.bibtex.style.referencing", "author_year_round", RoundAuthorYear)
    register_with_pybtex("pybtex.style.formatting", "author_year", AuthorYear, force=True)
    # Pybtex looks through all installed distributions, 13 ms each time, for what is not registered like this.
    for backend in ("plaintext", "markdown"):
        register_with_pybtex("pybtex.backends", backend, find_plugin("pybtex.backends", backend), force=True)

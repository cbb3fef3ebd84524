"""Citations by author and year in round brackets: Goodfellow et al. (2014), or (Goodfellow et al., 2014)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pybtex.plugin import find_plugin  # type: ignore[import-untyped]  # it has no types
from pybtex.plugin import register_plugin as register_with_pybtex
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


def register() -> None:
    """Make the style known to sphinxcontrib-bibtex, and what it asks for at every citation quick to find."""
    register_plugin("sphinxcontrib.bibtex.style.referencing", "author_year_round", RoundAuthorYear)
    # Pybtex looks through all installed distributions, 13 ms each time, for what is not registered like this.
    register_with_pybtex("pybtex.backends", "plaintext", find_plugin("pybtex.backends", "plaintext"), force=True)

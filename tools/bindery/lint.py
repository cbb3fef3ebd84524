"""What a book's style asks for, as far as a program can tell: the book in, problems out. Pure.

A line `% allow RULE: reason` before a paragraph, a directive, a code cell, a page's title or an entry of the
bibliography lets this be.
"""

from __future__ import annotations

from bindery.codestyle import check_form, check_front_matter, check_names
from bindery.library import Library
from bindery.model import Book, Problem
from bindery.prose import check_drafts, check_fonts, check_formulas, check_pictures, check_prose
from bindery.rules import Rules
from bindery.spelling import check_spelling
from bindery.targets import check_bibliography, check_labels, check_references
from bindery.until import check_until


def lint(book: Book, bibliography: str = "", library: Library | None = None) -> list[Problem]:
    """All that is not as the book's style asks; `bibliography` is the text of `references.bib`.

    Without the library, which a book may not have yet, the rules on saved names find nothing.
    """
    style = book.facts.style
    rules = Rules(style)
    pages = [rules.page(section) for section in book.pages()]
    check_prose(rules, pages)
    check_spelling(rules, pages)
    check_fonts(rules, pages)
    for page in pages:
        check_pictures(rules, page)
        check_formulas(rules, page)
        check_form(rules, page)
    check_drafts(rules, pages)
    check_references(rules, pages)
    if style.labels:
        openings = {chapter.index.name for chapter in book.chapters if chapter.index}
        check_labels(rules, [page for page in pages if page.section is not book.index], openings)
    if style.front_matter:
        for page in pages:
            check_front_matter(rules, page)
    if library:
        check_names(rules, pages, library)
        by_path = {page.section.path: page for page in pages}
        for problem in check_until(book, library):
            allowed = by_path[problem.location.path].allowed_at(problem.location)
            rules.tell(problem.location, problem.rule, problem.message, allowed)
    check_bibliography(rules, bibliography, pages)
    rules.unused_exceptions(without=frozenset() if library else {"unsaved-name", "not-yet-defined", "unused-save"})
    return sorted(set(rules.problems))

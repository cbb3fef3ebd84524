"""Lints a book, mends what needs no decision of an author, and tells the rest in the form that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from bindery import files
from bindery.annotate import github, sarif
from bindery.book import read_book
from bindery.lint import lint
from bindery.model import Edit, Problem, ProblemsFound
from bindery.rules import RULES
from bindery.tangle import tangle
from bindery.targets import BIBLIOGRAPHY

FORMS = ("text", "github", "sarif")
"""How problems can be told; as text they are in any case."""

Say = Callable[[str], None]


def proofread(root: Path, fix: bool, form: str, say: Say) -> list[Problem]:
    """All that is not as the book's style asks, after mending if that is asked for."""
    problems, pages = _found(root)
    edits = [problem.edit for problem in problems if problem.edit]
    if fix and edits:
        for path in sorted({edit.first.path for edit in edits}):
            text = (root / path).read_text(encoding="utf-8")
            own = [edit for edit in edits if edit.first.path == path]
            files.write_if_changed(root / path, edited(text, own).encode())
            if form == "text":
                say(f"{path}: mended in {len(own)} place{'s' if len(own) > 1 else ''}")
        problems, pages = _found(root)
    if form == "sarif":
        say(sarif(problems, RULES))
    elif form == "github" and problems:
        say(github(problems))
    elif not problems:
        say(f"lint: {pages} pages are as the book's style asks")
    return problems


def tell_rules(say: Say) -> list[Problem]:
    """Each rule with its reason."""
    width = max(map(len, RULES))
    for rule, reason in RULES.items():
        say(f"{rule:{width}}  {reason}")
    say("`% allow RULE: reason` on the line before lets a place be; before a page's title, the whole page")
    return []


def _found(root: Path) -> tuple[list[Problem], int]:
    """What is wrong with the book, and how many pages it has."""
    book, problems = read_book(root), []
    try:
        library = tangle(book)
    except ProblemsFound as found:
        library, problems = None, found.problems
    bibliography = root / BIBLIOGRAPHY
    text = bibliography.read_text(encoding="utf-8") if bibliography.is_file() else ""
    return sorted({*problems, *lint(book, text, library)}), sum(1 for _ in book.pages())


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text after these edits; what two put before the same line stays in the order in which they are given."""
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda each: each.first)[::-1]:
        start = edit.first.line - 1
        lines[start : start + edit.lines] = [edit.text] if edit.text else []
    return "".join(lines)

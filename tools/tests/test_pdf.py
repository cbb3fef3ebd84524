"""The PDF: what LaTeX makes of the woven pages, with the website's numbers, and what authors are told."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pikepdf
import pytest
from building import bindery, edit
from paper import fonts, in_pdf, on_site
from rich.console import Console

from bindery import pdf, site
from bindery.press import Press
from bindery.workshop import Choices

pytestmark = pytest.mark.slow


def test_numbers_are_those_of_the_website(printed: Path) -> None:
    """Sections, figures, tables, equations and exercises, before, in and between the numbered chapters."""
    expected, given = on_site(printed / "build/html"), in_pdf(printed / "build/sphinx/latex/book.aux")
    assert {name: given.get(name) for name in expected} == expected
    assert [name for name in ("preface::doc", "preface:thanks", "references::doc") if given[name]] == []
    wanted = {
        "preface:fig-before": "1",
        "preface:ex_before": "1",
        "one/plain:sec-plain": "1.1",
        "one/plain:deeper": "1.1.1.1",
        "one/plain:fig-dot": "1.1.1",
        "one/plain:tab-one": "1.1.1",
        "one/plain:ex_two": "1.1.2",
        "one/plain:equation-eq-after": "1.1.4",
        "one/index:equation-eq-chapter": "1.1",
        "one/run:fig-plot": "1.2.1",
        "two/last:equation-eq-last": "2.1.1",
    }
    assert {name: expected[name] for name in wanted} == wanted


def test_the_file_is_a_book(printed: Path) -> None:
    """Vectors, embedded fonts, links that lead somewhere, citations by author and year; no website front page."""
    file, tex = printed / "build/pdf/book.pdf", (printed / "build/sphinx/latex/book.tex").read_text(encoding="utf-8")
    assert file.read_bytes().startswith(b"%PDF")
    assert re.findall(r"includegraphics\{\{[^}]*\}\.(\w+)", tex) == ["pdf"] * 3
    assert r"\title{Tiny \& small}" in tex
    assert "Only on the front page" not in tex
    assert "\\binderypart{Basics}" in tex
    assert "(\\hyperlink{cite.references:cite-babbage-1864}{Babbage, 1864})" in tex
    assert tex.index("\\binderyentry{cite.references:cite-babbage-1864}") < tex.index(
        "\\binderyentry{cite.references:cite-l"
    )
    assert "Lovelace, A. (1843). Notes." in tex
    assert "tag_claim" in tex
    assert "Outputs: profile quick" in tex
    with pikepdf.open(file) as book:
        embedded = fonts(book)
    assert len(embedded) > 4
    assert all(embedded.values()), embedded
    assert "Overfull" not in (printed / "build/sphinx/latex/book.log").read_text(encoding="utf-8", errors="replace")


def test_nothing_changed_starts_neither_sphinx_nor_latex(printed_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second build finds the PDF as it should be; it starts nothing and touches nothing."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("this must not be called")

    monkeypatch.setattr(site, "run_sphinx", forbidden)
    monkeypatch.setattr(pdf, "typeset", forbidden)
    assert Press(printed_copy, Choices(), Console(quiet=True)).pdf() == []


def test_two_builds_give_the_same_bytes(printed_copy: Path) -> None:
    """Neither the date nor what an earlier run left behind stands in the file."""
    first = (printed_copy / "build/pdf/book.pdf").read_bytes()
    for folder in ("pdf", "sphinx"):
        shutil.rmtree(printed_copy / "build" / folder)
    assert bindery(printed_copy, "pdf")[0] == 0
    assert (printed_copy / "build/pdf/book.pdf").read_bytes() == first


FAULTS: dict[str, tuple[str, str, str]] = {
    "a formula that only KaTeX knows": (
        "## First\n",
        "## First\n\nSome prose, then\na line with $\\htmlClass{a}{b}$ in it.\n",
        "chapters/one/plain.md:7: LaTeX: Undefined control sequence. at '\\htmlClass' [latex]",
    ),
    "a character without a glyph": (
        "## First\n",
        "## First\n\nSome prose, then\nan eye: 𓂀.\n",
        "chapters/one/plain.md:7: no font of the PDF has the character '𓂀' (U+13080) [missing-character]",
    ),
    "a formula wider than the page": (
        "$$ y = 1 $$",
        "$$ y = " + " + ".join(f"x_{{{number}}}" for number in range(40)) + " $$",
        "chapters/one/plain.md:17: on paper this is ",
    ),
    "a reference to nothing": (
        "## First\n",
        "## First\n\nSee {ref}`sec_nowhere`.\n",
        "chapters/one/plain.md:6: undefined label: 'sec_nowhere' [sphinx-ref]",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_problem_and_leaves_the_earlier_pdf_alone(printed_copy: Path, fault: str) -> None:
    """It names the chapter and the line, and is gone when it is mended."""
    old, new, message = FAULTS[fault]
    before = (printed_copy / "build/pdf/book.pdf").read_bytes()
    edit(printed_copy, "one/plain.md", old, new)
    code, _, errors = bindery(printed_copy, "pdf")
    lines = [line for line in errors.splitlines() if line.startswith("chapters/")]
    assert (code, len(lines)) == (1, 1), errors
    assert lines[0].startswith(message)
    assert (printed_copy / "build/pdf/book.pdf").read_bytes() == before
    edit(printed_copy, "one/plain.md", new, old)
    assert bindery(printed_copy, "pdf")[::2] == (0, "")


def test_words_in_place_of_a_picture_are_a_problem(printed_copy: Path) -> None:
    """The output is in a format that LaTeX cannot include: the problem names its cell."""
    display = "display({'text/html': '<b>x</b>', 'text/plain': '<Figure size 640x480 with 1 Axes>'}, raw=True)"
    edit(printed_copy, "one/run.md", "assert 1 + 1 == 2", display)
    code, _, errors = bindery(printed_copy, "pdf")
    assert code == 1
    assert errors.startswith("chapters/one/run.md:23: this output is a picture in no format that LaTeX can include")


def test_a_machine_without_latex_loses_nothing_else(
    printed_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other products are made; the one problem says what to install, and the earlier PDF stays."""
    edit(printed_copy, "one/plain.md", "## First", "## Second")
    git = shutil.which("git")
    assert git
    (tmp_path / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, errors = bindery(printed_copy, "all")
    assert (code, errors.count("sudo apt-get install"), errors.count("[no-latex]")) == (1, 1, 1)
    assert "Second" in (printed_copy / "build/html/one/plain.html").read_text(encoding="utf-8")
    assert (printed_copy / "build/pdf/book.pdf").is_file()
    report = json.loads((printed_copy / "build/report/report.json").read_text(encoding="utf-8"))
    assert [problem["rule"] for problem in report["problems"]] == ["no-latex"]
    assert bindery(printed_copy, "latex")[0] == 1

"""What LaTeX complains of, as problems of the chapters."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bindery import latexlog, texlive

TEX = r"""\begin{document}
%@ one/a:1
\chapter{A}
%@ one/a:3
A paragraph
with \(\nope\) in it.
%@ one/b:9
\begin{sphinxVerbatim}
<Figure size 640x480 with 1 Axes>
\end{sphinxVerbatim}
"""
SOURCES = {"chapters/one/a.md": "# A\n\nA paragraph\nwith $\\nope$ in it, and 犬.\n", "chapters/one/b.ipynb": "{\n}\n"}
LOG = r"""This is XeTeX
./book.tex:6: Undefined control sequence.
l.6 with \(\nope
                \) in it.
./book.tex:6: Missing character: There is no 犬 ("72AC) in font texgyre.
Overfull \hbox (12.6pt too wide) in paragraph at lines 5--6
[]
Overfull \hbox (0.9pt too wide) in paragraph at lines 5--6
LaTeX Warning: Hyper reference `one/a:x' on page 2 undefined on input line 5.
bindery.sty:7: Undefined control sequence.
"""


def found(log: str, finished: bool = True) -> list[str]:
    """The problems in a log, as they are printed."""
    return [str(problem) for problem in latexlog.complaints(log, TEX, SOURCES, finished)]


def test_errors_are_located_in_the_chapter() -> None:
    """The mark before an error names the page, what LaTeX stumbled over the line; a style's error has no chapter."""
    assert found(LOG, finished=False) == [
        "chapters/one/a.md:4: LaTeX: Undefined control sequence. at '\\nope' [latex]",
        "chapters/one/a.md:4: no font of the PDF has the character '犬' (U+72AC) [missing-character]",
        "chapters/index.md:1: bindery.sty:7: Undefined control sequence. [latex]",
    ]


def test_wide_lines_and_lost_references_are_problems_once_all_else_is_well() -> None:
    """Up to one point nobody sees; in the first of several runs no reference is known yet."""
    assert found(LOG)[2:4] == [
        "chapters/one/a.md:3: on paper this is 13 points wider than there is room [too-wide]",
        "chapters/one/a.md:3: Hyper reference `one/a:x' on page 2 undefined on input line 5 [latex]",
    ]


def test_words_in_place_of_a_picture_are_a_problem() -> None:
    """LaTeX would print them without complaint."""
    (problem,) = latexlog.pictures_missing(TEX, SOURCES)
    assert (str(problem.location), problem.rule) == ("chapters/one/b.ipynb:2", "no-picture")


def test_a_machine_without_latex_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One problem with all that is missing and the whole command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert texlive.missing() == ["xelatex", "xdvipdfmx", "makeindex", "rsvg-convert", "kpsewhich"]
    (problem,) = texlive.provide(print)
    assert problem.rule == "no-latex"
    assert f"sudo apt-get install --yes --no-install-recommends {' '.join(texlive.PACKAGES)}" in problem.message


def test_files_that_latex_does_not_find_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A LaTeX without the fonts is not enough."""
    for program in (*texlive.PROGRAMS, "kpsewhich"):
        (tmp_path / program).write_text("#!/bin/sh\necho /somewhere/titlesec.sty\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert texlive.missing() == sorted(set(texlive.INPUTS) - {"titlesec.sty"})


def test_installing_asks_for_exactly_these_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As root, where there is apt-get: the lists are refreshed first; what apt-get says stands in the problem."""
    asked = []

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(tuple(command))
        return subprocess.CompletedProcess(command, 100, "", "E: no network\n")

    (tmp_path / "apt-get").write_text("#!/bin/sh\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (problem,) = texlive.provide(print)
    assert (problem.detail, asked) == ("", [])
    monkeypatch.setattr("os.geteuid", lambda: 0)
    (problem,) = texlive.provide(print)
    assert asked == [("apt-get", "update"), texlive.INSTALL]
    assert (problem.rule, problem.detail) == ("no-latex", "E: no network")

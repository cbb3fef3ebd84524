"""The rules on labels, code, saved names and front matter: what each finds, how it is allowed, and what is mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from building import bindery

from bindery.annotate import github, sarif
from bindery.book import read_book
from bindery.lint import lint
from bindery.model import Edit, Location, Problem
from bindery.proofread import edited, proofread
from bindery.rules import RULES
from bindery.tangle import tangle

BOOK = """\
=== chapters/book.yml
title: A book
version: "1.0"
authors: [{name: A}]
style:
  labels: true
  mentioned: [figure, equation]
  imports_first: true
  front_matter: true
  saved_used: true
  names: {'pred.*': 'write `y_hat`'}
=== chapters/index.md
# A book
```{toctree}
:numbered:
one/index
```
=== chapters/one/index.md
(chap_one)=
# One
```{toctree}
first
page
```
=== chapters/one/first.md
---
kernelspec: {name: python3}
---
(sec_first)=
# First
```{code-cell} python
import math
def area(r):  #@save
    return math.pi * r ** 2

def side(x):
    return x
```
=== chapters/one/page.md
"""
HEAD = "---\nkernelspec: {name: python3}\n---\n(sec_page)=\n# Page\n"
USE = "```{code-cell} python\nfrom d2l import torch as d2l\nd2l.area(2)\n```\n"


def book_of(make_book: Callable[..., Path], page: str) -> Path:
    """A book whose second section is `page`; its first one saves `area` and defines `side`."""
    return make_book(BOOK.replace("import math\ndef", "#@save\nimport math\n\ndef") + page)


def found(make_book: Callable[..., Path], page: str) -> list[str]:
    """What lint says of a page that is written from its line 6 on, without the file's name."""
    book = read_book(book_of(make_book, HEAD + page))
    return [str(problem).removeprefix("chapters/one/page.md:") for problem in lint(book, "", tangle(book))]


CASES = [
    (USE, []),
    (
        "",
        ["chapters/one/first.md:10: `area` is saved, but no other section and no other saved code uses it"],
    ),
    (USE + "```{figure} a.svg\n:alt: A.\n```", ["10: this figure has no label, which would begin with `fig_`"]),
    (
        USE + "```{figure} a.svg\n:alt: A.\n:name: plot\n```\n{numref}`plot`",
        ["10: `plot`: the label of a figure begins with `fig_`"],
    ),
    (USE + "```{figure} a.svg\n:alt: A.\n:name: fig_a\n```", ["10: nothing refers to `fig_a`"]),
    (USE + "```{figure} a.svg\n:alt: A.\n:name: fig_a\n```\n{numref}`Figure %s <fig_a>`", []),
    (USE + "```{figure} a.svg\n:alt: A.\n:name: fig_a\n```\n[see](#fig_a)", []),
    (USE + "% allow unused-label: decoration\n```{figure} a.svg\n:alt: A.\n:name: fig_a\n```", []),
    (USE + "```{list-table} A.\n* - b\n```", ["10: this table has no label, which would begin with `tab_`"]),
    (USE + "```{list-table} A.\n:name: tab_a\n\n* - b\n```", []),
    (USE + "```{exercise}\n:label: one\n\nA.\n```", ["10: `one`: the label of a exercise begins with `ex_`"]),
    (USE + "See $(n,)$:\n\n$$(x)\n = y.$$ (eq_a)\n\n", ["13: nothing refers to `eq_a`"]),
    (USE + "$$x = y.$$ (one)\n\n{eq}`one`", ["10: `one`: the label of a equation begins with `eq_`"]),
    (USE + "$$x = y.$$\n", []),
    (
        USE + "(there)=\n## There\n",
        ["10: `there`: labels begin with `chap_`, `sec_`, `fig_`, `tab_`, `eq_`, `ex_`"],
    ),
    (
        USE + "```{code-cell} python\n---\nmystnb:\n  figure:\n    caption: A.\n---\nd2l.area(1)\n```",
        ["16: this figure has no label, which would begin with `fig_`"],
    ),
    (
        USE + "```{code-cell} python\nimport re\n```",
        [],
    ),
    (
        USE + "```{code-cell} python\nx = 1\nimport re\n```",
        ["12: `import re` stands after the first cell: move it there"],
    ),
    (USE + "```{code-cell} python\n:tags: [claim]\nx = 1\nimport re\n```", []),
    (USE + "% allow imports-first: late\n```{code-cell} python\nx = 1\nimport re\n```", []),
    (
        USE + ":::{solution-start} ex_a\n:::\n```{code-cell} python\nx = 1\nimport re\n```\n:::{solution-end}\n:::",
        [],
    ),
    (
        USE + "```{code-cell} python\n%%time\ndef f(a):\n    predicted = a\n```",
        ["13: `predicted`: write `y_hat`"],
    ),
    (
        USE + "```{code-cell} python\nprint(1)\nprint(area(1), side(2))\n```",
        [
            "12: `area` is defined at chapters/one/first.md:10, which runs alone: write `d2l.area`",
            "12: `side` is defined at chapters/one/first.md:13, which runs alone: save it there and write `d2l.side`",
        ],
    ),
    (USE + "```{code-cell} python\n:tags: [raises-exception]\nside(2)\n```", []),
    (USE + "```{code-cell} python\ndef f(side):\n    return side\n```", []),
    (USE + "```{code-cell} python\n%time side(2)\n```", ["11: `side` is defined at chapters/one/first.md:13, which"]),
]


@pytest.mark.parametrize(("page", "expected"), CASES)
def test_rules(make_book: Callable[..., Path], page: str, expected: list[str]) -> None:
    """Each rule names the line and what would be right, and lets be what is in order or allowed."""
    problems = found(make_book, page)
    assert len(problems) == len(expected)
    assert all(problem.startswith(start) for problem, start in zip(problems, expected, strict=True)), problems


def test_settings_that_do_nothing_are_told(make_book: Callable[..., Path]) -> None:
    """A page without code runs nothing, so it needs neither time nor data."""
    page = "---\nbindery: {timeout: 9, gpus: 1}\n---\n(sec_page)=\n# Page\n\n{numref}`fig_a`\n"
    book = read_book(book_of(make_book, page))
    assert [str(problem) for problem in lint(book) if problem.rule == "front-matter"] == [
        "chapters/one/page.md:1: this page has no code, so `gpus`, `timeout` does nothing [front-matter]"
    ]


def test_a_library_that_does_not_tangle_hides_no_other_problem(make_book: Callable[..., Path]) -> None:
    """Its problems are told together with those of style, and exceptions from rules on saved names stay."""
    broken = "% allow unused-save: later\n```{code-cell} python\nimport re\ny = undefined  #@save\n```"
    root = book_of(make_book, HEAD + broken + "\n```{figure} a.svg\n```")
    said: list[str] = []
    rules = [problem.rule for problem in proofread(root, False, "text", said.append)]
    assert sorted(rules) == ["alt-text", "label", "undefined-name"]
    assert said == []


def test_what_needs_no_decision_is_mended(make_book: Callable[..., Path]) -> None:
    """Labels and kernels are added, exceptions that nothing needs deleted; the rest stays and is told."""
    page = "# A page\n\n% allow word: gone\nText.\n\n" + USE + "\n```{code-cell} python\nx = 1\nimport re\n```\n"
    root = book_of(make_book, page)
    said: list[str] = []
    (left,) = proofread(root, True, "text", said.append)
    assert left.rule == "imports-first"
    assert said == ["chapters/one/page.md: mended in 3 places"]
    expected = HEAD.replace("Page", "A page") + page.removeprefix("# A page\n").replace("% allow word: gone\n", "")
    assert (root / "chapters/one/page.md").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    ("head", "mended"),
    [
        ("", "---\nkernelspec: {name: python3}\n---\n"),
        ("---\nbindery: {timeout: 9}\n---\n", "---\nkernelspec: {name: python3}\nbindery: {timeout: 9}\n---\n"),
        ("---\n---\n", "---\n---\n"),
    ],
)
def test_a_kernel_is_added_where_that_is_safe(make_book: Callable[..., Path], head: str, mended: str) -> None:
    """To front matter that is there, or as a new one; an empty one is left to the author."""
    root = book_of(make_book, head + "(sec_page)=\n# Page\n" + USE)
    problems = proofread(root, True, "text", lambda _: None)
    assert (root / "chapters/one/page.md").read_text(encoding="utf-8").startswith(mended + "(sec_page)=")
    assert [problem.rule for problem in problems] == ["front-matter"] * (head == mended)


def test_edits_do_not_move_each_other() -> None:
    """They are made from the end, so that lines are those of the text as it was."""
    before = [Edit(Location("a", 1), 0, "0\n"), Edit(Location("a", 1), 0, "1\n")]
    edits = [*before, Edit(Location("a", 2), 1, ""), Edit(Location("a", 3), 1, "C\nd\n")]
    assert edited("a\nb\nc", edits) == "0\n1\na\nC\nd\n"


def test_problems_as_annotations_of_a_pull_request() -> None:
    """What would end a command or a property is escaped as GitHub asks."""
    problem = Problem(Location("chapters/a,b.md", 3), "word", "100%: two\nlines", "more")
    assert (
        github([problem]) == "::error file=chapters/a%2Cb.md,line=3,title=bindery%3A word::100%25: two%0Alines%0Amore"
    )


def test_problems_as_sarif() -> None:
    """One result each, under the rule's name, in a file that is named relative to the repository."""
    run = json.loads(sarif([Problem(Location("chapters/ä b.md", 3), "word", "x")], RULES))["runs"][0]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], place["artifactLocation"]["uri"]) == ("word", "chapters/%C3%A4%20b.md")
    assert place["region"] == {"startLine": 3}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(RULES)


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_the_form_is_on_standard_output_and_the_text_beside_it(make_book: Callable[..., Path], form: str) -> None:
    """Programs read the one, people the other; nothing is wrapped or coloured."""
    root = book_of(make_book, HEAD + USE + "```{figure} a.svg\n:name: fig_a\n```\n{numref}`fig_a` " + "w " * 200)
    status, printed, said = bindery(root, "lint", "--format", form)
    assert status == 1
    assert said.startswith("chapters/one/page.md:10: this figure has no `alt`: say what it shows [alt-text]\n")
    if form == "github":
        start = "::error file=chapters/one/page.md,line=10,title=bindery%3A alt-text::this figure has no `alt`"
        assert printed == f"{start}: say what it shows\n"
    else:
        assert len(json.loads(printed)["runs"][0]["results"]) == 1


def test_each_rule_has_a_reason_that_is_printed(make_book: Callable[..., Path]) -> None:
    """`bindery lint --rules` is the list of all that can be allowed."""
    status, printed, _ = bindery(make_book(a="x = 1"), "lint", "--rules")
    assert status == 0
    assert [line.split()[0] for line in printed.splitlines()[:-1]] == list(RULES)
    assert all(len(reason) > 20 for reason in RULES.values())

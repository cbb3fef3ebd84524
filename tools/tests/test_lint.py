"""The rules of style: what each finds, where, and how it is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY

from bindery.book import read_book
from bindery.lint import lint
from bindery.model import ProblemsFound
from bindery.tangle import tangle

BOOK = """\
chapters/book.yml
title: A book
version: "1.0"
authors: [{name: A}]
style:
  avoid: {'\\babove\\b': refer to it by its label, '\\bcrucial\\b': ''}
  longest_sentence: 12
  median_sentence: 9
  longest_paragraph: 3
  spelling: [teh]
  repeated_words: 5
  code_width: 20
  notation: one/notation
=== chapters/index.md
# A book
```{toctree}
:numbered:
one/index
```
=== chapters/one/index.md
# One
```{toctree}
notation
page
```
=== chapters/one/notation.md
# Notation
The reals are $\\mathbb{R}$.
=== chapters/one/page.md
# Page

"""


def found(make_book: Callable[..., Path], page: str, bibliography: str = "") -> list[str]:
    """What lint says of a page, from line 3 of it on, without the file's name."""
    root = make_book(BOOK.removeprefix("chapters/book.yml\n").join(("=== chapters/book.yml\n", page)))
    problems = lint(read_book(root), bibliography)
    return [str(problem).removeprefix("chapters/one/page.md:") for problem in problems]


CASES = [
    ("Words of promise are crucial here.", ["3: `crucial`: leave it out [word]"]),
    ("Some words\nas given Above.", ["4: `Above`: refer to it by its label [word]"]),
    ("The code `above` and $above$ and {ref}`above <genindex>` stay.", []),
    ("One two three four five six seven eight nine ten eleven twelve.", []),
    (
        "One two three four five six seven eight nine ten eleven twelve thirteen.\n\nA. B. C.\n\nD.",
        ["3: a sentence of 13 words, where 12 is the most: One two three four five six seven eight … [long-sentence]"],
    ),
    (
        "One $x + y$ three `a b c` five {ref}`six <search>` seven, e.g. 9\n$$x = y$$ (eq_a)\neleven twelve.\n\nA. B.",
        [],
    ),
    ("One. Two? Three! Four.", ["3: a paragraph of 4 sentences, where 3 is the most [long-paragraph]"]),
    (
        "One two three four five six seven eight nine ten.\n\nTwo three one four six five seven eight nine ten.",
        ["1: half of this section's sentences have over 10 words, where 9 do [median-sentence]"],
    ),
    ("As in\nFigure 3.2.", ["4: `Figure 3.2` is typed; write a reference, which keeps its number [typed-number]"]),
    ("{cite:t}`Key` prove it in Section 3.", []),
    (
        "The cat sat on the mat.\n\nThere the cat sat on the roof.\n\nAnd the cat sat on it.",
        ["5: `the cat sat on the` stands in chapters/one/page.md:3, too [repeat]"],
    ),
    (
        "```{note}\n:name: a\nSome crucial words.\n```",
        ["5: `crucial`: leave it out [word]"],
    ),
    (
        "::::{grid}\n:::{card}\n---\nclass: x\n---\nSome crucial words.\n:::\n::::",
        ["8: `crucial`: leave it out [word]"],
    ),
    ("- one\n- some crucial words\n", ["4: `crucial`: leave it out [word]"]),
    ("```{raw} html\ncrucial\n```\n\n<!-- crucial -->\n", []),
    ("```{figure} a.svg\nA caption.\n```", ["3: this figure has no `alt`: say what it shows [alt-text]"]),
    ("```{figure} a.svg\n:alt: A line.\n\nA caption.\n```", []),
    ("Words ![](a.svg) words.", ["3: this image has no text in its brackets: say what it shows [alt-text]"]),
    ("Words ![a line](a.svg) words.", []),
    (
        "```{code-cell} python\n\nx = 1\ny = 'twenty-one chars'\n```",
        ["6: a line of 22 characters, where 20 is the most [code-width]"],
    ),
    (
        "The set $\\mathcal{R}$ and\n$\\mathbb R$.",
        ["3: `\\mathcalR` is not in the notation of one/notation [notation]"],
    ),
    ("% allow word: quoted\nA crucial word.\n\nA crucial thing.", ["6: `crucial`: leave it out [word]"]),
    (
        "We have $a (h +\n1) q$ here.",
        [
            f"{line}: a `$` has no other half here; a line that begins with `1)` or `-` starts a list, "
            "even in a formula [cut-formula]"
            for line in (3, 4)
        ],
    ),
    ("It costs \\$5 or `$5`, and $a$.", []),
    ("% allow alt-text: decoration\n```{image} a.svg\n```", []),
    ("% allow word\nA crucial word.", ["3: say why: `% allow word: reason` [allow]"]),
    ("% allow words: quoted\nA word.", ["3: no rule is called `words`; did you mean `word`? [allow]"]),
    ("% allow word: quoted\nA plain word.", ["3: nothing here needs `allow word`; delete it [allow]"]),
    ("% allow word: quoted\n% allow typed-number: quoted\nThe crucial Figure 3.2.", []),
    ("% allow code-width: a table\n```{code-cell} python\ny = 'twenty-one chars'\n```", []),
    ("Text.\n\n% allow notation: quoted\n$\\mathcal{R}$", []),
    (
        "(sec_a)=\n## A\n\n```{math}\n:label: eq_a\nx\n```\n\nIn {ref}`sec_a`, {ref}`there <sec_b>` and\n"
        "{eq}`eq_a` or {numref}`see {number} <eq_b>`, `code` and `` {ref}`c` ``, {ref}`genindex`.",
        [
            "11: nothing has the label `sec_b`; did you mean `sec_a`? [broken-reference]",
            "12: nothing has the label `eq_b`; did you mean `eq_a`? [broken-reference]",
        ],
    ),
    (
        "{cite:t}`Key` and\n{cite:p}`Key, Kay`.",
        ["4: `Kay` is not in chapters/references.bib; known: `Key` [unknown-citation]"],
    ),
    ("{cite:t}`Key`. `` {cite:p}`Other` ``", []),
    (
        "Some Recieve teh mail\nthat `recieve` becuase.",
        [
            "3: `Recieve` is a misspelling of `receive` [spelling]",
            "4: `becuase` is a misspelling of `because` [spelling]",
        ],
    ),
    ("% allow spelling: quoted\n```{figure} a.svg\n:alt: A recieve.\n\nA becuase.\n```", []),
    (
        "```{figure} a.svg\n:alt: A recieve.\n\nA wrod.\n```",
        [
            "3: `recieve` is a misspelling of `receive` [spelling]",
            "6: `wrod` is a misspelling of `word` [spelling]",
        ],
    ),
    (
        "```{code-cell} python\n---\nmystnb:\n  figure:\n    name: fig_a\n    caption: A wrod.\n"
        "  image:\n    alt: becuase\n---\nx\n```",
        [
            "12: `becuase` is a misspelling of `because` [spelling]",
            "12: `wrod` is a misspelling of `word` [spelling]",
        ],
    ),
    (
        "What the reader knows now, and one limit of it.",
        ["3: a draft: `What the reader knows now, and one limit …` is to be replaced by what it asks for [draft]"],
    ),
]


@pytest.mark.parametrize(("page", "expected"), CASES)
def test_rules(make_book: Callable[..., Path], page: str, expected: list[str]) -> None:
    """Each rule names line and words, and lets formulas, code, references and what is allowed be."""
    assert found(make_book, page, "@misc{Key,\n doi={1}\n}" if "`Key" in page else "") == expected


def test_bibliography(make_book: Callable[..., Path]) -> None:
    """An entry that nobody cites, and one that has nothing by which it could be found."""
    text = "@book{Key.1,\n  isbn = {3},\n}\n\n@misc{Key.2,\n  title = {B},\n}\n\n@misc{Key.3,\n doi = {1}\n}\n"
    problems = found(make_book, "{cite:p}`Key.1, Key.2`", text)
    assert problems == [
        "chapters/references.bib:5: `Key.2` has no DOI, arXiv number, ISBN, publisher, pages or URL [citation]",
        "chapters/references.bib:9: nothing cites `Key.3` [unused-citation]",
    ]


def test_bibliography_may_be_excepted(make_book: Callable[..., Path]) -> None:
    """By comments on the lines before an entry; one that does nothing is told."""
    text = "% allow unused-citation: for the preface\n% allow citation: a letter\n@misc{Key.1}\n\n% allow word: x\n"
    problems = found(make_book, "Words.", text + "@misc{Key.2, \n doi={1}}\n")
    assert problems == [
        "chapters/references.bib:5: nothing here needs `allow word`; delete it [allow]",
        "chapters/references.bib:6: nothing cites `Key.2` [unused-citation]",
    ]


def test_an_exception_before_the_title_holds_for_the_page(make_book: Callable[..., Path]) -> None:
    """For what stands in it and for what the page is as a whole."""
    page = "# Page\n\nOne two three four five six seven eight nine ten.\n\n"
    page += "Two three one four five crucial words are here now."
    assert [line.partition(":")[0] for line in found(make_book, page.removeprefix("# Page\n\n"))] == ["1", "5"]
    text = BOOK.removeprefix("chapters/book.yml\n").replace("# Page\n\n", "")
    allowed = "% allow word: quoted\n% allow median-sentence: long\n" + page
    assert lint(read_book(make_book("=== chapters/book.yml\n" + text + allowed))) == []


def test_no_style_asks_for_nothing(make_book: Callable[..., Path]) -> None:
    """A book without `style` is asked for alt texts only."""
    text = BOOK.removeprefix("chapters/book.yml\n")
    head, tail = text[: text.index("style:")], text[text.index("=== chapters/index.md") :]
    root = make_book("=== chapters/book.yml\n" + head + tail + "Crucial words " * 50 + "![](a.svg)")
    assert [problem.rule for problem in lint(read_book(root))] == ["alt-text"]


def test_a_mistaken_expression_is_told(make_book: Callable[..., Path]) -> None:
    """With the file in which it stands."""
    text = BOOK.removeprefix("chapters/book.yml\n").replace("crucial\\b", "cru(cial")
    with pytest.raises(ProblemsFound, match=r"chapters/book\.yml.*is no regular expression"):
        read_book(make_book("=== chapters/book.yml\n" + text))


def test_this_book() -> None:
    """It keeps its own style."""
    references = (REPOSITORY / "chapters/references.bib").read_text(encoding="utf-8")
    book = read_book(REPOSITORY)
    assert [str(problem) for problem in lint(book, references, tangle(book))] == []

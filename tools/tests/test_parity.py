"""Whether what one product holds is in the others, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bindery.book import read_book
from bindery.parity import Item, compare, letters, missing, of_html, of_notebook

PAGE = b"""<html><body><nav>Contents</nav><article class="bd-article"><section>
<h1><span class="section-number">1.2. </span>On <span class="math">x</span> and more<a class="headerlink">#</a></h1>
<div class="math equation"><div class="equation-body">x = y</div><span class="eqno">(1.2.1)</span></div>
<figure><figcaption><span class="caption-number">Figure 1.2.1 </span><span>A dot.</span></figcaption></figure>
<div class="exercise"><p class="admonition-title">Exercise 1.2.1</p><p>Why?</p></div>
</section></article></body></html>"""

NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": "# 1.2. On $x$ and more\n\n$$\nx = y \\tag{1.2.1}\n$$"},
        {
            "cell_type": "markdown",
            "source": "**Figure 1.2.1.** A dot.\n\n**Exercise 1.2.1**\n\nWhy? [There](../a.ipynb)",
        },
        {
            "cell_type": "code",
            "source": "print('a b')",
            "outputs": [{"output_type": "stream", "text": "\x1b[31ma b\x1b[0m\n"}],
        },
    ]
}

ITEMS = (
    Item("heading", "1.2", ("On ", " and more"), False),
    Item("equation", "1.2.1", (), False),
    Item("figure", "1.2.1", ("A dot.",), False),
    Item("exercise", "1.2.1", (), False),
)


@pytest.mark.parametrize("text", [of_html(PAGE), of_notebook(json.dumps(NOTEBOOK).encode())], ids=["page", "notebook"])
def test_what_is_there_is_found(text: str) -> None:
    """Headings around formulas, numbers, captions; what surrounds the page is no part of it."""
    assert list(missing(ITEMS, text)) == []
    assert "Contents" not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.2. On", "1.3. On"),
        ("and more", "and less"),
        ("tag{1.2.1}", "tag{1.2.2}"),
        ("**Figure 1.2.1.**", "**Figure 1.2.2.**"),
        ("A dot", "A line"),
        ("**Exercise 1.2.1**", ""),
    ],
)
def test_what_is_changed_is_missed(old: str, new: str) -> None:
    """One item for one change."""
    text = json.dumps(NOTEBOOK).replace(json.dumps(old)[1:-1], new)
    assert len(list(missing(ITEMS, of_notebook(text.encode())))) == 1


def test_order_counts_but_for_what_stands_apart() -> None:
    """Solutions may be gathered at the end of a book, in their order."""
    code = [Item("code", "", (name,), apart) for name, apart in (("first", False), ("solved", True), ("second", False))]
    assert list(missing(code, letters("first second solved"))) == []
    assert [item.words for item in missing(code, letters("second first solved"))] == [("second",)]


def test_code_and_output_are_compared_line_by_line() -> None:
    """A page's end or a mark for a long line may stand between lines; colours of a terminal do not count."""
    text = of_notebook(json.dumps(NOTEBOOK).encode())
    assert list(missing([Item("code", "", ("print('a b')",), False), Item("output", "", ("a b",), False)], text)) == []
    assert list(missing([Item("code", "", ("first", "second"), False)], letters("first 12 Title second"))) == []


@pytest.mark.slow
def test_products_of_the_book_hold_the_same(book: Path) -> None:
    """Every page of the real book."""
    assert compare(read_book(book), book / "build") == []


@pytest.mark.slow
def test_what_a_product_lacks_is_told_with_its_page(book: Path, tmp_path: Path) -> None:
    """By the file that an author wrote."""
    build = tmp_path / "build"
    build.mkdir()
    for name in ("html", "pdf", "epub", "sphinx"):
        (build / name).symlink_to(book / "build" / name)
    notebook = build / "notebooks" / "gan" / "gan.ipynb"
    notebook.parent.mkdir(parents=True)
    text = (book / "build" / "notebooks" / "gan" / "gan.ipynb").read_text(encoding="utf-8")
    assert "Figure 9.1.2.** Far to the left" in text
    notebook.write_text(text.replace("Figure 9.1.2.** Far to the left", "Figure 9.1.9.** Far to the left"))
    (problem,) = compare(read_book(book), build)
    assert str(problem).startswith("chapters/gan/gan.md:1: figure 9.1.2 'Far to the left, ")
    assert "not in the notebook" in problem.message

"""What every section has: a summary, exercises with solutions, figures with texts, checks, an opening of its own."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from conftest import REPOSITORY

from bindery.book import read_book
from bindery.model import Section
from bindery.parse import Block, blocks

BOOK = read_book(REPOSITORY)
SECTIONS = [each for chapter in BOOK.chapters for each in chapter.sections if "/" in each.name]
TAUGHT = [section for section in SECTIONS if section.number]
"""The sections of numbered chapters; front matter may do without some of this."""

PRIOR_WORK = {
    "preliminaries/calculus": "Nocedal",
    "preliminaries/autograd": "Griewank",
    "preliminaries/probability": "Kullback",
    "linear-regression/linear-regression": "Robbins",
    "linear-regression/generalization": "Geman",
    "linear-regression/weight-decay": "Hoerl",
    "classification/softmax-regression": "Shannon",
    "classification/image-classification-dataset": "Xiao",
    "multilayer-perceptrons/mlp": "Cybenko",
    "multilayer-perceptrons/backprop": "Rumelhart",
    "multilayer-perceptrons/numerical-stability-and-init": "Glorot",
    "multilayer-perceptrons/dropout": "Srivastava",
    "convolutional-networks/conv-layer": "Fukushima",
    "convolutional-networks/lenet": "LeCun",
    "convolutional-networks/transposed-conv": "Odena",
    "convolutional-networks/batch-norm": "Ioffe",
    "optimization/gd-and-sgd": "Robbins",
    "optimization/minibatch-sgd": "McCandlish",
    "optimization/momentum": "Polyak",
    "optimization/adam": "Kingma",
    "hyperparameter-optimization/hyperopt-intro": "Bergstra",
    "hyperparameter-optimization/rs-async": "Salinas",
    "hyperparameter-optimization/sh-intro": "Jamieson",
    "hyperparameter-optimization/sh-async": "Li",
    "gan/gan": "Goodfellow",
    "gan/dcgan": "Radford",
}
"""Sections about the work of others, and whose work it is."""


def name(section: Section) -> str:
    """How a test is called."""
    return section.name


def blocks_of(section: Section) -> list[Block]:
    """The pieces of its prose."""
    return [block for cell in section.cells if cell.kind == "markdown" for block in blocks(cell)]


def exercises(section: Section) -> list[str]:
    """The labels of its exercises."""
    return [block.options.get("label", "") for block in blocks_of(section) if block.name == "exercise"]


@pytest.mark.parametrize("section", SECTIONS, ids=name)
def test_ends_with_summary_exercises_and_solutions(section: Section) -> None:
    """In this order, as its last headings of the second level."""
    headings = [line for cell in section.cells if cell.kind == "markdown" for line in cell.source.split("\n")]
    assert [line for line in headings if line.startswith("## ")][-3:] == ["## Summary", "## Exercises", "## Solutions"]


@pytest.mark.parametrize("section", SECTIONS, ids=name)
def test_every_exercise_has_its_solution(section: Section) -> None:
    """Three to six of them, each with a label."""
    solved = [block.text for block in blocks_of(section) if block.name in ("solution", "solution-start")]
    assert exercises(section) == solved
    assert all(re.fullmatch(r"ex_\w+", label) for label in solved)
    assert 3 <= len(solved) <= 6


@pytest.mark.parametrize("section", SECTIONS, ids=name)
def test_has_a_figure_that_can_be_read_aloud(section: Section) -> None:
    """At least one drawn or plotted figure with a label, a caption and a text in place of the picture."""
    drawn = [block for block in blocks_of(section) if block.name == "figure"]
    labels = [block.options.get("name", "") for block in drawn]
    assert all(block.options.get("alt") for block in drawn)
    for cell in section.code:
        options = cell.options.get("mystnb", {})
        if figure := options.get("figure"):
            assert figure.get("caption") and options.get("image", {}).get("alt"), figure
            labels.append(figure.get("name", ""))
    assert labels
    assert all(re.fullmatch(r"fig_\w+", label) for label in labels)


@pytest.mark.parametrize("section", TAUGHT, ids=name)
def test_says_what_it_takes_and_checks_what_it_says(section: Section) -> None:
    """Prerequisites, reading time and hardware at the head; cells that assert what the text claims."""
    text = "\n".join(cell.source for cell in section.cells if cell.kind == "markdown")
    assert re.search(
        r"\{admonition\} Before you start\n.*?Prerequisites:.*?Reading\s+time:.*?Hardware:", text, re.DOTALL
    )
    assert any("claim" in cell.tags for cell in section.code)


@pytest.mark.parametrize("section", SECTIONS, ids=name)
def test_imports_first(section: Section) -> None:
    """The first code cell holds the imports, so that a notebook runs from its beginning."""
    if section.code:
        first = section.code[0].source
        assert re.search(r"^\s*(import|from|%|#@save)", first, re.MULTILINE), first


@pytest.mark.parametrize(("section", "author"), PRIOR_WORK.items())
def test_cites_the_work_that_it_is_about(section: str, author: str) -> None:
    """By its author."""
    (found,) = (each for each in SECTIONS if each.name == section)
    assert any(re.search(rf"\{{cite(:\w)?\}}`[^`]*{author}", cell.source) for cell in found.cells)


def test_no_two_sections_open_alike() -> None:
    """The first three words of every section differ from those of all others."""
    openings = []
    for section in SECTIONS:
        first = next(block.text for block in blocks_of(section) if block.kind == "text")
        openings.append(" ".join(first.split()[:3]).lower())
    assert [opening for opening, times in Counter(openings).items() if times > 1] == []

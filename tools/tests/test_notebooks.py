"""The readers' notebooks: nothing of MyST is left in them, and they run where only their archive is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import bindery, edit, write
from conftest import REPOSITORY, TESTS
from docutils import nodes
from docutils.core import publish_doctree

from bindery.sphinxext.markdown import Markdown, expanded

MYST = re.compile(r"(?<!`)\{[a-z:]+\}`|^(```\{|:::|\(\w+\)=|% )", re.MULTILINE)
"""Roles, directives, labels and comments."""


def as_markdown(text: str, **options: Any) -> str:
    """What the writer makes of reStructuredText, without links and pictures."""
    document = publish_doctree(text, settings_overrides={"report_level": 5})
    writer = Markdown(
        **{
            "link": lambda target: target,
            "picture": lambda node: str(node["uri"]),
            "numbers": {},
            "macros": {},
            "equation": lambda node: "",
            **options,
        }
    )
    return writer.blocks(document.children)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*b and c_d and _e and $5", r"a\*b and c_d and \_e and \$5"),
        ("x < y & z", "x &lt; y &amp; z"),
        (r"1\. is no list", r"1\. is no list"),
        (r"\# is no heading", r"\# is no heading"),
        ("*one* **two** ``thr`ee``", "*one* **two** ``thr`ee``"),
        ("- a\n\n  b\n- c", "- a\n\n  b\n- c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("    quoted", "> quoted"),
        (".. note::\n\n   Mind.\n\n   Do.", "> **Note**\n>\n> Mind.\n>\n> Do."),
        ("word\n  what it means", "**word**: what it means"),
        ("before\n\n----\n\nafter", "before\n\n---\n\nafter"),
        ("=== ===\n a   b\n=== ===\n1   \\|\n=== ===", "| a | b |\n| --- | --- |\n| 1 | \\| |"),
        (":math:`\\|x\\|`", r"$\|x\|$"),
        ("=== ===\n a   b\n=== ===\n1   :math:`\\|x|`\n=== ===", "| a | b |\n| --- | --- |\n| 1 | $\\Vert x\\vert $ |"),
        (".. math:: a = b", "$$\na = b\n$$"),
        (".. math::\n\n   a &= b \\\\\n   c &= d", "$$\n\\begin{split}\na &= b \\\\\nc &= d\n\\end{split}\n$$"),
        ("::\n\n   x = 1", "```\nx = 1\n```"),
        ("a [1]_\n\n.. [1] b", "a <sup>1</sup>"),
    ],
)
def test_markdown_says_what_the_page_says(text: str, expected: str) -> None:
    """And nothing in a text becomes markup that was none."""
    assert as_markdown(text) == expected


def test_own_commands_are_written_out_in_formulas() -> None:
    """With their arguments, in braces or not; longer names that begin alike are left alone."""
    assert expanded(r"\R + \Rest", r"\R", r"\mathbb{R}") == r"{\mathbb{R}} + \Rest"
    assert expanded(r"\by{a_{1}}2 c", r"\by", r"\frac{#1}{#2}") == r"{\frac{a_{1}}{2}} c"


def test_numbered_environment_keeps_one_number() -> None:
    """MathJax knows no `align` inside a displayed formula."""
    node = nodes.math_block("", "\\begin{align}\na &= b\n\\end{align}")
    writer = Markdown(str, str, {}, {}, lambda _: "1.2.3")
    assert writer.block(node) == "$$\n\\begin{aligned}\na &= b\n\\end{aligned} \\tag{1.2.3}\n$$"


def read(root: Path, name: str) -> Any:
    """A notebook of a built book; it is valid."""
    notebook = nbformat.read(root / "build" / "notebooks" / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    return notebook


def prose(notebook: Any) -> str:
    """All its Markdown."""
    return "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book with everything that has a number."""
    root = tmp_path_factory.mktemp("notebooks") / "book"
    text = (TESTS / "paper.txt").read_text(encoding="utf-8")
    write(root, re.sub(r"(?m)^url: .*\n", "", text, count=1))
    shutil.copy(REPOSITORY / "conf.py", root)
    assert bindery(root, "notebooks")[::2] == (0, "")
    return root


@pytest.mark.slow
def test_numbers_references_and_citations_are_written_out(made: Path) -> None:
    """As the website has them, with what is cited at the end, and pictures inside."""
    text = prose(read(made, "one/plain"))
    assert not MYST.search(text)
    assert "# 1.1. Plain" in text
    assert (
        "By Lovelace (1843) and (Babbage, 1864); see (1.1.2), (1.1), Table 1.1.1, Exercise 1.1.1 and Section 1.1."
        in (text.replace("\N{NO-BREAK SPACE}", " "))
    )
    assert '<img alt="a dot"' in text
    assert "**Figure 1.1.1.** A dot is round." in text
    assert "\\tag{1.1.2}" in text
    assert "| a | b |" in text
    assert "## References\n\n- Babbage, C. (1864). *Passages*. Longman.\n- Lovelace, A. (1843)." in text


@pytest.mark.slow
def test_solution_with_code_folds_under_a_heading(made: Path) -> None:
    """HTML cannot fold cells; Jupyter can."""
    cells = read(made, "one/plain")["cells"]
    at = next(index for index, cell in enumerate(cells) if cell["metadata"].get("jp-MarkdownHeadingCollapsed"))
    assert cells[at]["source"].endswith("Solution to Exercise 1.1.2")
    assert cells[at + 1]["source"] == 'print("solved")'


@pytest.mark.slow
def test_plots_can_be_seen_where_notebooks_are_not_trusted(made: Path) -> None:
    """As pixels beside the SVG, of the size of the drawing."""
    (output,) = next(cell["outputs"] for cell in read(made, "one/run")["cells"] if cell.get("outputs"))
    assert {"image/svg+xml", "image/png"} <= output["data"].keys()
    assert output["metadata"]["image/png"] == {"width": 90}


@pytest.mark.slow
def test_library_is_asked_for_by_address_and_checksum(made: Path, tmp_path: Path) -> None:
    """If the book has an address; links then lead there, too."""
    root = Path(shutil.copytree(made, tmp_path / "book", symlinks=True))
    edit(root, "book.yml", "title: Tiny", "url: https://book.example/en\ntitle: Tiny")
    edit(root, "one/plain.md", 'print("solved")', "#@save\nanswer = 42")
    edit(
        root,
        "one/plain.md",
        ":::{solution-end}",
        "```{code-cell} python\nfrom d2l import torch as d2l\n```\n\n:::{solution-end}",
    )
    assert bindery(root, "notebooks")[::2] == (0, "")
    first = read(root, "one/plain")["cells"][0]["source"]
    assert re.search(r"'d2l @ https://book.example/en/downloads/d2l-0.0.1-py3-none-any.whl#sha256=[0-9a-f]{64}'", first)
    assert "(https://book.example/en/one/plain.html#equation-eq-align)" in prose(read(root, "one/plain"))


@pytest.mark.slow
def test_no_notebook_of_the_book_shows_raw_myst(book: Path) -> None:
    """Nor a formula with a command that Jupyter does not know, nor an unresolved reference."""
    for path in (book / "build" / "notebooks").rglob("*.ipynb"):
        text = prose(json.loads(path.read_text(encoding="utf-8")))
        text = re.sub(r"^(`{3,}).*?^\1$|(`+)[^`].*?\2", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not MYST.search(text), path.name

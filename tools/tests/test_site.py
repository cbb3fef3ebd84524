"""The website: what Sphinx makes of woven pages, and what authors are told when it cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import REPOSITORY

from bindery import files
from bindery.model import Location
from bindery.site import build_site

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="3"/></svg>'
BOOK = {
    "book.yml": "title: Tiny\nversion: 0.0.1\nauthors: [{name: Ada}]\nkatex_macros: {'\\R': '\\mathbb{R}'}\n",
    "index.md": "# Tiny\n\n```{toctree}\n:numbered:\none/index\n```\n\n```{toctree}\nreferences\n```\n",
    "references.md": "# References\n\n```{bibliography}\n```\n",
    "references.bib": "@book{Ada.1843, author = {Ada Lovelace}, title = {Notes}, publisher = {T}, year = {1843}}\n",
    "one/index.md": "# One\n\n```{toctree}\nplain\nrun\n```\n",
    "one/img/dot.svg": SVG,
}
PLAIN = """\
(sec_plain)=
# Plain

A line in $\\R^2$ {cite:p}`Ada.1843`; its length follows.

$$
c = \\sqrt{a^2 + b^2}
$$ (eq_length)

```{figure} img/dot.svg
:name: fig_dot
:alt: a dot

A dot is round.
```

```{exercise}
:label: ex_length
Find $c$ for $a=3$, $b=4$.
```

```{solution} ex_length
:class: dropdown
It is 5.
```
"""


def notebook(*cells: tuple[str, str, int, list[object]]) -> str:
    """A woven page: kind, source, line in the chapter's file and outputs of each cell."""
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "source_map": [line - 2 for _kind, _source, line, _outputs in cells],
        "bindery": {"path": "chapters/one/run.md"},
    }
    written: list[dict[str, object]] = []
    for number, (kind, source, _line, outputs) in enumerate(cells):
        cell: dict[str, object] = {"id": f"c{number}", "cell_type": kind, "metadata": {}, "source": source}
        if kind == "code":
            metadata_of_claim = {"tags": ["hide-cell"], "mystnb": {"code_prompt_show": "check"}}
            cell |= {"execution_count": number, "outputs": outputs}
            cell["metadata"] = metadata_of_claim if "assert" in source else {}
        written.append(cell)
    return json.dumps({"cells": written, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


RUN = notebook(
    ("markdown", "(sec_run)=\n# Run\n\nBy {eq}`eq_length` of {numref}`sec_plain`, see {numref}`fig_dot`.", 5, []),
    ("code", "print(5)", 10, [{"output_type": "stream", "name": "stdout", "text": "5\n"}]),
    ("code", "plot()", 14, [{"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": SVG}}]),
    ("code", "assert 5 == 5", 18, []),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a book whose woven pages lie in `build/source`."""
    shutil.copy(REPOSITORY / "conf.py", tmp_path)
    for name, text in {**BOOK, "one/plain.md": PLAIN, "one/run.md": "a line\n" * 25}.items():
        files.write_if_changed(tmp_path / "chapters" / name, text.encode())
        if name not in ("one/run.md", "book.yml"):
            files.write_if_changed(tmp_path / "build/source" / name, text.encode())
    files.write_if_changed(tmp_path / "build/source/one/run.ipynb", RUN.encode())
    return tmp_path


def build(root: Path) -> list[str]:
    """The problems of building the site into `build/html`, as they are printed."""
    found = build_site(root, root / "build/source", root / "build/sphinx", root / "build/html")
    return [str(problem) for problem in found]


def main_of(path: Path) -> Tag:
    """The main part of a page."""
    main = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("main")
    assert isinstance(main, Tag)
    return main


def assert_self_contained(path: Path) -> None:
    """Scripts, styles and pictures of a page are the site's own, and there."""
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for node in page.select("script[src], img[src], link[href]:not([rel=search], [rel=index])"):
        address = str(node.get("src") or node["href"]).split("?")[0]
        assert (path.parent / address).is_file(), f"{path.name}: {address}"


def snapshot(folder: Path) -> dict[str, bytes]:
    """The files of a folder by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rewrite(root: Path, old: str, new: str, name: str = "one/plain.md") -> None:
    """Change a page in the chapters and as it is woven."""
    text = (root / "chapters" / name).read_text(encoding="utf-8")
    assert old in text
    for folder in ("chapters", "build/source"):
        files.write_if_changed(root / folder / name, text.replace(old, new, 1).encode())


@pytest.mark.slow
def test_pages_hold_formulas_numbers_outputs_and_folds(root: Path) -> None:
    """A reader sees set formulas, the same numbers everywhere, outputs and solutions; nothing comes from elsewhere."""
    assert build(root) == []
    plain, run = main_of(root / "build/html/one/plain.html"), main_of(root / "build/html/one/run.html")
    assert plain.select_one("h1").get_text().startswith("1.1. Plain")
    assert "R" in plain.select_one("p .katex-mathml").get_text(), "the macro from book.yml is known"
    assert plain.select_one("div.equation#equation-eq-length .katex-html")
    assert plain.select_one("div.equation .eqno").get_text().startswith("(1.1.1)")
    assert plain.select_one("figure img")["alt"] == "a dot"
    assert "(Lovelace, 1843)" in plain.get_text()
    fold = plain.select_one("details.solution")
    assert fold.select_one("summary").get_text() == "Solution to Exercise 1.1.1"
    assert "It is 5." in fold.get_text()
    text = run.select_one("p").get_text()
    assert text == "By (1.1.1) of Section\N{NO-BREAK SPACE}1.1, see Figure\N{NO-BREAK SPACE}1.1.1."
    assert run.select_one(".cell_output .stream").get_text().strip() == "5"
    assert run.select_one(".cell_output img")["src"].startswith("../_images/")
    assert run.select_one("details.cell-fold summary").get_text() == "check"
    ids = [node["id"] for node in plain.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for path in (root / "build/html").rglob("*.html"):
        assert_self_contained(path)


@pytest.mark.slow
def test_all_problems_come_at_once_and_leave_the_site_alone(root: Path) -> None:
    """A broken reference and a wrong formula are told with their lines, again at the next build; the old site stays."""
    assert build(root) == []
    before = snapshot(root / "build/html")
    rewrite(
        root, "A line in $\\R^2$", "A paragraph whose second\nline has {ref}`sec_gone` and whose\nthird has $\\nope$"
    )
    rewrite(root, "c = \\sqrt", "c \\wrong \\sqrt")
    expected = [
        "chapters/one/plain.md:5: undefined label: 'sec_gone' [sphinx-ref]",
        'chapters/one/plain.md:6: KaTeX cannot set "\\nope": Undefined control sequence: \\nope [formula]',
        'chapters/one/plain.md:9: KaTeX cannot set "c \\wrong \\sqrt{a^2 + b^2}": '
        "Undefined control sequence: \\wrong [formula]",
    ]
    assert build(root) == expected
    assert build(root) == expected, "a page that Sphinx has read is not thereby mended"
    assert snapshot(root / "build/html") == before


@pytest.mark.slow
def test_a_warm_build_gives_what_a_cold_one_gives(root: Path) -> None:
    """After a change of what other pages show of a page, those are written again; nothing else is touched."""
    assert build(root) == []
    untouched = (root / "build/html/references.html").stat().st_mtime_ns
    rewrite(root, "A line in", "$$x$$ (eq_new)\n\nA line in")
    assert build(root) == []
    assert "By (1.1.2)" in main_of(root / "build/html/one/run.html").get_text()
    assert (root / "build/html/references.html").stat().st_mtime_ns == untouched
    warm = snapshot(root / "build/html")
    shutil.rmtree(root / "build/sphinx")
    assert build(root) == []
    assert snapshot(root / "build/html") == warm

    rewrite(root, "(eq_length)", "(eq_other)")
    assert build(root) == ["chapters/one/run.md:8: equation not found: eq_length [sphinx-eq]"]


@pytest.mark.slow
def test_labels_on_two_pages_and_solutions_to_nothing_are_problems(root: Path) -> None:
    """Both are found although Sphinx reads pages in processes of their own."""
    rewrite(root, "# One", "(sec_plain)=\n# One", "one/index.md")
    rewrite(root, "{solution} ex_length", "{solution} ex_width")
    assert build(root) == [
        "chapters/one/plain.md:1: the label 'sec_plain' is already defined at chapters/one/index.md:1 "
        "[duplicate-label]",
        "chapters/one/plain.md:22: there is no exercise 'ex_width' that this could be a solution to "
        "[solution-to-nothing]",
    ]


@pytest.mark.slow
def test_a_failure_of_sphinx_itself_is_a_problem(root: Path) -> None:
    """An exception ends as one problem with its traceback, not as a success without pages."""
    files.write_if_changed(root / "conf.py", b"# settings\nraise RuntimeError('no')\n")
    (problem,) = build_site(root, root / "build/source", root / "build/sphinx", root / "build/html")
    assert (problem.location, problem.message) == (Location("conf.py", 2), "Sphinx failed: RuntimeError: no")
    assert "Traceback" in problem.detail
    assert not (root / "build/html").exists()

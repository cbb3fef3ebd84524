"""What Sphinx and KaTeX complain of, as problems of the chapters."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from building import BOOK, write

from bindery import files
from bindery.site import complaints, located
from bindery.sphinxext.defaults import EXTENSIONS, set_defaults
from bindery.sphinxext.typesetter import FormulaError, Typesetter

PRINTED = """\
something that is no warning
/b/source/one/plain.md:4: WARNING: undefined label: 'sec_x' [ref.ref]
/b/source/one/plain.md: WARNING: document isn't included in any toctree [toc.not_included]
WARNING: a message
of two lines
/b/source/one/plain.md:9: WARNING: duplicate label sec_x, other instance in /b/source/one/run.ipynb
/b/source/one/plain.md:2: ERROR: KaTeX cannot set "a': b": Expected '}' [bindery.formula]

Versions
========
/b/source/one/plain.md:1: WARNING: an old message
"""


def test_complaints_have_file_line_kind_and_whole_message() -> None:
    """What Sphinx prints is read by record: locations may lack, messages may have several lines."""
    found = [(one.path, one.line, one.rule, one.message) for one in complaints(PRINTED)]
    assert found == [
        ("/b/source/one/plain.md", 4, "sphinx-ref", "undefined label: 'sec_x'"),
        ("/b/source/one/plain.md", 0, "sphinx-toctree", "document isn't included in any toctree"),
        ("", 0, "sphinx", "a message\nof two lines"),
        ("/b/source/one/plain.md", 2, "formula", "KaTeX cannot set \"a': b\": Expected '}'"),
    ]
    assert list(complaints("")) == []


def test_complaints_are_located_where_the_author_wrote(tmp_path: Path) -> None:
    """The file is the chapter's, the line that of what the message quotes, and paths in messages are the author's."""
    files.write_if_changed(tmp_path / "chapters/one/plain.md", b"# A\n\nx\ny {ref}`sec_x`\n")
    source = tmp_path / "build/source"
    printed = (
        f"{source}/one/plain.md:3: WARNING: undefined label: 'sec_x' [ref.ref]\n"
        f"{source}/one/plain.ipynb:2: WARNING: like {source}/one/plain.md:1 [a.b_c]\n"
        "/elsewhere/thing.txt:7: WARNING: odd\n"
    )
    assert [str(located(one, tmp_path, source)) for one in complaints(printed)] == [
        "chapters/one/plain.md:4: undefined label: 'sec_x' [sphinx-ref]",
        "chapters/one/plain.md:2: like chapters/one/plain.md:1 [sphinx-b-c]",
        "chapters/index.md:1: /elsewhere/thing.txt: odd [sphinx]",
    ]


def test_formulas_are_set_once_and_kept(tmp_path: Path) -> None:
    """The second time a formula comes from the cache, and no node is started for it."""
    first, second = Typesetter({}, tmp_path), Typesetter({}, tmp_path)
    html = first.html("x^2", display=False)
    first.close()
    assert "<math" in html
    assert second.html("x^2", display=False) == html
    assert not second._nodes


def test_what_conf_py_says_stays_as_it_is(tmp_path: Path) -> None:
    """All else that a book needs is set, with its facts; a bibliography only if there is one."""
    write(tmp_path, BOOK)
    (tmp_path / "chapters/references.bib").unlink()
    loaded: list[str] = []
    given = {"html_title": "Mine", "numfig": False}
    app = SimpleNamespace(confdir=tmp_path, config=SimpleNamespace(_raw_config=given), setup_extension=loaded.append)
    set_defaults(app)  # type: ignore[arg-type]  # all of Sphinx that it uses
    assert (given["html_title"], given["numfig"], given["project"]) == ("Mine", False, "Tiny")
    assert given["bibtex_bibfiles"] == []
    assert tuple(loaded) == EXTENSIONS


@pytest.mark.parametrize("formula", ["\\nope", "a &= b", "\\href{https://example.org}{x}", "x_é", "\\frac{1}{"])
def test_formulas_that_latex_would_refuse_are_refused(tmp_path: Path, formula: str) -> None:
    """What cannot be set is an error that names its line, never red text on a page."""
    typesetter = Typesetter({}, tmp_path)
    with pytest.raises(FormulaError) as caught:
        typesetter.html(f"a = b\n+ {formula}", display=True)
    typesetter.close()
    assert caught.value.line == 1 or "href" in formula

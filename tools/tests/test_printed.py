"""The book as a press gets it: what a PDF must have beside its text, read from the file with pikepdf."""

from __future__ import annotations

import re
from pathlib import Path

import pikepdf
import pytest
from building import bindery, edit
from paper import addresses, bookmarks, figures, in_pdf, is_heading, last_line, links, places

from bindery import pdf as pdf_module

pytestmark = pytest.mark.slow


@pytest.fixture
def book(printed: Path) -> pikepdf.Pdf:
    """The PDF of the small book."""
    return pikepdf.open(printed / "build/pdf/book.pdf")


@pytest.fixture
def tex(printed: Path) -> str:
    """What LaTeX made it from."""
    return (printed / "build/sphinx/latex/book.tex").read_text(encoding="utf-8")


def test_what_is_to_stand_before_the_contents(printed: Path, book: pikepdf.Pdf, tex: str) -> None:
    """Cover, an empty page, half title and copyright page: version, licence, outputs; the list is in roman."""
    assert [page.label for page in book.pages][:7] == ["A", "B", "C", "D", "i", "1", "2"]
    assert places(book)["bindery.imprint"] == 3
    assert "Code: MIT licence" in tex
    imprint = (printed / "build/sphinx/latex/imprint.tex").read_text(encoding="utf-8")
    assert "profile quick; CPU; Python" in imprint
    assert (str(book.docinfo.Title), str(book.docinfo.Author)) == ("Tiny & small", "Ada")
    assert str(book.docinfo.Subject) == "A book of nothing."


def test_the_paper_is_that_of_the_facts(book: pikepdf.Pdf) -> None:
    """Letter: 8.5 by 11 inches of 72 points."""
    assert {tuple(map(float, page.mediabox)) for page in book.pages} == {(0.0, 0.0, 612.0, 792.0)}


def test_every_bookmark_and_every_link_leads_somewhere(book: pikepdf.Pdf) -> None:
    """In the book and in the offprints; the bookmarks have the parts' chapters, solutions and index."""
    there = places(book)
    marks = bookmarks(book)
    assert [title for level, title, _ in marks if level == 0 or title == "1 One"] == [
        "Contents", "Preface", "Basics", "1 One", "More", "Glossary", "References", "Solutions", "Index",
    ]  # fmt: skip
    assert all(place in there for _, _, place in marks)
    found = list(links(book))
    assert len(found) > 30
    assert [place for _, place in found if place not in there] == []


def test_solutions_stand_at_the_end(printed: Path, book: pikepdf.Pdf, tex: str) -> None:
    """Exercise and solution lead to each other, and a heading under which nothing else stood is gone."""
    labels = in_pdf(printed / "build/sphinx/latex/book.aux")
    assert labels["one/plain:solutions-of-one-plain"] == "1.1"
    pages = {title: places(book)[place] for _, title, place in bookmarks(book)}
    (solution,) = [place for place in places(book) if place == "bindery.solutions.one"]
    assert places(book)[solution] == pages["Solutions"] > pages["References"]
    assert "{Answers}" not in tex
    assert tex.index(r"\chapter{Solutions}") < tex.index("solved")
    assert "solution on page~" in tex
    assert "exercise on page~" in tex


def test_a_link_out_of_its_section_says_the_page(tex: str) -> None:
    """In brackets, or inside of brackets after a comma; a link within a section says none."""
    assert r"Section~1.1}" not in tex
    text = tex.partition("To Łukasz")[2].partition("for every dot")[0]
    assert re.search(r"\\binderypage\{\\detokenize\{one/plain:sec-plain\}\} \(and", text.replace("\n", " "))
    assert r"\binderypageinside{\detokenize{one/plain:tab-one}})" in text
    inside = tex.partition("A picture of a")[2].partition("are not")[0]
    assert "fig-dot" in inside
    assert "binderypage" not in inside


def test_each_section_says_its_address_and_a_chapter_says_it_to_a_camera(book: pikepdf.Pdf, tex: str) -> None:
    """The code is drawn, not a picture."""
    assert {f"https://book.example/en/{page}.html" for page in ("one/index", "one/plain", "preface")} <= addresses(book)
    assert tex.count(r"\binderycode{https://book.example/en/one/index.html}") == 1
    opening = book.pages[places(book)["chapter.1"]]
    drawn = sum(str(operator) == "S" for _, operator in pikepdf.parse_content_stream(opening))
    assert drawn > 100


def test_the_index_names_terms_and_names_of_the_library(printed: Path) -> None:
    """In bold where a term is introduced and where code stands; also as a plural, at the beginning of a sentence."""
    sorted_index = (printed / "build/sphinx/latex/book.ind").read_text(encoding="utf-8")
    sorted_index = re.sub(r",\s+", ", ", sorted_index)
    entries = {line.split(r"\quad")[0]: line for line in sorted_index.splitlines() if r"\item" in line}
    by_name = {re.sub(r"\\item|\\texttt|[{}\\]", "", name).strip(): line for name, line in entries.items()}
    assert sorted(by_name) == ["dot", "draw_dot", "round-box set"]
    assert r"\hyperindexformat{\spxpagem}{3}" in by_name["dot"]
    assert r"\hyperpage{1}" in by_name["dot"]
    assert r"\hyperpage{3}" in by_name["round-box set"]
    assert r"\hyperindexformat{\spxpagem}" in by_name["draw_dot"]
    assert r"\hyperpage" in by_name["draw_dot"]


def test_no_page_ends_in_a_heading(book: pikepdf.Pdf) -> None:
    """Nor in a caption: what stands lowest is not in their type, but on half title and the openings of parts."""
    ends = [last_line(page) for page in book.pages]
    assert any("Pagella" in font for line in ends for font, _ in line)
    alone = {2, *(places(book)[place] for _, title, place in bookmarks(book) if title in ("Basics", "More"))}
    assert {number for number, line in enumerate(ends) if is_heading(line)} == alone


def test_a_figure_is_on_the_page_of_its_first_mention_or_the_next(printed: Path, book: pikepdf.Pdf) -> None:
    """It stands where the text has it."""
    seen = figures(book, printed / "build/sphinx/latex/book.aux")
    assert list(seen) == ["one/plain:fig-dot"]
    assert [figure - mention for figure, mention in seen.values()] in ([0], [1])


def test_a_chapter_is_a_pdf_of_its_own(printed: Path, book: pikepdf.Pdf) -> None:
    """With cover, copyright page and its solutions, the numbers of the book, and links that lead on to the website."""
    assert sorted(path.name for path in (printed / "build/pdf/chapters").iterdir()) == ["one.pdf", "two.pdf"]
    plain = next(place for _, title, place in bookmarks(book) if title == "1.1 Plain")
    with pikepdf.open(printed / "build/pdf/chapters/one.pdf") as chapter:
        labels = [page.label for page in chapter.pages]
        assert labels[:2] == ["A", "D"]
        printed_on = book.pages[places(book)["bindery.solutions.one"]].label
        assert labels[2:] == ["3", "4", "5", printed_on]
        there = places(chapter)
        assert {place for _, place in links(chapter)} <= set(there)
        assert [title for _, title, _ in bookmarks(chapter)][:2] == ["1 One", "1.1 Plain"]
        assert all(place in there for _, _, place in bookmarks(chapter))
        assert there[plain] == 2
        assert "https://book.example/en/references.html#cite-lovelace-1843" in addresses(chapter)
        assert str(chapter.docinfo.Title) == "1 One · Tiny & small"


def test_without_an_address_links_out_of_a_chapter_are_text(printed: Path, tmp_path: Path) -> None:
    """There is nowhere to lead to."""
    from bindery.offprints import offprints

    folder = printed / "build/sphinx/latex"
    (tmp_path / "one.pdf").write_bytes(offprints(folder / "book.pdf", folder / "book.aux", ["one"], "")["one.pdf"])
    with pikepdf.open(tmp_path / "one.pdf") as chapter:
        assert {place for _, place in links(chapter)} <= set(places(chapter))
        assert not any("references" in address for address in addresses(chapter))


def test_names_in_any_writing_are_there(printed: Path) -> None:
    """Łukasz Ñandú, 王小明, 田中花子, 김철수: LaTeX misses no character, and what follows is in the book's own type."""
    log = (printed / "build/sphinx/latex/book.log").read_text(encoding="utf-8", errors="replace")
    assert "Missing character" not in log
    with pikepdf.open(printed / "build/pdf/book.pdf") as book:
        preface = last_line(book.pages[places(book)["chapter*.3"]])
    assert any("Pagella" in font for font, _ in preface)


def test_an_edit_that_moves_no_page_takes_one_run_of_latex(printed_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels of the time before are used; where they are damaged, LaTeX starts anew and the bytes are the same."""
    folder = printed_copy / "build/sphinx/latex"
    runs: list[str] = []
    run = pdf_module._run

    def counted(where: Path, *command: str) -> int:
        runs.append(command[0])
        return run(where, *command)

    monkeypatch.setattr(pdf_module, "_run", counted)
    assert pdf_module.typeset(printed_copy, folder) == []
    assert runs == ["xelatex", "makeindex", "xdvipdfmx"]
    first = (folder / "book.pdf").read_bytes()
    assert first == (printed_copy / "build/pdf/book.pdf").read_bytes()
    runs.clear()
    (folder / "book.aux").write_text("\\relax\n\\newlabel{broken", encoding="utf-8")
    assert pdf_module.typeset(printed_copy, folder) == []
    assert runs.count("xelatex") > 2
    assert (folder / "book.pdf").read_bytes() == first


def test_paper_that_no_press_has_is_a_problem(printed_copy: Path) -> None:
    """With what was meant."""
    edit(printed_copy, "book.yml", "paper: Letter", "paper: leter")
    code, _, errors = bindery(printed_copy, "pdf")
    assert code == 1
    assert "`paper`: input should be 'A4' or 'Letter', not 'leter'; did you mean `Letter`?" in errors

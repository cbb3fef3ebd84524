"""What an EPUB is put together from: formulas as its schema allows them, a cover, an archive that begins as it must."""

from __future__ import annotations

import pytest

from bindery.notebooks import archive
from bindery.settings import Author, Facts
from bindery.sphinxext.cards import COVER, cover
from bindery.sphinxext.mathml import mended


def formula(inner: str, tex: str = "f") -> str:
    """A formula as KaTeX writes it."""
    space = 'xmlns="http://www.w3.org/1998/Math/MathML"'
    annotation = f'<annotation encoding="application/x-tex">{tex}</annotation>'
    return f'<span class="katex"><math {space}><semantics>{inner}{annotation}</semantics></math></span>'


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<mrow><mi mathvariant="bold">x</mi></mrow>', "<mi>\N{MATHEMATICAL BOLD SMALL X}</mi>"),
        ('<mrow><mi mathvariant="bold">Θ</mi></mrow>', "<mi>\N{MATHEMATICAL BOLD CAPITAL THETA}</mi>"),
        ('<mrow><mi mathvariant="double-struck">R</mi></mrow>', "<mi>\N{DOUBLE-STRUCK CAPITAL R}</mi>"),
        ('<mrow><mi mathvariant="fraktur">C</mi></mrow>', "<mi>\N{BLACK-LETTER CAPITAL C}</mi>"),
        ('<mrow><mi mathvariant="normal">d</mi></mrow>', '<mi mathvariant="normal">d</mi>'),
        ('<mrow><mtext mathvariant="bold">a b</mtext></mrow>', '<mtext mathvariant="bold">a b</mtext>'),
        ('<mtable columnspacing=""/>', "<mtable />"),
        (
            "<msup><mi>o</mi><mi>max</mi><mo>\u2061</mo></msup>",
            "<msup><mi>o</mi><mrow><mi>max</mi><mo>\u2061</mo></mrow></msup>",
        ),
        (
            "<mrow><mn>2</mn><mrow><mi>log</mi><mo>\u2061</mo></mrow><mi>p</mi></mrow>",
            '<mn>2</mn><mspace width="0.1667em" /><mrow><mi>log</mi><mo>\u2061</mo></mrow>'
            '<mspace width="0.1667em" /><mi>p</mi>',
        ),
        (
            "<mrow><mrow/><mrow><mi>log</mi><mo>\u2061</mo></mrow><mo>(</mo><mi>p</mi></mrow>",
            "<mrow><mrow /><mrow><mi>log</mi><mo>\u2061</mo></mrow><mo>(</mo><mi>p</mi></mrow>",
        ),
    ],
)
def test_formulas_are_mended(inner: str, expected: str) -> None:
    """Letters of a typeface become characters, functions stand apart, and what the schema refuses goes."""
    text = mended(formula(inner, "a\n &lt; b"))
    assert expected in text
    assert text.startswith('<span class="katex"><math xmlns="http://www.w3.org/1998/Math/MathML" alttext="a &lt; b">')
    assert "annotation" not in text


def test_a_cover_is_drawn_from_the_facts() -> None:
    """Title, people, version and chapters are on it; a book with none or with a long title has a cover, too."""
    facts = Facts(title="Tiny", version="1", authors=(Author(name="Ada"),))
    drawn = cover(facts, [2, 3])
    assert drawn.startswith(b"\x89PNG")
    assert (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24])) == COVER
    assert drawn == cover(facts, [2, 3])
    others = [{"title": "Other"}, {"version": "2"}, {"authors": (Author(name="Charles"),)}]
    assert len({drawn, *(cover(facts.model_copy(update=other), [2, 3]) for other in others), cover(facts, [3, 2])}) == 5
    assert cover(facts.model_copy(update={"title": "Long " * 30}), [])


def test_a_first_file_comes_first_and_as_it_is() -> None:
    """The first bytes of an EPUB say what it is; all others are in order and packed."""
    packed = archive({"a": b"a" * 100, "mimetype": b"application/epub+zip"}, first="mimetype")
    assert packed[30:58] == b"mimetypeapplication/epub+zip"
    assert b"a" * 100 not in packed

"""Rules on sentences, paragraphs, formulas and pictures: pages in, problems out."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bindery.model import Location
from bindery.parse import Block, blocks, read_page
from bindery.rules import Allowed, Page, Rules

TYPED_NUMBER = re.compile(r"\b(?:Figure|Table|Section|Chapter|Equation|Exercise|Listing)s? \(?\d+(?:\.\d+)*\b")
FONT = re.compile(r"\\(?:math(?:bb|bf|cal|frak|scr|sf)|boldsymbol|bm)\s*(?:\{[^{}]*\}|\w)")
FORMULA = re.compile(r"(?<!\\)(\$\$?)(?!\$)(.+?)(?<!\\)\1", re.DOTALL)
IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
PLAIN = (
    (re.compile(r"<!--.*?-->", re.DOTALL), ""),
    (re.compile(r"\$\$.+?\$\$(?: *\([\w:-]+\))?", re.DOTALL), " "),
    (FORMULA, "FORMULA"),
    (re.compile(r"\{cite(?::\w+)?\}`[^`]+`"), "CITATION"),
    (re.compile(r"\{[\w:]+\}`+[^`]*`+"), "REFERENCE"),
    (re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL), "CODE"),
    (IMAGE, ""),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"<https?://[^>]*>"), "ADDRESS"),
    (re.compile(r"[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}"), ""),
)
STANDING_IN = {"formula", "code", "reference", "citation", "address"}
SENTENCE = re.compile(r"(?<=[.?!])[\"')\u201d]?\s+(?=[\"'(\u201c]?[A-Z0-9])")
WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|Fig|Eq|Sec|et al)\.(?=\s)")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph or caption; formulas, code and references stand in it as one word each."""

    text: str
    location: Location
    allowed: Allowed = field(default_factory=dict)

    @property
    def sentences(self) -> list[str]:
        """What ends with a full stop, a question mark or an exclamation mark, and what is left."""
        joined = ABBREVIATION.sub(lambda match: match[0][:-1], " ".join(self.text.split()))
        return [sentence for sentence in SENTENCE.split(joined) if WORD.search(sentence)]


def check_formulas(rules: Rules, page: Page) -> None:
    """A `$` whose other half is not in the same paragraph."""
    for piece in page.pieces:
        if isinstance(piece.content, Block) and piece.content.kind in ("text", "heading"):
            words = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)|\\\$", "", piece.content.text, flags=re.DOTALL)
            if words.count("$") % 2:
                message = (
                    "a `$` has no other half here; a line that begins with `1)` or `-` starts a list, even in a formula"
                )
                rules.tell(piece.location, "cut-formula", message, piece.allowed)


def check_drafts(rules: Rules, pages: Iterable[Page]) -> None:
    """Paragraphs that `bindery new` wrote for their author to write."""
    given = _drafts()
    for page in pages:
        for piece in page.pieces:
            block = piece.content
            if isinstance(block, Block) and block.kind == "text" and block.text.strip() in given:
                message = f"a draft: `{_beginning(block.text)}` is to be replaced by what it asks for"
                rules.tell(piece.location, "draft", message, piece.allowed)


def check_prose(rules: Rules, pages: Iterable[Page]) -> None:
    """All that the rules on prose find."""
    everything: list[Paragraph] = []
    for page in pages:
        own = list(_paragraphs(page))
        for paragraph in own:
            _paragraph(rules, paragraph)
        _median(rules, page, own)
        everything += own
    _repeats(rules, everything)


def check_pictures(rules: Rules, page: Page) -> None:
    """Pictures that say nothing to those who cannot see them."""
    for piece in page.pieces:
        block = piece.content
        if not isinstance(block, Block):
            continue
        if block.name in ("figure", "image") and not block.options.get("alt"):
            rules.tell(block.location, "alt-text", f"this {block.name} has no `alt`: say what it shows", piece.allowed)
        for match in IMAGE.finditer(block.text) if block.kind == "text" else ():
            if not match[1].strip():
                message = "this image has no text in its brackets: say what it shows"
                rules.tell(block.location, "alt-text", message, piece.allowed)


def check_fonts(rules: Rules, pages: Iterable[Page]) -> None:
    """Typefaces in formulas that the section on notation does not show."""
    pages, notation = list(pages), rules.style.notation
    shown = {
        font for page in pages if page.section.name == notation for c in page.section.cells for font in _fonts(c.source)
    }
    for page in pages if notation else ():
        for cell in page.section.cells:
            if cell.kind == "markdown":
                for number, line in enumerate(cell.source.split("\n")):
                    for font in _fonts(line) - shown:
                        where = cell.location.down(number)
                        message = f"`{font}` is not in the notation of {notation}"
                        rules.tell(where, "notation", message, page.allowed_at(where))


@cache
def _drafts() -> frozenset[str]:
    """The paragraphs of a page that has just been begun."""
    resources = Path(__file__).parent / "resources"
    read = (read_page(name, (resources / name).read_text(encoding="utf-8"))[0] for name in ("section.md", "chapter.md"))
    cells = (cell for page in read for cell in page.section.cells if cell.kind == "markdown")
    return frozenset(block.text.strip() for cell in cells for block in blocks(cell) if block.kind == "text")


def _paragraphs(page: Page) -> Iterator[Paragraph]:
    for piece in page.pieces:
        block = piece.content
        if isinstance(block, Block) and block.kind in ("text", "heading"):
            yield Paragraph(plain(block.text), block.location, piece.allowed)


def _paragraph(rules: Rules, paragraph: Paragraph) -> None:
    """What one paragraph shows."""
    text, where, allowed = paragraph.text, paragraph.location, paragraph.allowed
    for pattern, instead in rules.style.avoid.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            rules.tell(_line(paragraph, match[0]), "word", f"`{match[0]}`: {instead or 'leave it out'}", allowed)
    most = rules.style.longest_sentence
    for sentence in paragraph.sentences:
        # A sentence that cites another work may name its sections.
        if (typed := TYPED_NUMBER.search(sentence)) and "CITATION" not in sentence:
            message = f"`{typed[0]}` is typed; write a reference, which keeps its number"
            rules.tell(_line(paragraph, typed[0]), "typed-number", message, allowed)
        if most and (count := len(WORD.findall(sentence))) > most:
            message = f"a sentence of {count} words, where {most} is the most: {_beginning(sentence)}"
            rules.tell(_line(paragraph, sentence.split()[0]), "long-sentence", message, allowed)
    if (limit := rules.style.longest_paragraph) and (count := len(paragraph.sentences)) > limit:
        rules.tell(where, "long-paragraph", f"a paragraph of {count} sentences, where {limit} is the most", allowed)


def _median(rules: Rules, page: Page, paragraphs: Iterable[Paragraph]) -> None:
    """How long the sentences of a section are."""
    lengths = [len(WORD.findall(sentence)) for paragraph in paragraphs for sentence in paragraph.sentences]
    if lengths and rules.style.median_sentence and (median := statistics.median(lengths)) > rules.style.median_sentence:
        message = f"half of this section's sentences have over {median:g} words, where {rules.style.median_sentence} do"
        rules.tell(page.top, "median-sentence", message, page.allowed)


def _repeats(rules: Rules, paragraphs: Iterable[Paragraph]) -> None:
    """Runs of words that stand twice in the book, each told once, where it stands the second time."""
    size = rules.style.repeated_words
    seen: dict[tuple[str, ...], Location] = {}
    for paragraph in paragraphs if size else ():
        words = [word.lower() for word in WORD.findall(paragraph.text)]
        runs = [tuple(words[start : start + (size or 0)]) for start in range(len(words) - (size or 0) + 1)]
        told = False
        for run in runs:
            if sum(word in STANDING_IN for word in run) > 1:
                continue  # the same pattern of formulas is no repetition
            if run in seen and not told:
                message = f"`{' '.join(run)}` stands in {seen[run]}, too"
                rules.tell(paragraph.location, "repeat", message, paragraph.allowed)
                told = True
            elif run not in seen:
                told = False
        for run in runs:
            seen.setdefault(run, paragraph.location)


def plain(text: str) -> str:
    """Text without its markup; line breaks stay, so that places in it are known."""
    for pattern, instead in PLAIN:
        text = pattern.sub(lambda match, new=instead: match.expand(new) + "\n" * match[0].count("\n"), text)  # type: ignore[misc]
    return text


def _fonts(text: str) -> set[str]:
    """The typefaces in a text's formulas, each with what it is used on."""
    return {re.sub(r"\s+|[{}]", "", font) for font in FONT.findall(text)}


def _line(paragraph: Paragraph, words: str) -> Location:
    """The line on which words stand, or begin, if they go over its end."""
    lines = paragraph.text.split("\n")
    found = (number for number, line in enumerate(lines) if words.split("\n")[0].split(" ")[0] in line)
    exact = (number for number, line in enumerate(lines) if words in line)
    return paragraph.location.down(next(exact, next(found, 0)))


def _beginning(sentence: str) -> str:
    return " ".join(sentence.split()[:8]) + " …"

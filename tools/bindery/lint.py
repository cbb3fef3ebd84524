"""What a book's style asks for, as far as a program can tell: the book in, problems out. Pure.

Each rule has a name. A line `% allow RULE: reason` before a paragraph or a directive lets this be. The rules on whole
sections, on code and on typefaces know no exception.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bindery.model import Book, Location, Problem, Section
from bindery.parse import Block, blocks
from bindery.settings import Style

TYPED_NUMBER = re.compile(r"\b(?:Figure|Table|Section|Chapter|Equation|Exercise|Listing)s? \(?\d+(?:\.\d+)*\b")
ALLOWED = re.compile(r"allow ([\w-]+)(: *\S.*)?$")
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
CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
ENTRY = re.compile(r"^@\w+\{([^,\s]+)", re.MULTILINE)
IDENTIFIER = re.compile(r"^\s*(?:doi|eprint|isbn|url|howpublished|publisher|pages)\s*=", re.MULTILINE | re.IGNORECASE)
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|Fig|Eq|Sec|et al)\.(?=\s)")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph or caption; formulas, code and references stand in it as one word each."""

    text: str
    location: Location
    allowed: frozenset[str] = frozenset()

    @property
    def sentences(self) -> list[str]:
        """What ends with a full stop, a question mark or an exclamation mark, and what is left."""
        joined = ABBREVIATION.sub(lambda match: match[0][:-1], " ".join(self.text.split()))
        return [sentence for sentence in SENTENCE.split(joined) if WORD.search(sentence)]


@dataclass
class Lint:
    """The rules of one style, and what they have found."""

    style: Style
    problems: list[Problem] = field(default_factory=list)

    def tell(self, location: Location, rule: str, message: str, allowed: Iterable[str] = ()) -> None:
        """Note a problem unless the author has allowed it."""
        if rule not in allowed:
            self.problems.append(Problem(location, rule, message))

    def paragraph(self, paragraph: Paragraph) -> None:
        """What one paragraph shows."""
        text, where, allowed = paragraph.text, paragraph.location, paragraph.allowed
        for pattern, instead in self.style.avoid.items():
            for match in re.finditer(pattern, text, re.IGNORECASE):
                self.tell(_line(paragraph, match[0]), "word", f"`{match[0]}`: {instead or 'leave it out'}", allowed)
        most = self.style.longest_sentence
        for sentence in paragraph.sentences:
            # A sentence that cites another work may name its sections.
            if (typed := TYPED_NUMBER.search(sentence)) and "CITATION" not in sentence:
                message = f"`{typed[0]}` is typed; write a reference, which keeps its number"
                self.tell(_line(paragraph, typed[0]), "typed-number", message, allowed)
            if most and (count := len(WORD.findall(sentence))) > most:
                message = f"a sentence of {count} words, where {most} is the most: {_beginning(sentence)}"
                self.tell(_line(paragraph, sentence.split()[0]), "long-sentence", message, allowed)
        if (limit := self.style.longest_paragraph) and (count := len(paragraph.sentences)) > limit:
            self.tell(where, "long-paragraph", f"a paragraph of {count} sentences, where {limit} is the most", allowed)

    def median(self, section: Section, paragraphs: Iterable[Paragraph]) -> None:
        """How long the sentences of a section are."""
        lengths = [len(WORD.findall(sentence)) for paragraph in paragraphs for sentence in paragraph.sentences]
        if (
            lengths
            and self.style.median_sentence
            and (median := statistics.median(lengths)) > self.style.median_sentence
        ):
            message = (
                f"half of this section's sentences have over {median:g} words, where {self.style.median_sentence} do"
            )
            self.tell(Location(section.path, section.line), "median-sentence", message)

    def repeats(self, paragraphs: Iterable[Paragraph]) -> None:
        """Runs of words that stand twice in the book, each told once, where it stands the second time."""
        size = self.style.repeated_words
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
                    self.tell(paragraph.location, "repeat", message, paragraph.allowed)
                    told = True
                elif run not in seen:
                    told = False
            for run in runs:
                seen.setdefault(run, paragraph.location)

    def code(self, section: Section) -> None:
        """Lines of code that are too wide for the page."""
        width = self.style.code_width
        for cell in section.code if width else ():
            for number, line in enumerate(cell.source.split("\n")):
                if width and len(line) > width:
                    where = cell.location.down(number)
                    self.tell(where, "code-width", f"a line of {len(line)} characters, where {width} is the most")

    def fonts(self, shown: set[str], section: Section) -> None:
        """Typefaces in formulas that the section on notation does not show."""
        for cell in section.cells:
            if cell.kind == "markdown":
                for number, line in enumerate(cell.source.split("\n")):
                    for font in _fonts(line) - shown:
                        message = f"`{font}` is not in the notation of {self.style.notation}"
                        self.tell(cell.location.down(number), "notation", message)

    def pictures(self, block: Block, allowed: frozenset[str]) -> None:
        """Figures that say nothing to those who cannot see them."""
        if block.name in ("figure", "image") and not block.options.get("alt"):
            self.tell(block.location, "alt-text", f"this {block.name} has no `alt`: say what it shows", allowed)
        for match in IMAGE.finditer(block.text) if block.kind == "text" else ():
            if not match[1].strip():
                self.tell(
                    block.location, "alt-text", "this image has no text in its brackets: say what it shows", allowed
                )


def lint(book: Book, bibliography: str = "") -> list[Problem]:
    """All that is not as the book's style asks; `bibliography` is the text of `references.bib`."""
    style = book.facts.style
    rules = Lint(style)
    shown = {
        font
        for page in book.pages()
        if page.name == style.notation
        for cell in page.cells
        for font in _fonts(cell.source)
    }
    everything: list[Paragraph] = []
    cited: set[str] = set()
    for page in book.pages():
        own: list[Paragraph] = []
        for block, allowed in _allowing(page, rules):
            rules.pictures(block, allowed)
            cited |= {key.strip() for group in CITED.findall(block.text) for key in group.split(",")}
            if block.kind in ("text", "heading"):
                own.append(Paragraph(_plain(block.text), block.location, allowed))
        for paragraph in own:
            rules.paragraph(paragraph)
        rules.median(page, own)
        rules.code(page)
        if style.notation:
            rules.fonts(shown, page)
        everything += own
    rules.repeats(everything)
    _bibliography(rules, bibliography, cited)
    return sorted(set(rules.problems))


def _allowing(page: Section, rules: Lint) -> Iterator[tuple[Block, frozenset[str]]]:
    """The pieces of a page but for comments, each with the rules that it need not keep."""
    for cell in page.cells:
        allowed: frozenset[str] = frozenset()
        for block in blocks(cell) if cell.kind == "markdown" else ():
            if block.kind != "comment":
                yield block, allowed
                allowed = frozenset() if block.kind != "directive" else allowed
            elif match := ALLOWED.match(block.text):
                allowed |= {match[1]}
                if not match[2]:
                    rules.tell(block.location, "allow", f"say why: `% allow {match[1]}: reason`")


def _bibliography(rules: Lint, text: str, cited: set[str]) -> None:
    """Entries that nobody cites, and entries by which a source cannot be found."""
    entries = list(ENTRY.finditer(text))
    for number, entry in enumerate(entries, 1):
        end = entries[number].start() if number < len(entries) else len(text)
        where = Location("chapters/references.bib", text[: entry.start()].count("\n") + 1)
        if entry[1] not in cited:
            rules.tell(where, "unused-citation", f"nothing cites `{entry[1]}`")
        if not IDENTIFIER.search(text[entry.start() : end]):
            rules.tell(where, "citation", f"`{entry[1]}` has no DOI, arXiv number, ISBN, publisher, pages or URL")


def _plain(text: str) -> str:
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

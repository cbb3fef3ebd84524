"""Finds what an edit of a library module changed in which saved block: lines and edited text in, edits out. Pure."""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from bindery.merge import Line, lines_inside_strings
from bindery.model import Location, Problem
from bindery.rewrite import Change
from bindery.saved import SavedBlock, first_line


@dataclass(frozen=True)
class Edit:
    """A change of a block's own lines; `location` is where it was made."""

    block: SavedBlock
    change: Change
    location: Location


@dataclass(frozen=True)
class Run:
    """Lines of a module that stand together: all copied from one block, or a comment of origin, or none of both."""

    lines: tuple[Line, ...]

    @property
    def block(self) -> SavedBlock | None:
        """The block that the lines were copied from."""
        return None if self.lines[0].number is None else self.lines[0].block

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment of origin."""
        return self.lines[0].tells_origin

    @property
    def indent(self) -> str:
        """What its first line begins with; the comments in classes have some."""
        text = self.lines[0].text
        return text[: len(text) - len(text.lstrip())]


def align(path: str, module: Sequence[Line], text: str) -> tuple[list[Edit], list[Problem]]:
    """What was edited in the module whose text this is; what stands in no saved block cannot be edited."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:  # a null byte is a ValueError in Python 3.11
        line = getattr(error, "lineno", None) or 1
        return [], [Problem(Location(path, line), "syntax-error", f"not Python: {getattr(error, 'msg', error)}")]
    alignment = _Alignment(path, module, text, tree)
    if not alignment.problems:
        alignment.walk()
    return alignment.edits, alignment.problems


class _Alignment:
    """The runs of a module, and where each of them is in the edited text."""

    def __init__(self, path: str, module: Sequence[Line], text: str, tree: ast.Module) -> None:
        self.path = path
        self.runs = [
            Run(tuple(lines)) for _, lines in groupby(module, lambda line: (id(line.block), line.number is None))
        ]
        self.lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
        self.inside = lines_inside_strings(text)
        self.edits: list[Edit] = []
        self.problems: list[Problem] = []
        self.comments = self._find_comments(text)
        """Where each comment of origin stands now, by the place of its run; lines are counted from 0."""
        self.ends = {} if self.problems else self._find_ends(tree)
        """Behind which line each block's statement ends now."""

    def _tell(self, line: int, message: str) -> None:
        self.problems.append(Problem(Location(self.path, line + 1), "untangle", message))

    def _find_comments(self, text: str) -> dict[int, int]:
        expected = [place for place, run in enumerate(self.runs) if run.is_comment]
        texts = [self.runs[place].lines[0].text for place in expected]
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        stand = [token.start[0] - 1 for token in tokens if token.type == tokenize.COMMENT]
        stand = [line for line in stand if self.lines[line] in set(texts)]
        matcher = difflib.SequenceMatcher(None, texts, [self.lines[line] for line in stand], autojunk=False)
        for kind, first, last, start, end in matcher.get_opcodes():
            if kind != "equal":
                for missing in texts[first:last]:
                    where = stand[start - 1] + 1 if start else 0
                    self._tell(
                        where, f"`{missing.strip()}` is missing, which tells where a block comes from; put it back"
                    )
                for line in stand[start:end]:
                    self._tell(line, "this comment of origin stands in another place than the one bindery gave it")
        return dict(zip(expected, stand, strict=False))

    def _find_ends(self, tree: ast.Module) -> dict[int, int]:
        bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
        starts = {first_line(statement) - 1: statement for body in bodies for statement in body}
        ends = {}
        for place, line in self.comments.items():
            if statement := starts.get(line + 1):
                ends[id(self.runs[place].lines[0].block)] = statement.end_lineno or statement.lineno
            else:
                self._tell(line, "below this comment of origin no statement begins; what is above one belongs into it")
        return ends

    def walk(self) -> None:
        """Go through the runs; what differs in copied ones is an edit, in others a problem."""
        cursor = 0
        host: SavedBlock | None = None
        for place, run in enumerate(self.runs):
            if run.is_comment:
                cursor = self.comments[place] + 1
                host = host if run.indent else run.lines[0].block
                indent = run.indent
            elif run.block:
                end = self._end_of(place, run.block is host)
                nested = "" if run.block is host else indent
                after = indent if run.block is host and self.runs[place - 1].block else None
                self._compare(run, cursor, end, nested, after)
                cursor = end
            else:
                end = next((line for other, line in self.comments.items() if other > place), len(self.lines))
                self._check_written(self.runs[place].lines, cursor, end, head=not place)
                cursor = end
        self._check_written((), cursor, len(self.lines))

    def _end_of(self, place: int, of_host: bool) -> int:
        """Behind which line a run that was copied ends: before a method that was merged, or with its statement."""
        following = list(takewhile(lambda run: not run.block and not run.is_comment, self.runs[place + 1 :]))
        then = place + 1 + len(following)
        if of_host and then in self.comments and self.runs[then].indent:
            return self.comments[then] - sum(len(run.lines) for run in following)
        return self.ends[id(self.runs[place].block)]

    def _check_written(self, written: Sequence[Line], start: int, end: int, head: bool = False) -> None:
        """Tell the first line that is not as bindery wrote it."""
        expected = [line.text for line in written]
        actual = self.lines[start:end]
        if expected == actual:
            return
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(expected, actual, strict=False)))
        differing = [*expected[same : same + 1], *actual[same : same + 1]]
        if head and any(text.startswith(("import ", "from ")) for text in differing):
            message = "bindery gathers these imports; change what a section saves with `#@save`"
        elif any(expected):
            message = "bindery writes the head of a module; change the saved code that it tells of"
        else:
            message = "this stands in no saved block; put it into one, or save what is new in a section"
        self._tell(start + same, message)

    def _compare(self, run: Run, start: int, end: int, indent: str, after: str | None) -> None:
        """Note what is edited in a run; `after` is the indent of a merged method that it follows."""
        new = self.lines[start:end]
        old = [line.text for line in run.lines]
        if after is not None and new and new[0].startswith(after + " ") and new[0].strip().startswith("#"):
            self._tell(start, "a comment below a block's last statement is not part of it; put it above")
        numbers = [line.number or 0 for line in run.lines]
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        changed = [places for kind, *places in matcher.get_opcodes() if kind != "equal"]
        if changed and len(set(numbers)) < len(numbers):
            # Merging has parted a line of the chapter, so the run goes back as a whole.
            changed = [[0, len(old), 0, len(new)]]
        for first, last, begin, stop in changed:
            low = numbers[first] if first < len(numbers) and (first < last or not first) else numbers[first - 1] + 1
            high = numbers[last - 1] + 1 if first < last else low
            change = Change(low, high, tuple(self._outdented(start + begin, start + stop, indent)))
            assert run.block
            self.edits.append(Edit(run.block, change, Location(self.path, min(start + begin, end - 1) + 1)))

    def _outdented(self, start: int, end: int, indent: str) -> Iterator[str]:
        """Lines as a section has them: without the indent of the class, but for those inside strings."""
        for number in range(start, end):
            line = self.lines[number]
            if not line.strip() or number + 1 in self.inside:
                yield line
            else:
                if not line.startswith(indent):
                    self._tell(number, f"in a method that is merged into a class, lines are indented by {len(indent)}")
                yield line[len(indent) :]

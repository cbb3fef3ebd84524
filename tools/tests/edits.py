"""Harmless edits of a library's modules: what an author may do to saved code without changing what it does."""

from __future__ import annotations

import ast
import random
import re
import symtable
from collections.abc import Callable, Iterator, Sequence

ORIGIN = re.compile(r"^ *# chapters/\S+:\d+, .*$", re.MULTILINE)
Replacement = tuple[int, int, list[str]]
"""The lines from one up to another, counted from 0, and what takes their place."""


def without_origins(text: str) -> str:
    """A module's text with nothing that depends on the lines of chapters."""
    return ORIGIN.sub("# origin", text)


def edit_every_block(text: str, choice: random.Random) -> tuple[str, list[str]]:
    """A module with an edit in each saved statement, and the names of these edits."""
    lines = text.split("\n")
    found = [edit_of(statement, lines, choice) for statement in saved_statements(text, lines)]
    return apply(lines, [replacement for _, replacements in found for replacement in replacements]), [
        n for n, _ in found
    ]


def apply(lines: Sequence[str], replacements: Sequence[Replacement]) -> str:
    """The text after all replacements, whose lines are those before any."""
    result = list(lines)
    for start, end, new in sorted(replacements, key=lambda each: each[:2], reverse=True):
        result[start:end] = new
    return "\n".join(result)


def saved_statements(text: str, lines: Sequence[str]) -> Iterator[ast.stmt]:
    """The statements right below a comment of origin."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and ORIGIN.fullmatch(lines[first_of(node) - 1]):
            yield node


def first_of(statement: ast.stmt) -> int:
    """The line of a statement's first decorator, or its own, from 0."""
    return min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", []))]) - 1


def edit_of(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> tuple[str, list[Replacement]]:
    """One edit of a statement, by chance among those that can be made in it."""
    makers: list[Callable[[ast.stmt, Sequence[str], random.Random], list[Replacement]]] = [
        comment_line, new_line, odd_string, docstring, renamed_local, comment_at_the_end, spaces,
    ]  # fmt: skip
    choice.shuffle(makers)
    for maker in makers:
        if replacements := maker(statement, lines, choice):
            return maker.__name__, replacements
    raise AssertionError(f"no edit fits {ast.unparse(statement)}")


def own_places(statement: ast.stmt, lines: Sequence[str], skip: int = 0) -> list[tuple[int, str]]:
    """The lines above which lines can be put into a body, with their indents; none below a comment of origin."""
    places = []
    for each in getattr(statement, "body", [])[skip:]:
        line, indent = first_of(each), " " * each.col_offset
        alone = line > first_of(statement) and lines[line].startswith(indent)
        if alone and not ORIGIN.fullmatch(lines[line - 1]):
            places.append((line, indent))
    return places


def has_docstring(statement: ast.stmt) -> bool:
    """Whether a function or class has one."""
    return isinstance(statement, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(statement) is not None


def comment_line(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """A comment on a line of its own."""
    places = own_places(statement, lines)
    if not places:
        return []
    line, indent = choice.choice(places)
    return [(line, line, [f"{indent}# an “added” comment\\"])]


def new_line(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """A statement that does nothing, and a blank line."""
    places = own_places(statement, lines, int(has_docstring(statement)))
    if not places:
        return []
    line, indent = choice.choice(places)
    return [(line, line, [f"{indent}assert True", choice.choice(["", " ", indent])])]


def odd_string(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """A string over several lines, which no indenting may change."""
    places = own_places(statement, lines, int(has_docstring(statement)))
    if not places:
        return []
    line, indent = choice.choice(places)
    return [(line, line, [f'{indent}assert f"""one', "two {1 +", "        1}", " \\n#@save", f"{indent}\t", '"""'])]


def docstring(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """A line of a docstring that says more."""
    if not has_docstring(statement):
        return []
    node = statement.body[0]  # type: ignore[attr-defined]
    if not lines[node.lineno - 1][node.col_offset :].startswith('"""') or node.lineno - 1 == first_of(statement):
        return []
    number = choice.randrange(node.lineno - 1, node.end_lineno)
    at = node.col_offset + 3 if number == node.lineno - 1 else 0
    return [(number, number + 1, [f"{lines[number][:at]}Edited.{lines[number][at:]}"])]


def renamed_local(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """Another name for a local variable of a function that has no function inside."""
    inner = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.JoinedStr)
    if not isinstance(statement, ast.FunctionDef):
        return []
    held = [node for each in statement.body for node in ast.walk(each)]
    if any(isinstance(node, (*inner, ast.ClassDef)) for node in held) or own_places(statement, lines) == []:
        return []
    table = symtable.symtable(ast.unparse(ast.Module([statement], [])), "<edit>", "exec").get_children()[-1]
    names = [each.get_name() for each in table.get_symbols() if each.is_local() and not each.is_parameter()]
    names = [name for name in names if name[0] != "_"]
    nodes = [node for node in held if isinstance(node, ast.Name)]
    names = sorted(set(names) & {node.id for node in nodes})
    if not names:
        return []
    name = choice.choice(names)
    changed: dict[int, bytes] = {}
    for node in sorted((n for n in nodes if n.id == name), key=lambda n: (n.lineno, n.col_offset), reverse=True):
        line = changed.get(node.lineno - 1, lines[node.lineno - 1].encode())
        changed[node.lineno - 1] = line[: node.end_col_offset] + b"_edited" + line[node.end_col_offset :]
    return [(number, number + 1, [line.decode()]) for number, line in changed.items()]


def comment_at_the_end(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """A comment behind the last line of a function, where this is not the line that may hold the mark."""
    last = (statement.end_lineno or 0) - 1
    if not isinstance(statement, ast.FunctionDef) or last <= statement.lineno - 1:
        return []
    return [(last, last + 1, [f"{lines[last]}  # and so on"])]


def spaces(statement: ast.stmt, lines: Sequence[str], choice: random.Random) -> list[Replacement]:
    """Two spaces where one was, on the line that may hold the mark."""
    first = first_of(statement)
    indent = len(lines[first]) - len(lines[first].lstrip())
    head, space, rest = lines[first][indent:].partition(" ")
    if head not in ("def", "class", "import", "from") and "=" not in lines[first].split(" "):
        return []
    return [(first, first + 1, [f"{lines[first][:indent]}{head}{space} {rest}"])]

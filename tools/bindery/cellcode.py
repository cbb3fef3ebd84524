"""Reads the Python of a cell after IPython's input transformer: text in, syntax tree out."""

from __future__ import annotations

import ast
import re
from functools import cache

CODE_MAGICS = frozenset({"time", "timeit", "prun", "capture", "memit", "mprun", "lprun"})
"""Magics whose text, or whose cell's body, is Python."""
TAKES_CODE_ON_ITS_LINE = CODE_MAGICS - {"capture"}
BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")
CONTINUED = re.compile(r"^[^\S\n]*(?:[\w, ]+=[^\S\n]*)?[!%].*\\\n(?:.*\\\n)*.*$", re.MULTILINE)
"""A shell line or magic that backslashes continue over several lines."""


@cache
def to_python(source: str) -> str:
    """What IPython would run for a cell; a cell that is plain Python stays as it is."""
    try:
        ast.parse(source)
        return source
    except (SyntaxError, ValueError):
        from IPython.core.inputtransformer2 import TransformerManager  # slow import, rarely needed

        blank = BLANK_LINES.match(source)
        rest = source[blank.end() :] if blank else source
        rest = rest if rest.startswith("%%") else CONTINUED.sub(_on_one_line, rest)
        transformed: str = TransformerManager().transform_cell(rest)  # type: ignore[no-untyped-call]  # IPython has no types here
        return "\n" * (blank[0].count("\n") if blank else 0) + transformed


def _on_one_line(match: re.Match[str]) -> str:
    """What IPython makes of a continued line, and as many blank lines as keep the numbers of those below."""
    lines = match[0].split("\n")
    return " ".join([*(line.rstrip()[:-1] for line in lines[:-1]), lines[-1]]) + "\n" * (len(lines) - 1)


@cache
def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell; raises SyntaxError where even IPython could not run it."""
    return ast.parse(to_python(source))


def magic_code(call: ast.Call) -> tuple[list[tuple[str, int]], str] | None:
    """For a magic's call: the Python texts in it, each with the number of lines above it, and the rest; else None."""
    function = call.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call)):
        return None
    shell = function.value.func
    if not (isinstance(shell, ast.Name) and shell.id == "get_ipython"):
        return None
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if function.attr == "run_line_magic" and len(texts) == 2:
        name, line = texts
        return ([(_drop_options(line), 0)], "") if name in TAKES_CODE_ON_ITS_LINE else ([], line)
    if function.attr == "run_cell_magic" and len(texts) == 3:
        name, line, body = texts
        if name in CODE_MAGICS:
            setup = [(_drop_options(line), 0)] if name in TAKES_CODE_ON_ITS_LINE else []
            return [*setup, (body, 1)], ""
        return [], f"{line}\n{body}"
    return [], "\n".join(texts)


def _drop_options(line: str) -> str:
    """The statement after a magic's options, as in `-n 10 -r3 f()`."""
    return re.sub(r"^(\s*-(?:[a-zA-Z]+\s*\d+|[a-zA-Z]+(?![\w.(])))+\s*", "", line).strip()

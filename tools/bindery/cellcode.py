"""Reads the Python of a cell after IPython's input transformer: text in, syntax tree out."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

CODE_MAGICS = frozenset({"time", "timeit", "prun", "capture", "memit", "mprun", "lprun"})
"""Magics whose text, or whose cell's body, is Python."""
TAKES_CODE_ON_ITS_LINE = CODE_MAGICS - {"capture"}


@lru_cache(maxsize=4096)
def to_python(source: str) -> str:
    """What IPython would run for a cell; a cell that is plain Python stays as it is."""
    try:
        ast.parse(source)
        return source
    except (SyntaxError, ValueError):
        from IPython.core.inputtransformer2 import TransformerManager  # slow import, rarely needed

        blank = len(source) - len(source.lstrip("\n"))
        transformed: str = TransformerManager().transform_cell(source[blank:])  # type: ignore[no-untyped-call]  # IPython has no types here
        return "\n" * blank + transformed


@lru_cache(maxsize=4096)
def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell; raises SyntaxError where even IPython could not run it."""
    return ast.parse(to_python(source))


def magic_code(call: ast.Call) -> tuple[list[str], str] | None:
    """For a call of a magic: the Python texts in it, and the rest that is not Python; None for other calls."""
    function = call.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call)):
        return None
    shell = function.value.func
    if not (isinstance(shell, ast.Name) and shell.id == "get_ipython"):
        return None
    texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if function.attr == "run_line_magic" and len(texts) == 2:
        name, line = texts
        return ([_drop_options(line)], "") if name in TAKES_CODE_ON_ITS_LINE else ([], line)
    if function.attr == "run_cell_magic" and len(texts) == 3:
        name, line, body = texts
        if name in CODE_MAGICS:
            setup = [_drop_options(line)] if name in TAKES_CODE_ON_ITS_LINE else []
            return [*setup, body], ""
        return [], f"{line}\n{body}"
    return [], "\n".join(texts)


def _drop_options(line: str) -> str:
    """The statement after a magic's options, as in `-n 10 -r3 f()`."""
    return re.sub(r"^(\s*-(?:[a-zA-Z]+\s*\d+|[a-zA-Z]+(?![\w.(])))+\s*", "", line).strip()

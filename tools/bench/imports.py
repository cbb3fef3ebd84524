"""How long it takes to import the library, beside what it imports."""

from __future__ import annotations

import ast
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bindery.book import read_book
from bindery.files import write_tree_once
from bindery.tangle import tangle

TIMES = 9


def library_import(root: Path, folder: Path) -> tuple[float, float]:
    """The seconds of processor time, medians of some runs in turn, that the library's dependencies and itself take."""
    library = tangle(read_book(root))
    write_tree_once(folder, {path: text.encode() for path, text in library.files.items()})
    alone = dependencies(library.files[path] for path in library.lines)
    codes = (alone, "from d2l import torch")
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(TIMES + 1):
        for code, kept in zip(codes, seconds, strict=True):
            before = _used()
            subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(folder)})
            if turn:  # the first one writes bytecode and fills the system's cache
                kept.append(_used() - before)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def dependencies(modules: Iterable[str]) -> str:
    """The imports of other packages in modules, as a program."""
    found = {
        ast.unparse(node)
        for text in modules
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom) and "d2l" not in ast.unparse(node)
    }
    return "\n".join(sorted(found))


def _used() -> float:
    """The processor time of all programs that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

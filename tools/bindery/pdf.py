"""The PDF: runs xelatex on what Sphinx wrote for it, as often as its page numbers need, and says what is wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from bindery import files
from bindery.latexlog import complaints, pictures_missing
from bindery.model import Problem
from bindery.site import HOME

PASSES = 8
"""Runs of LaTeX after which numbers of pages that still change are a problem; from the start, four are usual."""

EPOCH = "1577836800"
"""The second at which every PDF claims to have been made: the same content gives the same bytes."""

STATE = ("aux", "toc", "out", "ind")
"""What a run of LaTeX leaves for the next: labels with their pages, contents, bookmarks, the sorted index."""


def typeset(root: Path, folder: Path) -> list[Problem]:
    """Make `folder/book.pdf` of `folder/book.tex`, or say what is wrong with the chapters."""
    text = (folder / "book.tex").read_text(encoding="utf-8")
    sources = _sources(root)
    problems = list(pictures_missing(text, sources))
    if problems:
        return problems
    # The labels of the PDF before are nearly those of this one: where no page moved, a single run is enough.
    kept = (folder / "book.aux").is_file()
    status, steady = _runs(folder)
    if status and kept:  # they may not fit what is there now
        status, steady = _runs(folder)
    log = _read(folder / "book.log")
    problems = sorted(set(complaints(log, text, sources, finished=not status)))
    if status and not problems:
        problems = [Problem(HOME, "latex", f"LaTeX ended with status {status}", "\n".join(log.splitlines()[-15:]))]
    if not problems and not steady:
        problems = [Problem(HOME, "latex", f"the numbers of pages still change after {PASSES} runs of xelatex")]
    if not problems and _run(folder, "xdvipdfmx", "-q", "-o", "book.pdf", "book.xdv"):
        problems = [Problem(HOME, "latex", "xdvipdfmx could not make a PDF of what xelatex wrote")]
    return problems


def _runs(folder: Path) -> tuple[int, bool]:
    """Run LaTeX until what it leaves for its next run stays as it is; its last status, and whether that was reached."""
    state = _state(folder)
    for _ in range(PASSES):
        status = _run(folder, "xelatex", "-no-pdf", "-interaction=batchmode", "-file-line-error", "book.tex")
        status = status or _sort_index(folder)
        if status:
            for suffix in STATE:
                files.remove(folder / f"book.{suffix}")
            return status, False
        before, state = state, _state(folder)
        if before == state:
            return 0, True
    return 0, False


def _sort_index(folder: Path) -> int:
    """Let makeindex sort what the pages ask the index to list; gives its status."""
    if _bytes(folder / "book.idx"):
        return _run(folder, "makeindex", "-q", "-s", "bindery.ist", "book.idx")
    files.remove(folder / "book.ind")
    return 0


def _state(folder: Path) -> bytes:
    return hashlib.sha256(b"".join(_bytes(folder / f"book.{suffix}") for suffix in STATE)).digest()


def _sources(root: Path) -> dict[str, str]:
    paths = [path for path in (root / "chapters").rglob("*") if path.suffix in (".md", ".ipynb")]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8", errors="replace") for path in paths}


def _run(folder: Path, *command: str) -> int:
    # LaTeX breaks the lines of its log at 79 characters unless told otherwise, and fontconfig keeps a cache at home.
    settings = {"SOURCE_DATE_EPOCH": EPOCH, "FORCE_SOURCE_DATE": "1", "max_print_line": "20000", "HOME": str(folder)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEX", "XDG_"))}
    return subprocess.run(
        command, cwd=folder, env=environment | settings, stdin=subprocess.DEVNULL, capture_output=True, check=False
    ).returncode


def _read(path: Path) -> str:
    return _bytes(path).decode(errors="replace")


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""

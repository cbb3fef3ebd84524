"""The PDF: runs xelatex on what Sphinx wrote for it, and turns what it complains of into problems of the chapters."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bindery import files
from bindery.model import Location, Problem
from bindery.site import HOME, Complaint, exact_line

PACKAGES = (
    "texlive-xetex",
    "texlive-latex-extra",
    "texlive-fonts-recommended",
    "fonts-texgyre",
    "fonts-texgyre-math",
    "fonts-dejavu-core",
    "librsvg2-bin",
)
"""What Debian and Ubuntu call what the PDF needs."""

INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES)
PROGRAMS = ("xelatex", "xdvipdfmx", "rsvg-convert")
INPUTS = (
    "unicode-math.sty",
    "polyglossia.sty",
    "titlesec.sty",
    "tabulary.sty",
    "pzdr.tfm",
    "texgyrepagella-regular.otf",
    "texgyreheros-regular.otf",
    "texgyrepagella-math.otf",
    "DejaVuSansMono.ttf",
)
"""Files that LaTeX must find; each stands for the package that brings it."""

PASSES = 6
"""Runs of LaTeX after which numbers of pages that still change are a problem; three are usual."""

EPOCH = "1577836800"
"""The second at which every PDF claims to have been made: the same content gives the same bytes."""

OVERFULL = 1.0
"""Points that a line may be wider than the text."""

MARK = re.compile(r"^%@ (?P<page>.+):(?P<line>\d+)$")
ERROR = re.compile(r"^(?:\./)?book\.tex:(?P<line>\d+): (?P<message>.*)$")
STYLE_ERROR = re.compile(r"^(?P<file>[^\s:]+\.(?:sty|cls|tex|toc|aux|out)):(?P<line>\d+): (?P<message>.*)$")
SHOWN = re.compile(r"^l\.\d+ ?(?P<text>.*)$")
MISSING = re.compile(r"Missing character: There is no (?P<character>.) ")
WIDE = re.compile(r"^Overfull \\[hv]box \((?P<points>[\d.]+)pt too (?P<what>wide|high)\).*?(?:at lines?) (?P<line>\d+)")
WARNED = re.compile(r"^LaTeX Warning: (?P<message>.*(?:undefined|multiply defined|too large).*?)\.?$")
INPUT_LINE = re.compile(r" on input line (?P<line>\d+)")
NO_IMAGE = re.compile(r"(?:<|\\PYGZlt\{\}|\\textless\{\})Figure size ")


def missing() -> list[str]:
    """The programs and files that the PDF needs and this machine lacks."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    finder = shutil.which("kpsewhich")
    if finder is None:
        return [*absent, "kpsewhich"]
    found = subprocess.run([finder, *INPUTS], capture_output=True, text=True, check=False).stdout.split()
    return absent + sorted(set(INPUTS) - {Path(path).name for path in found})


def lacking() -> list[Problem]:
    """What to do on a machine that lacks something."""
    absent = missing()
    command = " ".join(INSTALL)
    message = f"the PDF needs LaTeX, and {', '.join(absent)} cannot be found; on Debian or Ubuntu: sudo {command}"
    return [Problem(HOME, "no-latex", message)] if absent else []


def provide(say: Callable[[str], None]) -> list[Problem]:
    """Install what is missing where nobody has to be asked: as root, on Debian and its like."""
    may_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None
    if not missing() or not may_install:
        return lacking()
    say("LaTeX: apt-get is installing it, about 350 MB, once")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # The lists of a fresh machine are empty; where they cannot be had, what there is may do.
    subprocess.run(["apt-get", "update"], capture_output=True, env=environment, check=False)
    done = subprocess.run(INSTALL, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        message = f"apt-get ended with status {done.returncode}; the command was: {' '.join(INSTALL)}"
        return [Problem(HOME, "no-latex", message, done.stderr.strip())]
    return lacking()


def typeset(root: Path, folder: Path, output: Path) -> list[Problem]:
    """Typeset `folder/book.tex` and, if nothing is wrong, put the PDF where `output` says; else leave that alone."""
    text = (folder / "book.tex").read_text(encoding="utf-8")
    sources = _sources(root)
    problems = list(pictures_missing(text, sources))
    if problems:
        return problems
    # What an earlier run left behind might not fit what is there now.
    for suffix in ("aux", "toc", "out", "log", "xdv", "pdf"):
        files.remove(folder / f"book.{suffix}")
    state = b""
    for _ in range(PASSES):
        status = _run(folder, "xelatex", "-no-pdf", "-interaction=nonstopmode", "-file-line-error", "book.tex")
        log = _read(folder / "book.log")
        before, state = (
            state,
            hashlib.sha256(b"".join(_bytes(folder / f"book.{s}") for s in ("aux", "toc", "out"))).digest(),
        )
        if status or before == state:
            break
    problems = sorted(set(complaints(log, text, sources, finished=not status)))
    if status and not problems:
        problems = [Problem(HOME, "latex", f"xelatex ended with status {status}", "\n".join(log.splitlines()[-15:]))]
    if not problems and before != state:
        problems = [Problem(HOME, "latex", f"the numbers of pages still change after {PASSES} runs of xelatex")]
    if not problems and _run(folder, "xdvipdfmx", "-q", "-o", "book.pdf", "book.xdv"):
        problems = [Problem(HOME, "latex", "xdvipdfmx could not make a PDF of what xelatex wrote")]
    if not problems:
        files.write_if_changed(output, (folder / "book.pdf").read_bytes())
    return problems


def complaints(log: str, text: str, sources: Mapping[str, str], finished: bool = True) -> Iterator[Problem]:
    """What is wrong by LaTeX's log: its errors, or once there are none, lines too wide and references to nothing."""
    lines, tex = log.splitlines(), text.splitlines()
    for number, line in enumerate(lines):
        error, style, wide, warned = (pattern.match(line) for pattern in (ERROR, STYLE_ERROR, WIDE, WARNED))
        if error:
            shown = next((SHOWN.match(after) for after in lines[number : number + 12] if SHOWN.match(after)), None)
            yield _problem(int(error["line"]), error["message"], shown["text"] if shown else "", tex, sources)
        elif style:
            yield Problem(HOME, "latex", f"{style['file']}:{style['line']}: {style['message']}")
        elif finished and wide and float(wide["points"]) > OVERFULL:
            what = f"{float(wide['points']):.0f} points {'wider' if wide['what'] == 'wide' else 'higher'}"
            message = f"on paper this is {what} than there is room"
            yield _located(int(wide["line"]), Complaint("", 0, "bindery.too-wide", message), tex, sources)
        elif finished and warned:
            at = INPUT_LINE.search(line)
            complaint = Complaint("", 0, "bindery.latex", warned["message"])
            yield _located(int(at["line"]) if at else 1, complaint, tex, sources)


def pictures_missing(text: str, sources: Mapping[str, str]) -> Iterator[Problem]:
    """Outputs of which LaTeX would print the words that stand for a picture."""
    tex = text.splitlines()
    for number, line in enumerate(tex, start=1):
        if NO_IMAGE.search(line):
            message = "this output is a picture in no format that LaTeX can include (SVG, PNG, JPEG or PDF)"
            yield _located(number, Complaint("", 0, "bindery.no-picture", message), tex, sources)


def _problem(number: int, message: str, shown: str, tex: Sequence[str], sources: Mapping[str, str]) -> Problem:
    absent = MISSING.search(message)
    if absent:
        said = f"no font of the PDF has the character '{absent['character']}' (U+{ord(absent['character']):04X})"
        return _located(number, Complaint("", 0, "bindery.missing-character", said), tex, sources)
    # LaTeX shows the line up to what it stumbled over: the last command in it is what an author can look for.
    last = re.search(r"\\[A-Za-z]+\*?$", shown.strip()) or re.search(r"\S{1,40}$", shown.strip())
    said = f"LaTeX: {message}" + (f" at '{last[0]}'" if last else "")
    return _located(number, Complaint("", 0, "bindery.latex", said), tex, sources)


def _located(number: int, complaint: Complaint, tex: Sequence[str], sources: Mapping[str, str]) -> Problem:
    """The complaint on a line of the LaTeX file as a problem of the chapter that the last mark before it names."""
    marks = (MARK.match(line) for line in reversed(tex[:number]))
    mark = next((mark for mark in marks if mark), None)
    found = mark and next((p for s in (".md", ".ipynb") if (p := f"chapters/{mark['page']}{s}") in sources), None)
    if not mark or not found:
        return Problem(HOME, complaint.rule, complaint.message)
    located = Complaint(found, int(mark["line"]), complaint.kind, complaint.message)
    return Problem(Location(found, exact_line(located, sources[found].splitlines())), complaint.rule, complaint.message)


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

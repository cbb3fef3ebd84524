"""LaTeX on this machine: what the PDF needs of it, what is missing, and how to get that."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bindery.model import Problem
from bindery.site import HOME

PACKAGES = (
    "texlive-xetex",
    "texlive-latex-extra",
    "texlive-fonts-recommended",
    "fonts-texgyre",
    "fonts-texgyre-math",
    "fonts-dejavu-core",
    "fonts-wqy-microhei",
    "librsvg2-bin",
)
"""What Debian and Ubuntu call what the PDF needs."""

INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES)
PROGRAMS = ("xelatex", "xdvipdfmx", "makeindex", "rsvg-convert")
INPUTS = (
    "unicode-math.sty",
    "polyglossia.sty",
    "titlesec.sty",
    "qrcode.sty",
    "tabulary.sty",
    "pzdr.tfm",
    "texgyrepagella-regular.otf",
    "texgyreheros-regular.otf",
    "texgyrepagella-math.otf",
    "DejaVuSansMono.ttf",
    "wqy-microhei.ttc",
)
"""Files that LaTeX must find; each stands for the package that brings it."""


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

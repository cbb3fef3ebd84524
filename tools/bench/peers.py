"""The programs that bindery is measured beside, each in a virtual environment of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement

NBCONVERT = ("nbconvert", "ipykernel")
MYST_NB = ("myst-nb", "myst-parser", "sphinx", "docutils", "pydata-sphinx-theme", "ipykernel")
BOOK = ("sphinx-copybutton", "sphinx-design", "sphinx-exercise", "sphinx-book-theme", "sphinxcontrib-bibtex")
"""What Sphinx needs to read the real book."""

SECTIONS = ("torch", "torchvision", "matplotlib", "matplotlib-inline", "bindery")
"""What sections import."""


def environment(folder: Path, packages: Collection[str]) -> Path:
    """Make a virtual environment with these packages, in the versions that bindery has; gives its programs' folder.

    What sections import is linked into it and not installed again, since PyTorch takes minutes and gigabytes.
    """
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pinned = [f"{name}=={version(name)}" for name in packages]
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *pinned], check=True, stderr=subprocess.DEVNULL)
    links = folder / "links"
    links.mkdir()
    for name in _closure(SECTIONS):
        for top in _tops(name):
            if not (links / top.name).exists():
                (links / top.name).symlink_to(top)
    site = next(folder.glob("lib/python*/site-packages"))
    # At the end of the path, so that what was installed here goes first.
    (site / "links.pth").write_text(f"{links}\n", encoding="utf-8")
    return folder / "bin"


def _closure(names: Collection[str]) -> set[str]:
    """These distributions and all that they require."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:  # for another system, say
            continue
        found.add(name)
        needed = (Requirement(text) for text in requires)
        waiting += [each.name for each in needed if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def _tops(name: str) -> set[Path]:
    """The files and folders of a distribution that stand directly where packages are installed."""
    tops = set()
    for file in distribution(name).files or ():
        path = Path(str(distribution(name).locate_file("")))
        if file.parts[0] not in ("..", "__pycache__") and (path / file.parts[0]).exists():
            tops.add(path / file.parts[0])
    if name == "bindery":  # installed as editable
        tops.add(Path(__file__).resolve().parents[1] / "bindery")
    return {top for top in tops if not top.name.endswith(".pth")}

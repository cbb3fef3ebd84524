"""Names what products are made from, so that one is made again if, and only if, something of that is another."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping
from pathlib import Path

MAKERS = ("sphinx", "myst-nb", "myst-parser", "docutils", "pydata-sphinx-theme", "sphinx-exercise")
"""Distributions that make pages."""

OWN = ("beside.py", "bundle.py", "imprint.py", "notebooks.py", "offprints.py", "pdf.py")
"""Modules of bindery that have a part in them, besides `sphinxext`."""


def page_inputs(root: Path, pages: Mapping[str, bytes]) -> str:
    """Names all that website, PDF and EPUB are made from: pages, settings, bindery's own part in them, versions."""
    here = Path(__file__).parent
    own = [*(here / name for name in OWN), *sorted((here / "sphinxext").rglob("*"))]
    sources = [("conf.py", root / "conf.py"), *((path.name, path) for path in own if path.is_file())]
    parts: Iterable[tuple[str, bytes]] = [
        *sorted(pages.items()),
        *((name, path.read_bytes()) for name, path in sources if path.suffix != ".pyc" and path.is_file()),
        *((name, importlib.metadata.version(name).encode()) for name in MAKERS),
    ]
    return digest_of(parts)


def written_inputs(root: Path) -> str:
    """Names all that authors write."""
    paths = [root / "conf.py", *sorted((root / "chapters").rglob("*"))]
    return digest_of((str(path.relative_to(root)), path.read_bytes()) for path in paths if path.is_file())


def digest_of(parts: Iterable[tuple[str, bytes]]) -> str:
    """Names what files of these names and contents make together."""
    digest = hashlib.sha256()
    for name, content in parts:
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()

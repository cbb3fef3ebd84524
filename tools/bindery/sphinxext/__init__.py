"""What happens inside Sphinx: formulas, solutions, the list of chapters, the book as LaTeX and EPUB, stale pages."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from myst_nb.sphinx_ import SphinxNbRenderer  # type: ignore[import-untyped]  # it has no types
from sphinx.application import Sphinx

from bindery.sphinxext import (
    assets,
    bookindex,
    boxes,
    cards,
    citations,
    defaults,
    drawings,
    ebook,
    folds,
    formulas,
    items,
    labels,
    latex,
    library,
    machines,
    notebook,
    outdated,
    pages,
    pictures,
    sections,
    solutions,
)

TOOLS = ("sphinx", "docutils", "myst-nb", "myst-parser", "pydata-sphinx-theme", "sphinx-design", "sphinx-exercise")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect everything to Sphinx."""
    defaults.set_defaults(app)
    # Sphinx keeps what it read; it must not keep what another version of the tools would have read differently.
    app.add_config_value("bindery_toolchain", toolchain(), "env", str)
    app.add_config_value("bindery_parts", (), "html", tuple)
    app.add_config_value("katex_macros", {}, "env", dict)
    # MyST labels an unlabelled numbered equation with a random number: the page would differ at every build.
    SphinxNbRenderer._random_label = _steady_label
    assets.connect(app)
    bookindex.connect(app)
    boxes.connect(app)
    cards.connect(app)
    citations.connect(app)
    drawings.connect(app)
    ebook.connect(app)
    formulas.connect(app)
    items.connect(app)
    folds.connect(app)
    labels.connect(app)
    latex.connect(app)
    library.connect(app)
    machines.connect(app)
    notebook.connect(app)
    outdated.connect(app)
    pages.connect(app)
    pictures.connect(app)
    sections.connect(app)
    solutions.connect(app)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}


def toolchain() -> str:
    """A digest of this extension's code and of the versions of what renders the pages."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(repr([(name, version(name)) for name in TOOLS]).encode())
    return digest.hexdigest()[:16]


def _steady_label(renderer: SphinxNbRenderer) -> str:
    env = renderer.sphinx_env
    assert env is not None
    return f"amsmath-{env.docname}-{env.new_serialno('amsmath')}"

"""Finishes the notebooks that readers run: pages in, files out. Pure.

What stands in them comes from Sphinx, by `sphinxext.notebook`; added here is what depends on library and versions.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bindery.model import Book, Execution, Section
from bindery.settings import Facts
from bindery.weave import to_bytes

EPOCH = (2020, 1, 1, 0, 0, 0)
"""The date that every file of the archive bears: the same content gives the same bytes."""

NOTEBOOK_FOLDER = "notebook"
"""Where Sphinx writes them, beside the website's own output."""

WITHOUT_OUTPUTS, SCRIPTS = "without-outputs", "scripts"
"""The archive's folders for the other forms of the same notebooks."""

UNPUBLISHED = "bindery"
"""What sections about the book itself import, and no package index has."""

LIBRARY = re.compile(r"\bd2l\b")

WHERE_PLOTS_APPEAR = re.compile(r"^get_ipython\(\)\.run_line_magic\('matplotlib', '(\w+)'\)$", re.MULTILINE)

FIRST_CELL = """\
# The library d2l {version}, which belongs to this notebook: installed if there is none
import subprocess
import sys
from importlib import metadata
from pathlib import Path

try:
    found = metadata.version('d2l')
except metadata.PackageNotFoundError:
    wheels = [path / '{name}' for path in Path.cwd().parents]
    source = next(filter(Path.exists, wheels), '{source}')
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', source],
                   check=True)
    found = metadata.version('d2l')
if found != '{version}':
    raise ImportError(
        f'd2l {{found}} is installed, this notebook is of d2l {version}. (The d2l '
        'of the package index is an older library.) Do: pip uninstall d2l, '
        'restart the kernel, run this cell again.')"""


@dataclass(frozen=True)
class Wheel:
    """The library as notebooks ask for it."""

    name: str
    version: str
    sha256: str
    url: str = ""
    """Where readers who have nothing but the notebook get it."""

    @property
    def source(self) -> str:
        """What pip installs where the wheel does not lie beside the notebooks."""
        return f"d2l @ {self.url}#sha256={self.sha256}" if self.url else self.name


def wheel_name(facts: Facts) -> str:
    """The file name of the book's wheel."""
    return f"d2l-{facts.version}-py3-none-any.whl"


def reader_notebooks(
    book: Book, executions: Mapping[str, Execution], pages: Mapping[str, bytes], wheel: Wheel
) -> dict[str, bytes]:
    """One runnable notebook for each section with code, by relative path; `pages` are what Sphinx made of them."""
    return {
        f"{section.name}.ipynb": to_bytes(_finished(section, json.loads(pages[section.name]), wheel))
        for section in book.sections()
        if section.name in executions
    }


def _finished(section: Section, notebook: dict[str, Any], wheel: Wheel) -> dict[str, Any]:
    cells = notebook["cells"]
    if any(LIBRARY.search(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
        source = FIRST_CELL.format(name=wheel.name, version=wheel.version, source=wheel.source)
        code: dict[str, Any] = {
            "id": "library",
            "cell_type": "code",
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        cells = [{**code, "metadata": {"tags": ["library"], "jupyter": {"source_hidden": True}}}, *cells]
    metadata = {**notebook["metadata"], "bindery": {"path": section.path, "version": wheel.version}}
    if section.settings.quick:
        metadata["bindery"]["quick"] = section.settings.quick
    metadata["colab"] = {"provenance": []}
    if section.settings.gpus:
        metadata["accelerator"] = "GPU"
    return {**notebook, "cells": cells, "metadata": metadata}


def without_outputs(notebook: bytes) -> bytes:
    """The same notebook before anything was run."""
    content = json.loads(notebook)
    cleared: dict[str, Any] = {"outputs": [], "execution_count": None}
    content["cells"] = [cell | cleared if cell["cell_type"] == "code" else cell for cell in content["cells"]]
    return to_bytes(content)


def script(notebook: bytes) -> bytes:
    """The code of a notebook as nbconvert writes it, with its text in comments.

    Magics become calls of IPython, but for the one that says where plots appear: a script has no such place.
    """
    import nbformat
    from nbconvert.exporters.python import PythonExporter  # with its templates, nothing that other commands need

    node = nbformat.reads(notebook.decode(), as_version=4)  # type: ignore[no-untyped-call]
    text, _ = PythonExporter().from_notebook_node(node)  # type: ignore[no-untyped-call]
    return WHERE_PLOTS_APPEAR.sub(r"# %matplotlib \1", str(text)).encode()


def runs_anywhere(execution: Execution) -> bool:
    """Whether a section needs only what a package index and the wheel can give."""
    return UNPUBLISHED not in versions(execution)


def versions(execution: Execution) -> dict[str, str]:
    """The distributions that a section imported when it was run."""
    facts = execution.notebook["metadata"].get("bindery", {}).get("execution", {})
    return {name: text for name, text in facts.get("environment", {}).items() if name not in ("python", "device")}


def archive(files: Mapping[str, bytes], first: str = "") -> bytes:
    """A zip of these files, in order of their paths; the one that is to be `first` is that, and not compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for path, content in sorted(files.items(), key=lambda item: (item[0] != first, item[0])):
            member = zipfile.ZipInfo(path, EPOCH)
            member.external_attr = 0o644 << 16
            target.writestr(member, content, zipfile.ZIP_STORED if path == first else zipfile.ZIP_DEFLATED)
    return stream.getvalue()

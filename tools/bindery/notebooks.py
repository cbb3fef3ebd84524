"""Makes the notebooks that readers run: book and executions in, files and an archive of them out. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from bindery.library import Library
from bindery.model import Book, Execution
from bindery.weave import is_note, to_bytes, weave_notebook

EPOCH = (2020, 1, 1, 0, 0, 0)
"""The date that every file of the archive bears: the same content gives the same bytes."""


def reader_notebooks(book: Book, library: Library, executions: Mapping[str, Execution]) -> dict[str, bytes]:
    """One runnable notebook for each section with code, by relative path: the text's own values, the stored outputs."""
    notebooks = {}
    for section in book.sections():
        execution = executions.get(section.name)
        if execution:
            page = weave_notebook(section, execution, library)
            page["cells"] = [_reader_cell(cell) for cell in page["cells"]]
            del page["metadata"]["source_map"]
            notebooks[f"{section.name}.ipynb"] = to_bytes(page)
    return notebooks


def _reader_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell without the metadata that only the website needs; a note of ours becomes a quotation."""
    tags = [tag for tag in cell["metadata"].get("tags", []) if tag != "hide-cell"]
    source = cell["source"]
    if is_note(cell["id"]):
        source = "\n".join(f"> {line}" for line in source.split("\n")[1:-1])
    return {**cell, "source": source, "metadata": {"tags": tags} if tags else {}}


def archive(files: Mapping[str, bytes], first: str = "") -> bytes:
    """A zip of these files, in order of their paths; the one that is to be `first` is that, and not compressed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for path, content in sorted(files.items(), key=lambda item: (item[0] != first, item[0])):
            member = zipfile.ZipInfo(path, EPOCH)
            member.external_attr = 0o644 << 16
            target.writestr(member, content, zipfile.ZIP_STORED if path == first else zipfile.ZIP_DEFLATED)
    return stream.getvalue()

"""Weaves sections and their executions into the pages that Sphinx reads: book and executions in, files out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bindery.cache import injected_cell
from bindery.library import Library
from bindery.model import Book, Cell, Execution, Section
from bindery.reference import reference_pages, saved_notes, users_of
from bindery.saved import SavedBlock

INJECTED_ID = "injected"
CLAIM = {"code_prompt_show": "check", "code_prompt_hide": "check"}
"""What the fold says under which a claim's code lies."""


def weave(book: Book, library: Library, executions: Mapping[str, Execution]) -> dict[str, bytes]:
    """All of `build/source` by relative path: pages with their outputs, and every other file of the chapters."""
    pages = reference_pages(book, library)
    users = users_of(book)
    for section in book.pages():
        execution = executions.get(section.name)
        source = book.root / section.path
        if execution:
            notebook = weave_notebook(section, execution, library, users)
            pages[f"{section.name}.ipynb"] = to_bytes(notebook)
        elif section.path.endswith(".ipynb"):
            pages[f"{section.name}.ipynb"] = to_bytes(_page_without_code(section))
        else:
            pages[f"{section.name}.md"] = source.read_bytes()
    chapters = book.root / "chapters"
    for file in sorted(chapters.rglob("*")):
        name = file.relative_to(chapters).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if file.is_file() and file.suffix not in (".md", ".ipynb") and not hidden:
            pages[name] = file.read_bytes()
    return pages


def weave_notebook(
    section: Section, execution: Execution, library: Library, users: Mapping[str, list[Section]] | None = None
) -> dict[str, Any]:
    """The section's page: its own prose, its code with the stored outputs, and notes on how they were made.

    With the `users` of each name of the library, saved code has a note that says who uses it.
    """
    saved = _saved(section, library)
    overrides = _overrides(saved)
    injected = injected_cell(section, profile_of(execution))
    outputs = outputs_of(execution)
    cells: list[dict[str, Any]] = []
    lines: list[int] = []
    notice = quick_or_standin(section, execution)
    for index, cell in enumerate(section.cells):
        cells.append(_page_cell(cell, f"cell-{index}", outputs))
        notes = []
        if notice and cell.kind == "markdown":
            notes.append(_note("quick-note", notice))  # after the opening, before any output
            notice = ""
        if injected and index == injected.after:
            notes.append(_note("quick-note", quick_note(injected.values)))
        if index in overrides:
            notes.append(_note("override-note", overrides[index]))
        if users is not None and (text := saved_notes(saved.get(index, []), users)):
            notes.append(_note("saved-note", f"In the library: {text}."))
        cells += [_markdown(text, f"note-{index}-{count}") for count, text in enumerate(notes)]
        # MyST-NB adds one to what the map says, and a cell's own lines count from one.
        lines += [cell.location.line - 2] * (1 + len(notes))
    cells.append(_markdown(_note("provenance", provenance(execution)), "provenance"))
    lines.append(section.cells[-1].location.line - 2)
    return {
        "cells": cells,
        "metadata": {**notebook_metadata(), "source_map": lines, "bindery": {"path": section.path}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_metadata() -> dict[str, Any]:
    """The metadata that every notebook of the book has."""
    return {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }


def outputs_of(execution: Execution) -> Iterator[dict[str, Any]]:
    """The code cells of the stored notebook in order, the injected one left out."""
    for cell in execution.notebook["cells"]:
        if cell["cell_type"] == "code" and cell["id"] != INJECTED_ID:
            yield cell


def profile_of(execution: Execution) -> str:
    """The profile that made an execution."""
    facts = execution.notebook["metadata"].get("bindery", {}).get("execution", {})
    return str(facts.get("profile", "quick"))


def quick_note(values: Mapping[str, Any]) -> str:
    """What profile quick put in place of the text's values."""
    listed = ", ".join(f"`{name} = {value!r}`" for name, value in values.items())
    return f"The outputs of this section were made with {listed}."


def quick_or_standin(section: Section, execution: Execution) -> str:
    """What a reader should know before any output: that it comes from smaller values or from drawn data."""
    facts = execution.notebook["metadata"].get("bindery", {}).get("execution", {})
    drawn = _data_of(facts).get("stand-in", "")
    told = []
    if section.settings.quick and profile_of(execution) == "quick":
        told.append("a quick run with smaller values than the text's")
    if drawn:
        told.append(f"stand-in data (drawn in place of `{drawn}`)")
    return f"Outputs here are from {' and '.join(told)}: they show that the code works, not how well." if told else ""


def provenance(execution: Execution) -> str:
    """What the stored execution says of itself: profile, data, device, versions, seconds."""
    facts = execution.notebook["metadata"].get("bindery", {}).get("execution", {})
    environment = dict(facts.get("environment", {}))
    python = environment.pop("python", "")
    device = environment.pop("device", execution.device)
    versions = ", ".join([f"Python {python}", *(f"{name} {version}" for name, version in sorted(environment.items()))])
    data = "".join(f" · {kind} data: {names}" for kind, names in _data_of(facts).items())
    seconds = f"{facts.get('seconds', execution.seconds):.1f}\N{NO-BREAK SPACE}s"
    profile = profile_of(execution)
    # Quick is what every machine can check; nothing was seen of the values that the text gives for full.
    unseen = " (profile full unverified)" if profile == "quick" else ""
    return f"Outputs: profile {profile}{unseen}{data} · {device.upper()} · {versions} · {seconds}"


def _data_of(facts: Mapping[str, Any]) -> dict[str, str]:
    """The data sets that an execution used, by whether they were real or stand-ins."""
    kinds: dict[str, list[str]] = {}
    for name, kind in sorted(facts.get("data", {}).items()):
        kinds.setdefault(kind, []).append(name)
    return {kind: ", ".join(names) for kind, names in kinds.items()}


def _saved(section: Section, library: Library) -> dict[int, list[SavedBlock]]:
    """By the index of its cell, what this section saves."""
    found: dict[int, list[SavedBlock]] = {}
    for block in library.blocks:
        if block.section.path == section.path:
            index = max(i for i, cell in enumerate(section.cells) if cell.location <= block.location)
            found.setdefault(index, []).append(block)
    return found


def _overrides(saved: Mapping[int, list[SavedBlock]]) -> dict[int, str]:
    """By the index of its cell, what a reader must know of saved code that this section replaces."""
    notes = {}
    for index, blocks in saved.items():
        names = [
            f"`d2l.{block.of}.{block.names[0]}`" if block.of else f"`d2l.{block.names[0]}`"
            for block in blocks
            if block.override
        ]
        if names:
            notes[index] = f"In the library, this takes the place of the earlier {' and '.join(names)}."
    return notes


def _page_cell(cell: Cell, identity: str, outputs: Iterator[dict[str, Any]]) -> dict[str, Any]:
    if cell.kind == "markdown":
        return _markdown(cell.source, identity)
    stored = next(outputs)
    metadata: dict[str, Any] = {**cell.options, "tags": list(cell.tags)}
    if "claim" in cell.tags:
        metadata["tags"].append("hide-cell")
        metadata["mystnb"] = {**CLAIM, **metadata.get("mystnb", {})}
    return {
        "id": identity,
        "cell_type": "code",
        "metadata": metadata,
        "source": cell.source,
        "execution_count": stored.get("execution_count"),
        "outputs": stored["outputs"],
    }


def _markdown(text: str, identity: str) -> dict[str, Any]:
    return {"id": identity, "cell_type": "markdown", "metadata": {}, "source": text}


def _note(kind: str, text: str) -> str:
    return f"```{{container}} {kind}\n{text}\n```"


def is_note(identity: str) -> bool:
    """Whether a cell's id is that of a note which weaving added."""
    return identity.startswith("note-") or identity == "provenance"


def _page_without_code(section: Section) -> dict[str, Any]:
    cells = [_markdown(cell.source, f"cell-{index}") for index, cell in enumerate(section.cells)]
    lines = [cell.location.line - 2 for cell in section.cells]
    metadata = {**notebook_metadata(), "source_map": lines, "bindery": {"path": section.path}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def to_bytes(notebook: Mapping[str, Any]) -> bytes:
    """A notebook as a file, the same bytes for the same content."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()

"""What cells give: no more of it than a page can hold, and the same for the same run."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import nbformat
from nbclient import NotebookClient

from bindery.model import runs

MOST_TEXT = 1_000_000
"""Characters that a cell may print; a loop that prints for ever would fill the memory, and the page."""
MOST_DATA = 50_000_000
"""Characters of pictures and other data that a cell may show."""


class LimitedClient(NotebookClient):
    """Collects outputs up to a limit, and says in the output that there was more."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As NotebookClient."""
        super().__init__(*arguments, **options)
        self._taken: Counter[tuple[int, bool]] = Counter()

    def output(
        self, outs: list[nbformat.NotebookNode], msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> nbformat.NotebookNode | None:
        """Take one output, or leave it out if the cell has had its share."""
        content = msg["content"]
        text = msg["msg_type"] == "stream"
        size = len(content["text"]) if text else sum(len(str(part)) for part in content.get("data", {}).values())
        most, what = (MOST_TEXT, "characters of text") if text else (MOST_DATA, "characters of data")
        before = self._taken[cell_index, text]
        self._taken[cell_index, text] += size
        if before + size <= most:
            return super().output(outs, msg, display_id, cell_index)
        if before <= most:
            note = f"\nbindery left out what this cell gave after {most:,} {what}\n"
            kept = content["text"][: most - before] if text else ""
            name = content.get("name", "stderr")
            left_out = {**msg, "msg_type": "stream", "content": {"name": name, "text": kept + note}}
            left_out["header"] = {**msg["header"], "msg_type": "stream"}
            return super().output(outs, left_out, None, cell_index)
        return None


def executable(notebook: nbformat.NotebookNode) -> list[tuple[int, nbformat.NotebookNode]]:
    """The cells that nbclient sends to the kernel, in order, with their indices."""
    return [(index, cell) for index, cell in enumerate(notebook.cells) if runs(cell)]


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Take out of the outputs what differs from run to run without meaning anything."""
    for count, (_, cell) in enumerate(executable(notebook), 1):
        cell.outputs = _merged(cell.outputs)
        if cell.execution_count is not None:
            cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def _merged(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs with each run of stream pieces as one text per stream, standard output first.

    How a stream is cut into pieces, and which stream's piece comes first, is a matter of the kernel's timer.
    """
    merged: list[nbformat.NotebookNode] = []
    for is_stream, group in itertools.groupby(outputs, lambda output: output.output_type == "stream"):
        if not is_stream:
            merged.extend(group)
            continue
        pieces = list(group)
        for name in ("stdout", "stderr"):
            if named := [piece for piece in pieces if piece.name == name]:
                named[0].text = "".join(piece.text for piece in named)
                merged.append(named[0])
    return merged

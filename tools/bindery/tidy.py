"""Keeps the cache of results under a size: what was not used for longest goes first, and never what is in use."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from bindery import files

_RECENT = "recent.json"
"""The file that lists entries, those that were not used for longest first."""


def tidy(folder: Path, used: Collection[str], in_use: Collection[str], limit: int) -> tuple[int, int]:
    """Note which entries a build has used; remove others, the oldest first, until all take at most `limit` bytes.

    Entries are relative paths. Those `in_use` stay, whatever they take. Gives how many were removed, and the bytes
    that are left.
    """
    with files.locked(folder / "locks" / "tidy.lock"):
        sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.glob("??/*/*.ipynb")}
        listed = [name for name in _read(folder / _RECENT) if name in sizes and name not in used]
        # What no list knows was left by an older version, or by a build that was cut off.
        order = [*sorted(sizes.keys() - {*listed, *used}), *listed, *sorted(sizes.keys() & {*used})]
        total, removed = sum(sizes.values()), set()
        for name in order:
            if total <= limit:
                break
            if name not in in_use and name not in used:
                files.remove(folder / name)
                total -= sizes[name]
                removed.add(name)
        left = [name for name in order if name not in removed]
        files.write_if_changed(folder / _RECENT, (json.dumps(left, indent=0) + "\n").encode())
    return len(removed), total


def _read(path: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []

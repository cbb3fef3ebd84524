"""What a shell offers when the user presses the key for completion: commands, options, and names of the book."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argcomplete import autocomplete

Completer = Callable[..., list[str]]
SUFFIXES = (".md", ".ipynb")


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and exit, if it is the shell that asks."""
    autocomplete(parser)


def offer(action: argparse.Action, names: Completer) -> None:
    """Let the shell offer these names for an argument."""
    action.completer = names  # type: ignore[attr-defined]  # what argcomplete looks for


def sections(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """The sections of the book in the folder that is given, by the names of their files: nothing is read."""
    return [f"{folder.name}/{name}" for folder in _chapters(parsed_args) for name in _stems(folder) if name != "index"]


def places(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Chapters and sections."""
    return [*(folder.name for folder in _chapters(parsed_args)), *sections(prefix, parsed_args)]


def _chapters(options: argparse.Namespace) -> list[Path]:
    return sorted(path for path in Path(options.root, "chapters").glob("*") if _stems(path))


def _stems(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*") if path.suffix in SUFFIXES)

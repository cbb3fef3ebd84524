"""Where in the book the library's code comes from: `python -m d2l.origin Trainer.fit`."""

import importlib
import importlib.util
import inspect
import json
import sys
from pathlib import Path
from typing import Any


def find_line(file: str | Path, line: int) -> tuple[str, int] | None:
    """The chapter file and line that a line of a library module was copied from.

    Args: file, the module's path; line, counted from 1.
    Returns: a pair such as ("chapters/gan/gan.md", 112), or None for a line that bindery wrote.
    """
    for first, last, chapter, start in _read_map().get(Path(file).name, []):
        if first <= line <= last:
            return chapter, start + line - first
    return None


def find_name(name: str) -> tuple[str, int, str, str]:
    """The chapter file, line and section of a name such as "plot" or "Trainer.fit".

    Raises AttributeError if the library has no such name, LookupError if the book does not define it.
    """
    found: Any = importlib.import_module("d2l.torch")
    for part in name.split("."):
        found = getattr(found, part)
    getter: Any = found.fget if isinstance(found, property) else found
    found = inspect.unwrap(getter)
    try:
        file, line = inspect.getsourcefile(found) or "", inspect.getsourcelines(found)[1]
    except TypeError:
        raise LookupError(f"{name} is a value; only functions and classes can be found") from None
    origin = find_line(file, line) if Path(file).parent == _folder() else None
    if origin is None:
        raise LookupError(f"{name} comes from {file}, not from the book")
    heading, title = _read_map()["sections"].get(origin[0], ("", ""))
    return (*origin, heading, title)


def _folder() -> Path:
    return Path(__file__).parent / "torch"


def _read_map() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_folder() / "_origin.json").read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Print the origin of each name on the command line; exit code 1 if one is unknown."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m d2l.origin NAME [NAME ...]   (for example Trainer.fit)")
    failed = False
    for name in sys.argv[1:]:
        try:
            chapter, line, heading, title = find_name(name)
        except (AttributeError, LookupError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
        else:
            section = title if heading == title else f"{heading}: {title}"
            print(f"{name}: {chapter}:{line} ({section})")
    sys.exit(failed)


if __name__ == "__main__":
    main()

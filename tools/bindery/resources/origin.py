"""Where in the book the library's code comes from.

`python -m d2l.origin Trainer.fit` tells it of a name. `%load_ext d2l.origin` in a notebook, or `d2l.origin.install()`
in a script, lets tracebacks tell it of each line of the library. Nothing is changed unless you ask.
"""

import importlib
import importlib.util
import inspect
import json
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path, PurePath
from types import TracebackType
from typing import Any

FRAME = re.compile(r'\s*File "?(?P<file>.+?)"?(:|, line )(?P<line>\d+)')
"""How Python and IPython begin a frame of a traceback."""

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


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


def told(frames: Iterable[str]) -> list[str]:
    """Formatted frames of a traceback, those of the library with their origin on a second line."""
    return [_with_origin(frame) for frame in frames]


def install() -> None:
    """Let tracebacks that end a script tell where in the book each line of the library comes from."""
    sys.excepthook = _print_traceback


def load_ipython_extension(shell: Any) -> None:
    """Do the same for tracebacks in a notebook; IPython calls this for `%load_ext d2l.origin`."""
    plain = type(shell.InteractiveTB).structured_traceback

    def structured_traceback(*arguments: Any, **options: Any) -> list[str]:
        return told(plain(shell.InteractiveTB, *arguments, **options))

    shell.InteractiveTB.structured_traceback = structured_traceback


def unload_ipython_extension(shell: Any) -> None:
    """Let tracebacks be as they were; IPython calls this for `%unload_ext d2l.origin`."""
    vars(shell.InteractiveTB).pop("structured_traceback", None)


def _print_traceback(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    text = "".join(told(traceback.TracebackException(kind, error, frames).format()))
    print(text, end="", file=sys.stderr)


def _with_origin(frame: str) -> str:
    first, newline, rest = frame.partition("\n")
    found = FRAME.match(COLOUR.sub("", first))
    if not found or PurePath(found["file"]).parts[-3:-1] != ("d2l", "torch"):
        return frame
    origin = find_line(found["file"], int(found["line"]))
    if origin is None:
        return frame
    return f"{first}\n    {_place(*origin)}{newline}{rest}"


def _place(chapter: str, line: int) -> str:
    """File and line, section, and the address of its page if the book has one."""
    known = _read_map()
    heading, title = known["sections"].get(chapter, ("", ""))
    page = chapter.removeprefix("chapters/").rpartition(".")[0]
    address = f", {known['url'].rstrip('/')}/{page}.html" if known["url"] else ""
    return f"{chapter}:{line} ({heading or title}){address}"


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

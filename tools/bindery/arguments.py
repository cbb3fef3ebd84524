"""What may be written after an option: types for argparse, which say what would be right."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import NoReturn

from bindery.validate import hint

CHOSEN = re.compile(r"'([^']+)'")
CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """One that says of a mistyped command what was meant."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit."""
        found = CHOICE.search(message)
        if found:
            message = f"there is no `{found[1]}` here{hint(found[1], re.findall(CHOSEN, found[2]))}"
        super().error(message)


def one_of(what: str, *names: str) -> Callable[[str], str]:
    """A type for argparse, which checks a default, such as the environment may give, by its type only."""

    def check(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"no {what} is called `{text}`{hint(text, names)}")
        return text

    return check


def gpus(text: str) -> str:
    """GPUs for sections: `auto`, a number, or a list."""
    if text != "auto" and not re.fullmatch(r"\d+(,\d+)*,?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of auto, 0, a number, and a list such as 0,2")
    return text


def size(text: str) -> float:
    """GiB."""
    try:
        size = float(text)
    except ValueError:
        size = -1
    if not 0 <= size < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of GiB")
    return size


def count(text: str) -> int:
    """A number of runs."""
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs, which are 1 or more")
    return int(text)

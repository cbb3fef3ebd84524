"""Checks what authors write in front matter and on cells: data in, settings or tags and problems out."""

from __future__ import annotations

from typing import Any

from bindery.model import Location, Problem
from bindery.settings import SectionSettings
from bindery.validate import LineOf, check, hint

FRONT_MATTER_KEYS = ("kernelspec", "bindery", "jupytext", "myst")
CELL_KEYS = ("tags", "mystnb")
TAGS = (
    *("parameters", "claim", "timing", "asynchronous", "raises-exception", "full-width", "scroll-output"),
    *("hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell"),
    *("remove-stdout", "remove-stderr"),
)


def check_settings(data: Any, path: str, line_of: LineOf) -> tuple[SectionSettings, list[Problem]]:
    """The settings in a section's front matter."""
    if data is None:
        return SectionSettings(), []
    if not isinstance(data, dict):
        return SectionSettings(), [Problem(Location(path, 2), "front-matter", "front matter is not a mapping")]
    problems = [
        Problem(Location(path, line_of((key,))), "front-matter", f"unknown key `{key}`{hint(key, FRONT_MATTER_KEYS)}")
        for key in map(str, data)
        if key not in FRONT_MATTER_KEYS
    ]
    ours = data.get("bindery")
    settings, found = check(
        SectionSettings,
        {} if ours is None else ours,
        path,
        lambda keys: line_of(("bindery", *keys)),
        "front-matter",
    )
    return settings or SectionSettings(), problems + found


def check_cell(data: Any, path: str, line_of: LineOf) -> tuple[tuple[str, ...], dict[str, Any], list[Problem]]:
    """A cell's tags and its other options; unknown ones are problems, since a typing error would do nothing."""
    if data is None:
        return (), {}, []
    if not isinstance(data, dict):
        return (), {}, [Problem(Location(path, line_of(())), "cell-option", "cell options are not a mapping")]
    messages: list[tuple[str, str]] = [
        (key, f"unknown cell option `{key}`{hint(key, CELL_KEYS)}") for key in map(str, data) if key not in CELL_KEYS
    ]
    tags = data.get("tags") or []
    tags = [tags] if isinstance(tags, str) else tags
    if not isinstance(tags, list):
        messages.append(("tags", f"`tags` is a list of words, not {tags!r}"))
        tags = []
    tags = [str(tag) for tag in tags]
    messages += [("tags", f"unknown tag `{tag}`{hint(tag, TAGS)}") for tag in tags if tag not in TAGS]
    options = {key: value for key, value in data.items() if key == "mystnb"}
    if not isinstance(options.get("mystnb", {}), dict):
        messages.append(("mystnb", f"`mystnb` is a mapping, not {options.pop('mystnb')!r}"))
    problems = [Problem(Location(path, line_of((key,))), "cell-option", message) for key, message in messages]
    return tuple(tags), options, problems

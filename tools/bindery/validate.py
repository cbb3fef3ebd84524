"""Checks settings against their models: mapping in, model or problems with file and line out."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from bindery.model import Location, Problem
from bindery.settings import Strict

Model = TypeVar("Model", bound=Strict)
LineOf = Callable[[tuple[int | str, ...]], int]


def hint(word: str, known: Iterable[str]) -> str:
    """What the author may have meant, as the end of a sentence."""
    candidates = sorted(set(known))
    close = difflib.get_close_matches(word, candidates, n=1, cutoff=0.7)
    if close:
        return f"; did you mean `{close[0]}`?"
    return f"; known: {', '.join(f'`{name}`' for name in candidates)}" if candidates else ""


def check(
    model: type[Model], data: object, path: str, line_of: LineOf, rule: str
) -> tuple[Model | None, list[Problem]]:
    """Validate `data`; each error becomes a problem on the line of the key it speaks of."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        problems = []
        for item in error.errors():
            location = Location(path, line_of(item["loc"]))
            key = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                message = f"unknown key `{key}`{hint(str(item['loc'][-1]), _known_keys(model))}"
            elif item["type"] == "missing":
                message = f"`{key}` is missing"
            else:
                message = f"`{key}`: {item['msg'][0].lower()}{item['msg'][1:]}, not {item['input']!r}"
            problems.append(Problem(location, rule, message))
        return None, problems


def _known_keys(model: type[Strict]) -> set[str]:
    """The model's keys and those of the models inside it."""
    keys = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, Strict) and inner is not model:
                keys |= _known_keys(inner)
    return keys


def read_yaml(text: str, path: str, first_line: int, rule: str) -> tuple[Any, LineOf, list[Problem]]:
    """Parse YAML; gives the data and a function from a key's path to its line in the file."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = first_line + (error.problem_mark.line if error.problem_mark else 0)
        problem = Problem(Location(path, line), rule, f"not valid YAML: {error.problem}")
        return None, lambda _: first_line, [problem]

    def line_of(keys: tuple[int | str, ...]) -> int:
        line, here = first_line, node
        for key in keys:
            children: dict[object, tuple[yaml.Node, yaml.Node]] = {}
            if isinstance(here, yaml.MappingNode):
                children = {k.value: (k, v) for k, v in here.value}
            elif isinstance(here, yaml.SequenceNode):
                children = {i: (v, v) for i, v in enumerate(here.value)}
            if key not in children:
                break
            at, here = children[key]
            line = first_line + at.start_mark.line
        return line

    return data, line_of, []

"""Checks settings against their models: mapping in, model or problems with file and line out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from bindery.model import Location, Problem
from bindery.settings import Strict

Model = TypeVar("Model", bound=Strict)
LineOf = Callable[[tuple[int | str, ...]], int]


_MOST_KNOWN = 24
"""So many names are still a help to somebody who looks for one."""


def hint(word: str, known: Iterable[str]) -> str:
    """What the author may have meant, as the end of a sentence."""
    candidates = sorted(set(known))
    if close := _closest(word, candidates):
        return f"; did you mean `{close}`?"
    if len(candidates) > _MOST_KNOWN:
        return ""
    return f"; known: {', '.join(f'`{name}`' for name in candidates)}" if candidates else ""


def _closest(word: str, known: Sequence[str]) -> str | None:
    """What differs from a word by little more than a typing error, or in capitals."""
    same = [name for name in known if name.lower() == word.lower()]
    return next(iter(same or difflib.get_close_matches(word, known, n=1, cutoff=0.7)), None)


def check(
    model: type[Model], data: object, path: str, line_of: LineOf, rule: str
) -> tuple[Model | None, list[Problem]]:
    """Validate `data`; each error becomes a problem on the line of the key it speaks of."""
    if not isinstance(data, dict):
        return None, [Problem(Location(path, line_of(())), rule, f"here stand keys with values, not {data!r}")]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        problems = []
        for item in error.errors():
            location = Location(path, line_of(item["loc"]))
            key = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                message = f"unknown key `{key}`{hint(str(item['loc'][-1]), _keys_at(model, item['loc'][:-1]))}"
            elif item["type"] == "missing":
                message = f"`{key}` is missing"
            elif item["type"] == "value_error":
                message = f"`{key}`: {item['ctx']['error']}"
            else:
                message = f"`{key}`: {item['msg'][0].lower()}{item['msg'][1:]}, not {item['input']!r}"
                choices = re.findall(r"'(\w+)'", item.get("ctx", {}).get("expected", ""))
                if meant := _closest(str(item["input"]), choices):
                    message += f"; did you mean `{meant}`?"
            problems.append(Problem(location, rule, message))
        return None, problems


def _keys_at(model: type[Strict], place: Iterable[int | str]) -> set[str]:
    """The keys that may stand at a place of the data: those of the model that it leads to."""
    for part in place:
        if field := model.model_fields.get(str(part)):
            model = next(_models_in(field.annotation), model)
    return set(model.model_fields)


def _models_in(annotation: object) -> Iterator[type[Strict]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


class _Strict(yaml.constructor.SafeConstructor):
    """A key that stands twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"`{key.value}` stands twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Loader(_Strict, yaml.SafeLoader):
    """YAML as authors mean it: dates are text, and `1e-3` is a number."""


class _FastLoader(_Strict, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # C is not everywhere
    """The same in a tenth of the time; what is wrong, the other one says better."""


FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
for _kind in (_Loader, _FastLoader):
    _kind.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _kind.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, list("-+.0123456789"))


def _load(text: str, kind: type[_Loader | _FastLoader]) -> tuple[yaml.Node | None, Any]:
    loader: Any = kind(text)  # type: ignore[call-arg]  # what is in C has no types
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def read_yaml(text: str, path: str, first_line: int, rule: str) -> tuple[Any, LineOf, list[Problem]]:
    """Parse YAML; gives the data and a function from a key's path to its line in the file."""
    if not text:
        return None, lambda _: first_line, []
    try:
        try:
            node, data = _load(text, _FastLoader)
        except (yaml.YAMLError, ValueError):
            node, data = _load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = first_line + (error.problem_mark.line if error.problem_mark else 0)
        problem = Problem(Location(path, line), rule, f"not valid YAML: {error.problem}")
        return None, lambda _: first_line, [problem]
    except yaml.reader.ReaderError as error:
        line = first_line + text.count("\n", 0, error.position)
        problem = Problem(Location(path, line), rule, f"not valid YAML: {error.reason}")
        return None, lambda _: first_line, [problem]
    except ValueError as error:
        return None, lambda _: first_line, [Problem(Location(path, first_line), rule, f"not valid YAML: {error}")]

    def line_of(keys: tuple[int | str, ...]) -> int:
        line, here = first_line, node
        for key in keys:
            children: dict[str, tuple[yaml.Node, yaml.Node]] = {}
            if isinstance(here, yaml.MappingNode):
                children = {str(k.value): (k, v) for k, v in here.value}
            elif isinstance(here, yaml.SequenceNode):
                children = {str(i): (v, v) for i, v in enumerate(here.value)}
            if str(key) not in children:
                break
            at, here = children[str(key)]
            line = first_line + at.start_mark.line
        return line

    return data, line_of, []

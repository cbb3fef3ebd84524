"""Problems in the forms that other programs show beside the lines: GitHub's workflow commands, and SARIF."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bindery.model import Problem

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def github(problems: Sequence[Problem]) -> str:
    """One line each that makes an annotation of a pull request, if a workflow prints it."""
    return "\n".join(_command(problem) for problem in problems)


def _command(problem: Problem) -> str:
    where, title = problem.location, f"bindery: {problem.rule}"
    properties = {"file": where.path, "line": str(where.line), "title": title}
    told = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    text = "\n".join(part for part in (problem.message, problem.detail) if part)
    return f"::error {told}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    """Text as a workflow command has it; `more` are characters that would end a property."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def sarif(problems: Sequence[Problem], rules: Mapping[str, str]) -> str:
    """A SARIF log of one run; `rules` gives the reason for each rule."""
    driver = {
        "name": "bindery",
        "rules": [{"id": rule, "shortDescription": {"text": reason}} for rule, reason in rules.items()],
    }
    run = {"tool": {"driver": driver}, "results": [_result(problem) for problem in problems]}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False)


def _result(problem: Problem) -> dict[str, object]:
    place = {
        "artifactLocation": {"uri": quote(problem.location.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": problem.location.line},
    }
    return {
        "ruleId": problem.rule,
        "level": "error",
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": place}],
    }

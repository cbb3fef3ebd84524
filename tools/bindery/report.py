"""What a build did, for people and programs that ask later: executions and problems in, `report.json` out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bindery.model import Book, Execution, Problem

FORMAT = 1


def make_report(book: Book, profile: str, executions: Iterable[Execution], problems: Iterable[Problem]) -> bytes:
    """The report as JSON: each section with its seconds, device and cells, then all problems."""
    by_name = {execution.section: execution for execution in executions}
    sections = []
    for section in book.sections():
        execution = by_name.get(section.name)
        if execution:
            sections.append(
                {
                    "section": section.name,
                    "heading": section.heading,
                    "title": section.title,
                    "cached": execution.cached,
                    "device": execution.device,
                    "seconds": round(execution.seconds, 3),
                    "cell_seconds": [round(seconds, 3) for seconds in execution.cell_seconds],
                    "error": _problem(execution.error) if execution.error else None,
                }
            )
    report = {
        "format": FORMAT,
        "title": book.facts.title,
        "version": book.facts.version,
        "profile": profile,
        "sections": sections,
        "problems": [_problem(problem) for problem in sorted(set(problems))],
    }
    return (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode()


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.location.path,
        "line": problem.location.line,
        "rule": problem.rule,
        "message": problem.message,
        "detail": problem.detail,
    }

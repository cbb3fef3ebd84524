"""What a build did, for people and programs that ask later: executions and problems in, a report out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bindery.model import Book, Cell, Execution, Problem, Section, runs
from bindery.render import render
from bindery.weave import INJECTED_ID

FORMAT = 3
SLOWEST = 12
"""How many cells the list of the slowest has."""

DRIFT_PAGE = "drift.html"
"""The page beside the report that shows which outputs have moved from the baseline."""

Report = dict[str, Any]


def make_report(
    book: Book | None,
    profile: str,
    executions: Iterable[Execution],
    problems: Iterable[Problem],
    before: bytes = b"",
    changes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    sizes: Mapping[str, int] = MappingProxyType({}),
) -> Report:
    """What happened to each section, and all problems; `book` is None if it could not be read.

    A build that runs nothing says what ran last: it finds that in `before`, the last build's report. `changes` tells of
    sections why they had to run, `sizes` how many bytes the products have.
    """
    by_name = {execution.section: execution for execution in executions}
    present = book.sections() if book else ()
    sections = [_section(each, by_name[each.name], changes) for each in present if each.name in by_name]
    last = _read(before)
    old = {each["name"]: each["bytes"] for each in last.get("products", ())}
    return {
        "format": FORMAT,
        "title": book.facts.title if book else "",
        "version": book.facts.version if book else "",
        "profile": profile,
        "sections": sections,
        "problems": [_problem(problem) for problem in sorted(set(problems))],
        "last_run": [each for each in sections if each["start"] is not None] or last.get("last_run", []),
        "products": [{"name": name, "bytes": size, "before": old.get(name)} for name, size in sizes.items()],
    }


def to_json(report: Report) -> bytes:
    """The report for programs."""
    return (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode()


def to_page(report: Report, site: str, drift: str = "") -> bytes:
    """The report for people.

    `site` leads from its folder to the website, `drift` to the page of what has moved; empty if there is none.
    """
    ran = report["last_run"]
    cells = [{**cell, "section": section} for section in report["sections"] for cell in section["cells"]]
    return render(
        "report.html",
        report=report,
        site=site,
        drift=drift,
        now=any(section["start"] is not None for section in report["sections"]),
        wall=max((section["start"] + section["seconds"] for section in ran), default=0.0),
        slots=1 + max((section["slot"] for section in ran), default=0),
        slowest=sorted(cells, key=lambda cell: -float(cell["seconds"]))[:SLOWEST],
        longest=max((section["seconds"] for section in report["sections"]), default=0.0),
    )


def _section(section: Section, execution: Execution, changes: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {
        "section": section.name,
        "heading": section.heading,
        "title": section.title,
        "cached": execution.cached,
        "changes": [] if execution.cached else list(changes.get(section.name, ())),
        "device": execution.device,
        "start": round(execution.turn.start, 3) if execution.turn else None,
        "slot": execution.turn.slot if execution.turn else None,
        "seconds": round(execution.seconds, 3),
        "cells": _cells(section, execution),
        "error": _problem(execution.error) if execution.error else None,
    }


def _cells(section: Section, execution: Execution) -> list[dict[str, Any]]:
    """The cells that ran, each where it stands in the chapter now; prose may have moved since a result was stored."""
    cells = []
    seconds = iter(execution.cell_seconds)
    for place, cell in placed_cells(section, execution.notebook):
        if runs(cell) and (took := next(seconds, None)) is not None:
            code = _telling_line(cell["source"])
            where = place.location
            cells.append({"path": where.path, "line": where.line, "code": code, "seconds": round(took, 3)})
    return cells


def placed_cells(section: Section, notebook: Mapping[str, Any]) -> Iterator[tuple[Cell, Mapping[str, Any]]]:
    """The code cells of a section's notebook, each after what stands for it in the chapter now."""
    places, place = iter(section.code), section.code[0]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            if cell["id"] != INJECTED_ID:  # which has no place of its own: it counts with the one before it
                place = next(places)
            yield place, cell


def _telling_line(source: str) -> str:
    """The first line of a cell that says something: no comment, no magic, no seed, if there is another."""
    lines = [line.strip() for line in source.split("\n") if line.strip()]
    dull = ("#", "%", "torch.manual_seed(", "import ", "from ")
    return next((line for line in lines if not line.startswith(dull)), lines[0])


def _read(before: bytes) -> Mapping[str, Any]:
    """The last build's report; nothing if there is none or another version wrote it."""
    try:
        report: Mapping[str, Any] = json.loads(before)
    except ValueError:
        return {}
    return report if report.get("format") == FORMAT else {}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.location.path,
        "line": problem.location.line,
        "rule": problem.rule,
        "message": problem.message,
        "detail": problem.detail,
    }

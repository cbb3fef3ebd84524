"""How a copy of the book came about: its commit, and what the copyright page of the printed book says of its runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bindery.model import Execution

SHOWN = ("python", "torch")
"""The versions of which the copyright page speaks; each section names all that it used."""


def commit_of(root: Path) -> str:
    """The commit that is checked out, if there is one; it ends in `-dirty` where files differ from it."""
    git = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def build_facts(version: str, root: Path) -> bytes:
    """Version and commit, which stand in one file so that a commit alone changes no page."""
    return (json.dumps({"version": version, "commit": commit_of(root)}) + "\n").encode()


def imprint(commit: str, executions: Iterable[Execution]) -> str:
    """The definition of `\\binderymade`, which `bindery.sty` asks for."""
    lines = [f"Made from commit \\texttt{{{commit}}}"] if commit else []
    told = _told(executions)
    if told:
        lines.append(f"The outputs were made by running the code: {told}. Each section says more at its end.")
    return "\\renewcommand{\\binderymade}{" + "".join(f"\\par {line}" for line in lines) + "}\n"


def _told(executions: Iterable[Execution]) -> str:
    """Profiles, data, devices and versions of all executions."""
    stored = [execution.notebook["metadata"].get("bindery", {}).get("execution", {}) for execution in executions]
    data = [(kind, name) for facts in stored for name, kind in facts.get("data", {}).items()]
    kinds = {kind: sorted({name for other, name in data if other == kind}) for kind, _ in sorted(data)}
    told = [f"profile {_listed(facts.get('profile', '') for facts in stored)}"] if stored else []
    told += [f"{kind} data: {', '.join(names)}" for kind, names in kinds.items()]
    told += [_listed(facts.get("environment", {}).get("device", "").upper() for facts in stored)]
    told += [
        f"{name.capitalize() if name == 'python' else name} {versions}"
        for name in SHOWN
        if (versions := _listed(facts.get("environment", {}).get(name, "") for facts in stored))
    ]
    return "; ".join(part for part in told if part).replace("_", r"\_")


def _listed(values: Iterable[str]) -> str:
    return " and ".join(sorted({value for value in values if value}))

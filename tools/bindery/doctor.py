"""Looks at what this machine has and lacks for each product: nothing is installed, nothing is changed."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement

from bindery import texlive
from bindery.gpus import discover
from bindery.model import Location, Problem
from bindery.settings import Facts

PROGRAMS = {"chromium": "chromium", "java": "default-jre-headless"}
"""The programs that the tests need, by name, with what Debian and Ubuntu call what brings them."""


@dataclass(frozen=True)
class Finding:
    """One thing that a user may want to do: what for, what is lacking, and the command that would install it."""

    name: str
    purpose: str
    lacks: tuple[str, ...] = ()
    command: str = ""

    def __str__(self) -> str:
        if not self.lacks:
            return f"\N{CHECK MARK} {self.name:6} {self.purpose}"
        return f"\N{BALLOT X} {self.name:6} {self.purpose}; lacks {', '.join(self.lacks)}: {self.command}"


def examine(facts: Facts | None, environment: Mapping[str, str]) -> list[Finding]:
    """What can be done on this machine, in the order in which most users come to need it; `html` is the first.

    With the `facts` of a book, what its library needs is looked for, too.
    """
    own = requirements()
    test = [each for each in requirements("test") if each not in own]
    sections = [Requirement(line) for line in facts.requires] if facts else []
    latex, programs = tuple(texlive.missing()), [name for name in PROGRAMS if shutil.which(name) is None]
    gpus = discover("auto", environment)
    install = shlex.join(["apt-get", "install", *(PROGRAMS[name] for name in programs)]) if programs else ""
    ray = [each for each in test if each.name == "ray"] or [Requirement("ray")]
    return [
        _packages("html", "the website, and running the sections", [*own, *sections]),
        Finding("pdf", "build/pdf/book.pdf, by xelatex", latex, shlex.join(texlive.INSTALL)),
        _packages("epub", "build/epub/book.epub, which needs what the website needs", own),
        Finding(
            "tests",
            "bindery's own tests, in Chromium those of the pages, with Java that of the EPUB",
            (*(each.name for each in _lacking(test)), *programs),
            " && ".join(command for command in (_pip(_lacking(test)), install) if command),
        ),
        Finding(
            "gpu",
            f"profile full at full speed ({len(gpus)} found)" if gpus else "profile full at full speed",
            () if gpus else ("an NVIDIA GPU with its driver",),
            "see nvidia.com/drivers; without one, sections run on the CPU",
        ),
        _packages("ray", "RUNNER=ray, running sections on several machines", ray),
    ]


def tell(facts: Facts | None, say: Callable[[str], None]) -> list[Problem]:
    """Say what this machine has and lacks; a problem only if no website can be built."""
    findings = examine(facts, os.environ)
    for finding in findings:
        say(str(finding))
    website = findings[0]
    message = f"no website can be built without {', '.join(website.lacks)}: {website.command}"
    return [Problem(Location("requirements.txt", 1), "doctor", message)] if website.lacks else []


def requirements(extra: str = "") -> list[Requirement]:
    """The packages that bindery itself needs, with an extra more of them."""
    try:
        lines = importlib.metadata.requires("bindery") or ()
    except importlib.metadata.PackageNotFoundError:
        return [Requirement("bindery")]
    every = map(Requirement, lines)
    return [each for each in every if not each.marker or each.marker.evaluate({"extra": extra})]


def version_of(requirement: Requirement) -> str:
    """The version in which a package is installed, empty if it is not."""
    try:
        return importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _packages(name: str, purpose: str, needed: Iterable[Requirement]) -> Finding:
    lacking = _lacking(needed)
    return Finding(name, purpose, tuple(each.name for each in lacking), _pip(lacking))


def _lacking(needed: Iterable[Requirement]) -> list[Requirement]:
    """What is not installed, or in no version that would do."""
    return [each for each in needed if not _installed(each)]


def _installed(requirement: Requirement) -> bool:
    version = version_of(requirement)
    return bool(version) and requirement.specifier.contains(version, prereleases=True)


def _pip(needed: list[Requirement]) -> str:
    return shlex.join(["pip", "install", *(f"{named(each)}{each.specifier}" for each in needed)]) if needed else ""


def named(requirement: Requirement) -> str:
    """A package's name, with its extras."""
    extras = ",".join(sorted(requirement.extras))
    return f"{requirement.name}[{extras}]" if extras else requirement.name

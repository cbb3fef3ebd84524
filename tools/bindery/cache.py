"""What a section's result depends on, and the store of results under it: nothing is decided by time or by prose."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache as remember
from functools import cached_property
from pathlib import Path
from typing import Any

from bindery.files import locked, write_if_changed
from bindery.library import Library
from bindery.model import Execution, Injected, Section, Task
from bindery.shared import Listed, SharedCache
from bindery.symbols import uses_of_cells

FORMAT = 2
RUN_TAGS = ("raises-exception",)
"""The tags that change what a run does; all others are for display."""


@dataclass(frozen=True)
class Inputs:
    """All that decides the outputs of a section."""

    cells: tuple[str, ...]
    injected: str
    definitions: Mapping[str, tuple[str, ...]]
    data: Mapping[str, str]
    environment: Mapping[str, str]

    @cached_property
    def key(self) -> str:
        """The cache key: everything but the environment, under which the entry is then filed."""
        parts = [FORMAT, self.cells, self.injected, sorted(self.definitions.items()), sorted(self.data.items())]
        return _digest(parts)[:32]

    def summary(self) -> dict[str, dict[str, str]]:
        """A short digest of every single input, to say later which one changed."""
        return {
            "cell": {f"{number}": _digest(text)[:16] for number, text in enumerate(self.cells, 1)},
            "injected value": dict(line.split(" = ", 1) for line in self.injected.split("\n") if " = " in line),
            "library name": {name: _digest(sources)[:16] for name, sources in self.definitions.items()},
            "data set": dict(self.data),
            "environment": dict(self.environment),
        }


def injected_cell(section: Section, profile: str) -> Injected | None:
    """The cell that a profile adds to a section, if any."""
    after = next((index for index, cell in enumerate(section.cells) if "parameters" in cell.tags), None)
    if profile != "quick" or after is None or not section.settings.quick:
        return None
    return Injected(after, section.settings.quick)


def inputs_of(
    section: Section, profile: str, library: Library, checksums: Mapping[str, str], gpus: bool = False
) -> Inputs:
    """Find everything that a section's outputs depend on.

    The checksums are those of the data sets in use; `gpus` tells whether sections that declare a GPU get one.
    """
    injected = injected_cell(section, profile)
    cells = []
    for index, cell in enumerate(section.cells):
        if cell.kind == "code":
            marks = "".join(f"# {tag}\n" for tag in RUN_TAGS if tag in cell.tags)
            cells.append(marks + cell.source)
        if injected and index == injected.after:
            cells.append("# injected here")
    uses = uses_of_cells([cell.source for cell in section.code])
    reached = library.reach(uses)
    packages = uses.modules.union(*(definition.packages for definition in reached))
    device = "cuda" if section.settings.gpus and gpus else "cpu"
    return Inputs(
        cells=tuple(cells),
        injected=injected.source if injected else "",
        definitions={definition.names[0]: definition.sources for definition in reached},
        data={name: checksums.get(name, "") for name in section.settings.data},
        environment={"device": device, "python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        | versions_of(packages),
    )


def versions_of(packages: frozenset[str]) -> dict[str, str]:
    """Versions of the distributions that these top-level modules come from; the standard library has none."""
    found = {}
    for package in sorted(packages - set(sys.stdlib_module_names)):
        for distribution in _distributions(package):
            found[distribution] = _version(distribution, package)
    return found


@remember
def _version(distribution: str, package: str) -> str:
    """A distribution's version; one installed as editable changes without a new one, so its files are told, too."""
    version = importlib.metadata.version(distribution)
    origin = importlib.metadata.distribution(distribution).read_text("direct_url.json") or "{}"
    if not json.loads(origin).get("dir_info", {}).get("editable"):
        return version
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            digest.update(f"{file.relative_to(folder)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return f"{version}+{digest.hexdigest()[:10]}"


@remember
def _distributions(package: str) -> tuple[str, ...]:
    """The distributions that provide a module: most bear its name, and finding the others means reading all."""
    try:
        return (importlib.metadata.distribution(package).name.lower(),)
    except importlib.metadata.PackageNotFoundError:
        return tuple(name.lower() for name in sorted(set(_providers().get(package, []))))


@remember
def _providers() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


class Cache:
    """Results of runs, one notebook per entry, in a folder; what is not there may come from a shared cache."""

    def __init__(self, folder: Path, shared: SharedCache | None = None) -> None:
        """Use this folder, which need not exist."""
        self.folder = folder
        self.shared = shared
        self.damaged: set[str] = set()
        """The sections whose entries were there but not as they had been written."""

    def path(self, key: str, environment: Mapping[str, str]) -> Path:
        """Where an entry is filed."""
        return self.folder / _filed(key, environment)

    def find(self, section: Section, key: str, environment: Mapping[str, str]) -> Execution | None:
        """The stored result, or None; an entry with other bytes than were written counts as not there."""
        own = self._entry(section, key, environment)
        listed = self.shared.listed(section.name, key, environment) if self.shared and not own else None
        if not self.shared or not listed:
            return own
        path = self.path(key, listed.environment)
        if not path.is_file() and (content := self.shared.fetch(listed)) is not None:
            write_if_changed(path, content)
        return self._entry(section, key, listed.environment)

    def publish(self, done: Iterable[tuple[str, str, Mapping[str, str]]]) -> int:
        """Give the results of sections, known by name, key and environment, to the shared cache; says how many."""
        if not self.shared:
            return 0
        results = {}
        for name, key, environment in done:
            path = self.path(key, environment)
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            listed = Listed(key, dict(environment), path.relative_to(self.folder).as_posix(), digest)
            results[name] = (listed, content)
        return self.shared.publish(results)

    def _entry(self, section: Section, key: str, environment: Mapping[str, str]) -> Execution | None:
        try:
            content = self.path(key, environment).read_bytes()
        except OSError:
            return None
        try:
            notebook = json.loads(content)
            facts = notebook["metadata"]["bindery"]["execution"]
            if facts["key"] == key and facts["sha256"] == _sealed(content, facts["sha256"]):
                return Execution(
                    section=section.name,
                    notebook=notebook,
                    seconds=facts["seconds"],
                    cell_seconds=tuple(facts["cell_seconds"]),
                    device=facts["device"],
                    cached=True,
                    memory=facts.get("memory"),
                )
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        self.damaged.add(section.name)
        return None

    @contextmanager
    def claimed(self, task: Task) -> Iterator[Execution | None]:
        """Hold a section while it runs, in any version; gives what another build has made of it meanwhile."""
        with locked(self.folder / "locks" / f"{task.section.name}.lock"):
            yield self.find(task.section, task.key, task.environment)

    def keep(self, task: Task, execution: Execution) -> Execution:
        """Store a result and give it back with the facts of its making; a failed run is never stored."""
        if execution.error:
            return execution
        notebook: dict[str, Any] = json.loads(json.dumps(execution.notebook))
        notebook["metadata"].setdefault("bindery", {})["execution"] = {
            "key": task.key,
            "profile": task.profile,
            "seconds": round(execution.seconds, 3),
            "cell_seconds": [round(seconds, 3) for seconds in execution.cell_seconds],
            "device": execution.device,
            "memory": execution.memory and round(execution.memory, 3),
            "environment": dict(task.environment),
            "data": dict(task.data.declared),
            "sha256": _UNSEALED,
        }
        content = (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
        seal = _sealed(content, _UNSEALED)
        notebook["metadata"]["bindery"]["execution"]["sha256"] = seal
        write_if_changed(self.path(task.key, task.environment), content.replace(_field(_UNSEALED), _field(seal)))
        return replace(execution, notebook=notebook)


def entry_of(execution: Execution) -> str:
    """Where in a cache the result is filed, by relative path; empty for one that was not stored."""
    facts = execution.notebook["metadata"].get("bindery", {}).get("execution")
    return _filed(facts["key"], facts["environment"]) if facts else ""


def _filed(key: str, environment: Mapping[str, str]) -> str:
    return f"{key[:2]}/{key}/{_digest(sorted(environment.items()))[:16]}.ipynb"


_UNSEALED = "0" * 64


def _field(seal: str) -> bytes:
    """How an entry writes its seal; no text of a notebook can look like it, since its quotes would be escaped."""
    return f'"sha256": "{seal}"'.encode()


def _sealed(content: bytes, seal: str) -> str:
    """The SHA-256 of an entry's bytes, with zeros in the place of the seal that they bear."""
    return hashlib.sha256(content.replace(_field(seal), _field(_UNSEALED))).hexdigest()


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()

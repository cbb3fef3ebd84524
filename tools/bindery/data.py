"""Which data the sections use, the real sets or stand-ins, with the checksums of just these: facts in, `Data` out."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bindery import files, standin
from bindery.model import DataUse, Location, Problem, ProblemsFound, Section
from bindery.settings import DataSet, Facts, Mirror, Mirrors, StandIn
from bindery.validate import check, hint

_SUMS = "SHA256.json"


@dataclass(frozen=True)
class Data:
    """The book's data sets as a build uses them."""

    sets: Mapping[str, DataSet]
    folder: Path
    """What sections know as `../data`; stand-ins and real files never share one."""
    mirrors: Mapping[str, Mirror]
    """By URL."""
    mirror_file: Path | None
    drawn: Mapping[str, Path]
    """The sets for which we drew stand-ins, with the folders that hold these."""

    @property
    def checksums(self) -> dict[str, str]:
        """For each set one checksum of all the files that are used for it."""
        return {
            name: _together(self._checksum(url, each.files[url]) for url in each.files)
            for name, each in self.sets.items()
        }

    def use_of(self, section: Section) -> DataUse:
        """What a section gets."""
        known = [name for name in section.settings.data if name in self.sets]
        declared = {name: "real" if self._is_real(self.sets[name]) else "stand-in" for name in known}
        set_of = {url: name for name, each in self.sets.items() for url in each.files}
        return DataUse(declared, set_of, self.mirror_file)

    def lines(self, root: Path) -> Iterator[str]:
        """What is used for each set, for people."""
        for name, each in self.sets.items():
            folder = self.drawn.get(name)
            what = f"stand-in `{each.standin}`, {folder.relative_to(root)}" if folder else "real"
            yield f"{name}: {what}, {len(each.files)} file{'s' if len(each.files) > 1 else ''}"
        if self.drawn:
            yield "mirror file: build/standin/mirrors.json"

    def _is_real(self, each: DataSet) -> bool:
        """Whether its files are those that were published, not others that a mirror puts in their place."""
        return all(self._checksum(url, original) == original for url, original in each.files.items())

    def _checksum(self, url: str, original: str) -> str:
        mirror = self.mirrors.get(url)
        return (mirror.sha256 if mirror else None) or original


def undeclared(opened: Iterable[str], data: DataUse) -> str | None:
    """What is wrong if a section opened data that it does not declare."""
    for url in opened:
        name = data.set_of.get(url)
        if name is None:
            return f"opens {url}, which is in no data set of chapters/book.yml; add it there and to `data:` here"
        if name not in data.declared:
            return f"opens data set `{name}`, which its section does not declare; add it to `data:` in the front matter"
    return None


def choose_data(
    facts: Facts, choice: str, build: Path, mirror_file: str = "", say: Callable[[str], None] = lambda _: None
) -> Data:
    """The data sets as they come from their URLs or the user's mirrors, or, if so chosen, from stand-ins drawn here."""
    mirrors = _read_mirrors(mirror_file)
    wanted = {name: each for name, each in facts.data.items() if each.standin} if choice == "standin" else {}
    if not wanted:
        return Data(
            facts.data, build / "data" / "real", mirrors, Path(mirror_file).absolute() if mirror_file else None, {}
        )
    store = build / "standin"
    drawn = {}
    problems = []
    for name, each in wanted.items():
        assert each.standin
        drawn[name], checksums = draw(each.standin, store, say)
        for url in each.files:
            file = posixpath.basename(urlsplit(url).path)
            if file in checksums:
                mirrors[url] = Mirror(url=(drawn[name].absolute() / file).as_uri(), sha256=checksums[file])
            else:
                message = f"data set `{name}`: `{each.standin}` draws no `{file}`{hint(file, checksums)}"
                problems.append(Problem(Location("chapters/book.yml", 1), "data", message))
    if problems:
        raise ProblemsFound(problems)
    text = json.dumps({url: mirror.model_dump(exclude_none=True) for url, mirror in sorted(mirrors.items())}, indent=1)
    # Named by what it says: a build that still runs keeps its own, and never meets files unpacked from others.
    edition = hashlib.sha256(text.encode()).hexdigest()[:8]
    path = store / f"mirrors-{edition}.json"
    files.write_if_changed(path, f"{text}\n".encode())
    files.point(store / "mirrors.json", path)
    return Data(facts.data, build / "data" / f"standin-{edition}", mirrors, path.absolute(), drawn)


def draw(name: StandIn, store: Path, say: Callable[[str], None]) -> tuple[Path, Mapping[str, str]]:
    """The folder of a stand-in's files and their checksums; it is drawn only if it is not there whole already."""
    folder = store / f"{name}-{_recipe()}"
    with files.locked(store / "locks" / name):
        checksums = _checksums_if_whole(folder)
        if checksums is None:
            say(f"data: drawing the stand-in `{name}`")
            made = standin.make(name)
            checksums = {file: hashlib.sha256(content).hexdigest() for file, content in made.items()}
            files.remove(folder)
            files.write_tree_once(folder, {**made, _SUMS: (json.dumps(checksums, indent=1) + "\n").encode()})
    return folder, checksums


def picture_of(data: Data) -> bytes:
    """A contact sheet (PNG) of the stand-ins in use."""
    made = {}
    for name, folder in data.drawn.items():
        if kind := data.sets[name].standin:
            made[kind] = {path.name: path.read_bytes() for path in folder.iterdir()}
    return standin.sheet(made)


def _recipe() -> str:
    """Names all that decides what is drawn: the code of `standin` and the versions of what it uses."""
    digest = hashlib.sha256()
    for path in sorted(Path(standin.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update("".join(importlib.metadata.version(package) for package in ("numpy", "pillow")).encode())
    return digest.hexdigest()[:8]


def _checksums_if_whole(folder: Path) -> dict[str, str] | None:
    """The checksums of a folder's files, unless one is missing or damaged."""
    try:
        checksums: dict[str, str] = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
        whole = all(
            hashlib.sha256((folder / file).read_bytes()).hexdigest() == checksum for file, checksum in checksums.items()
        )
    except (OSError, ValueError, AttributeError):
        return None
    return checksums if whole else None


def _read_mirrors(path: str) -> dict[str, Mirror]:
    """The mirror file that the user's D2L_MIRRORS names, if any."""
    if not path:
        return {}
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"the mirror file that D2L_MIRRORS names cannot be read: {error}"
        raise ProblemsFound([Problem(Location(path, getattr(error, "lineno", 1)), "mirrors", message)]) from error
    mirrors, problems = check(Mirrors, {"files": data}, path, lambda _: 1, "mirrors")
    if problems or mirrors is None:
        raise ProblemsFound(problems)
    return dict(mirrors.files)


def _together(checksums: Iterable[str]) -> str:
    """One checksum for many, whatever their order; a single one stands for itself."""
    each = sorted(checksums)
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()

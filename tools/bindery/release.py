"""Publishes a version: changelog, version and tag, all products of the tag, checksums, and how they were made."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bindery import files
from bindery.inputs import MAKERS
from bindery.model import Execution, Location, Mistyped, Problem
from bindery.settings import VERSION

if TYPE_CHECKING:
    from bindery.press import Press

FACTS, CHANGES, PROJECT = "chapters/book.yml", "CHANGELOG.md", "tools/pyproject.toml"
SUMS, PROVENANCE = "SHA256SUMS", "provenance.json"
NEXT = "## Unreleased"


def prepare(root: Path, version: str) -> list[Problem]:
    """Give the book this version, date the changes, and commit both; nothing is done twice.

    Raises Mistyped if it is no version, or one that exists.
    """
    if not VERSION.fullmatch(version):
        raise Mistyped(f"{version!r} is not a version such as 1.2.0 or 1.2.0rc1")
    if _git(root, "tag", "--list", f"v{version}"):
        raise Mistyped(f"there is a tag v{version}; a version that is published never changes, so choose another")
    if _git(root, "status", "--porcelain"):
        return [
            Problem(Location(FACTS, 1), "release", "files differ from the last commit; commit them or put them back")
        ]
    texts = {
        path: (root / path).read_text(encoding="utf-8") for path in (FACTS, CHANGES, PROJECT) if (root / path).is_file()
    }
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    changed = new_texts(texts, version, today)
    if isinstance(changed, Problem):
        return [changed]
    for path, text in changed.items():
        files.write_if_changed(root / path, text.encode())
    if _git(root, "status", "--porcelain"):
        _git(root, "commit", "--quiet", "--all", "--message", f"release: {version}")
    return []


def new_texts(texts: Mapping[str, str], version: str, today: str) -> dict[str, str] | Problem:
    """The files that tell the version, after it has changed."""
    new = dict(texts)
    new[FACTS] = re.sub(r"(?m)^version: .*$", f"version: {version}", texts[FACTS], count=1)
    if PROJECT in texts:
        new[PROJECT] = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', texts[PROJECT], count=1)
    changes = texts.get(CHANGES, "")
    heading = f"## {version} - {today}"
    if NEXT in changes:
        line = changes[: changes.index(NEXT)].count("\n") + 1
        told = changes.partition(NEXT)[2].partition("\n## ")[0]
        if not told.strip():
            return Problem(Location(CHANGES, line), "release", "nothing is told of what is new since the last version")
        new[CHANGES] = changes.replace(NEXT, f"{NEXT}\n\n{heading}", 1)
    elif CHANGES in texts and f"## {version} - " not in changes:
        return Problem(Location(CHANGES, 1), "release", f"there is no heading `{NEXT}`, under which changes are told")
    return new


def publish(press: Press, version: str) -> list[Problem]:
    """Tag the commit that is checked out, and lay out what was built of it in `build/release`."""
    root, build = press.root, press.build
    made = {file.name: file for file in _products(build) if file.is_file()}
    sums = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in made.items()}
    commit = _git(root, "rev-parse", "HEAD")
    told = provenance(version, commit, press.choices.profile, press.executions, sums)
    contents = {name: file.read_bytes() for name, file in made.items()}
    contents[SUMS] = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()
    contents[PROVENANCE] = (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()
    files.write_tree(build / "release" / version, contents)
    _git(root, "tag", "--annotate", f"v{version}", "--message", f"Version {version}")
    press.say(f"release: v{version} at {commit[:10]}, {len(made)} products with {SUMS} in build/release/{version}")
    press.say(f"to publish it: git push --follow-tags, and upload build/release/{version}")
    return []


def provenance(
    version: str, commit: str, profile: str, executions: Mapping[str, Execution], sums: Mapping[str, str]
) -> dict[str, Any]:
    """Of what, by what and where the products were made."""
    sections = {}
    for name, execution in executions.items():
        facts = execution.notebook["metadata"].get("bindery", {}).get("execution", {})
        sections[name] = {key: facts[key] for key in ("profile", "data", "environment", "seconds") if key in facts}
    return {
        "version": version,
        "commit": commit,
        "profile": profile,
        "python": platform.python_version(),
        "system": platform.platform(),
        "made with": {name: importlib.metadata.version(name) for name in MAKERS},
        "products": dict(sorted(sums.items())),
        "sections": sections,
    }


def _products(build: Path) -> Iterable[Path]:
    yield from (
        build / "pdf" / "book.pdf",
        build / "epub" / "book.epub",
        build / "notebooks.zip",
        build / "website.zip",
    )
    yield from (build / "wheel").glob("*.whl")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Mistyped(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()

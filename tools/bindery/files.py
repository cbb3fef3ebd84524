"""The only place that writes files: whole or not at all, and only where the bytes differ."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


def write_if_changed(path: Path, content: bytes) -> bool:
    """Give `path` these bytes in one step, unless it has them already; says whether it wrote."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the replacing is a rename within one file system; named for the writer, so that two
    # builds at once never share it.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return True


def replace_together(changes: Mapping[Path, tuple[bytes, bytes]]) -> list[Path]:
    """Give files that have the first bytes the second ones, all or none; says which had other bytes, so that none was.

    Each keeps its mode, and a link leads to where it led. All drafts are complete before the first file is replaced.
    """
    drafts: dict[Path, Path] = {}
    try:
        for path, (_, content) in changes.items():
            target = path.resolve()
            draft = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
            drafts[target] = draft
            with draft.open("wb") as stream:
                stream.write(content)
            shutil.copymode(target, draft)
        others = [path for path, (content, _) in changes.items() if path.read_bytes() != content]
        if not others:
            for target, draft in drafts.items():
                draft.replace(target)
        return others
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def mirror(source: Path, target: Path, keep: Collection[str] = (), leave_out: Collection[str] = ()) -> int:
    """Make `target` hold what `source` holds, touching only what differs; says how many files it wrote or removed.

    `keep` names files and folders of `target` that are not from `source` and stay; `leave_out` names files of `source`
    that are not wanted in `target`. Both are relative paths with forward slashes.
    """
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    wanted -= {Path(name) for name in leave_out}
    changes = 0
    for name in sorted(wanted):
        if (target / name).is_dir():
            remove(target / name)
        changes += write_if_changed(target / name, (source / name).read_bytes())
    kept = {path.relative_to(target) for name in keep for path in (target / name, *(target / name).rglob("*"))}
    return changes + prune(target, wanted | kept)


def prune(folder: Path, wanted: Collection[Path]) -> int:
    """Remove every file of `folder` whose relative path is not wanted, and folders left empty; says how many files."""
    count = 0
    # Deepest first: a folder is met after all that it held.
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder) not in wanted:
            path.unlink()
            count += 1
    return count


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all it holds; nothing happens where there is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_tree_once(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Make a folder that holds these files by relative path; one that exists already has them and stays as it is."""
    if folder.is_dir():
        return
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        for name, content in contents.items():
            write_if_changed(draft / name, content)
        with suppress(OSError):  # another build has just made the same folder
            draft.rename(folder)
    finally:
        remove(draft)


def point(link: Path, target: Path) -> None:
    """Make `link` a relative link to `target`, switched by a rename so that it always leads somewhere."""
    link.parent.mkdir(parents=True, exist_ok=True)
    wanted = os.path.relpath(target, link.parent)
    if link.is_symlink() and str(link.readlink()) == wanted:
        return
    draft = link.with_name(f".{link.name}.{os.getpid()}.{threading.get_ident()}")
    draft.symlink_to(wanted)
    draft.replace(link)


def write_tree(folder: Path, contents: Mapping[str, bytes]) -> int:
    """Make a folder hold just these files, touching only what differs; says how many it wrote or removed."""
    changes = sum(write_if_changed(folder / name, content) for name, content in contents.items())
    return changes + prune(folder, {Path(name) for name in contents})


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock among processes while the block runs; it goes with the process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield

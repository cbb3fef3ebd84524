"""Writing files: in one step, only where bytes differ, and nothing left of what is gone."""

from __future__ import annotations

from pathlib import Path

from bindery import files


def test_a_file_is_written_only_if_its_bytes_differ(tmp_path: Path) -> None:
    """Equal content leaves the file and its time alone, and no draft stays behind."""
    path = tmp_path / "deep" / "file"
    assert files.write_if_changed(path, b"a")
    time = path.stat().st_mtime_ns
    assert not files.write_if_changed(path, b"a")
    assert path.stat().st_mtime_ns == time
    assert files.write_if_changed(path, b"b")
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_mirror_has_what_its_source_has(tmp_path: Path) -> None:
    """Files come, change and go with the source; those of others that are to be kept stay."""
    source, target = tmp_path / "source", tmp_path / "target"
    for name in ("a", "b/c", "unwanted"):
        files.write_if_changed(source / name, b"new")
    for name in ("a", "gone/old", "mine"):
        files.write_if_changed(target / name, b"old")
    assert files.mirror(source, target, keep=("mine",), leave_out=("unwanted",)) == 3
    there = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert there == {"a": b"new", "b/c": b"new", "mine": b"old"}
    assert not (target / "gone").exists()
    assert files.mirror(source, target, keep=("mine",), leave_out=("unwanted",)) == 0

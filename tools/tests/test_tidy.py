"""The cache keeps its size, and what is in use."""

import json
from pathlib import Path

from bindery.tidy import tidy

ENTRIES = [f"{number:02}/{number:02}key/env.ipynb" for number in range(6)]


def fill(folder: Path, *names: str) -> None:
    """Write entries of a hundred bytes."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 100)


def there(folder: Path) -> list[str]:
    """The entries of a cache."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("??/*/*.ipynb"))


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    """Each build moves what it uses to the end of the list; over the limit, the list's beginning goes."""
    fill(tmp_path, *ENTRIES)
    for used in (ENTRIES[3:], ENTRIES[:2], ENTRIES[4:5]):
        assert tidy(tmp_path, set(used), set(used), 10_000) == (0, 600)
    # 2 was never used, then 3 and 5, then 0 and 1, and last 4.
    assert tidy(tmp_path, {ENTRIES[4]}, {ENTRIES[4]}, 320) == (3, 300)
    assert there(tmp_path) == [ENTRIES[0], ENTRIES[1], ENTRIES[4]]
    assert json.loads((tmp_path / "recent.json").read_text()) == [ENTRIES[0], ENTRIES[1], ENTRIES[4]]


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    """Even if it takes more than the limit, and if another profile uses it."""
    fill(tmp_path, *ENTRIES)
    assert tidy(tmp_path, {ENTRIES[5]}, {ENTRIES[0], ENTRIES[1]}, 0) == (3, 300)
    assert there(tmp_path) == [ENTRIES[0], ENTRIES[1], ENTRIES[5]]


def test_a_damaged_list_is_as_none(tmp_path: Path) -> None:
    """Then all but what is in use is old."""
    fill(tmp_path, *ENTRIES[:3])
    for text in ("", "{", "3", '["../../outside"]'):
        (tmp_path / "recent.json").write_text(text)
        assert tidy(tmp_path, {ENTRIES[0]}, set(), 1000) == (0, 300)
    assert tidy(tmp_path, {ENTRIES[0]}, set(), 100) == (2, 100)


def test_new_entries_join_the_list(tmp_path: Path) -> None:
    """What a build made is as young as what it used."""
    fill(tmp_path, *ENTRIES[:2])
    tidy(tmp_path, {*ENTRIES[:2]}, set(), 1000)
    fill(tmp_path, ENTRIES[2])
    assert tidy(tmp_path, {ENTRIES[2]}, set(), 200) == (1, 200)
    assert there(tmp_path) == ENTRIES[1:3]

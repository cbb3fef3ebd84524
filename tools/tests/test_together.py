"""Builds that meet or are cut off: nobody trips over another's files, and nothing half done passes for done."""

from __future__ import annotations

import io
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from building import contents
from conftest import REPOSITORY
from rich.console import Console
from test_books import pretend

from bindery import files, site
from bindery.plan import make_plan
from bindery.press import Press
from bindery.workshop import Choices


def workshop(root: Path) -> Press:
    """A book on the workbench whose sections have run without printing anything."""
    shop = Press(root, Choices(), Console(file=io.StringIO()))
    steps = make_plan(shop.book, shop.library, "quick", shop.store, shop.build, shop.data)
    shop.__dict__["executions"] = {step.section.name: pretend(step.task) for step in steps}
    return shop


@pytest.mark.slow
def test_two_builds_write_the_notebooks_in_turn(
    make_book: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sweeps away what the other is writing."""
    names = [f"section{number}" for number in range(5)]
    toctree = "\n".join(names)
    root = make_book(
        f"=== chapters/one/index.md\n# One\n\n```{{toctree}}\n{toctree}\n```\n", **dict.fromkeys(names, "1")
    )
    shutil.copy(REPOSITORY / "conf.py", root)
    shops = [workshop(root), workshop(root)]
    assert shops[0].notebooks() == []
    before = contents(root / "build" / "notebooks")
    assert len(before) == 5
    inside, met = threading.Lock(), []
    write_tree = files.write_tree

    def write_slowly(folder: Path, wanted: Mapping[str, bytes]) -> int:
        if folder.name != "notebooks":
            return write_tree(folder, wanted)
        met.append(not inside.acquire(blocking=False))
        time.sleep(0.5)
        count = write_tree(folder, wanted)
        if inside.locked():
            inside.release()
        return count

    monkeypatch.setattr(files, "write_tree", write_slowly)
    (root / "build" / "sphinx" / "notebooks.digest").unlink()
    threads = [threading.Thread(target=build_again, args=(shop,)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(met) > 1
    assert not any(met)
    assert contents(root / "build" / "notebooks") == before


def build_again(shop: Press) -> None:
    """Write the notebooks three times, each time as if they had never been written."""
    for _ in range(3):
        (shop.build / "sphinx" / "notebooks.digest").unlink(missing_ok=True)
        shop.notebooks()


def test_a_site_that_was_cut_off_does_not_pass_for_the_last_one(
    make_book: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going back to the text of the last good build builds again, since the site may be half of each."""
    shop = workshop(make_book(a="1"))
    stamp = shop.build / "sphinx" / "html.digest"
    monkeypatch.setattr(site, "build_site", lambda *_, **__: [])
    shop.html()
    assert stamp.is_file()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(site, "build_site", stop)
    with pytest.raises(KeyboardInterrupt):
        shop.html()
    assert not stamp.exists()

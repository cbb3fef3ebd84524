"""Builds that meet or are cut off: nobody trips over another's files, and nothing half done passes for done."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from test_books import pretend

from bindery import site
from bindery.plan import make_plan
from bindery.press import Press
from bindery.workshop import Choices


def workshop(root: Path) -> Press:
    """A book on the workbench whose sections have run without printing anything."""
    shop = Press(root, Choices(), Console(file=io.StringIO()))
    steps = make_plan(shop.book, shop.library, "quick", shop.store, shop.build, shop.data)
    shop.__dict__["executions"] = {step.section.name: pretend(step.task) for step in steps}
    return shop


def test_two_builds_write_the_notebooks_in_turn(make_book: Callable[..., Path]) -> None:
    """Neither sweeps away what the other is writing."""
    names = [f"section{number}" for number in range(20)]
    toctree = "\n".join(names)
    root = make_book(
        f"=== chapters/one/index.md\n# One\n\n```{{toctree}}\n{toctree}\n```\n", **dict.fromkeys(names, "1")
    )
    failures: list[BaseException] = []

    def build(shop: Press) -> None:
        try:
            for _ in range(20):
                for notebook in (shop.build / "notebooks").rglob("*.ipynb"):
                    notebook.write_text("old", encoding="utf-8")
                shop.notebooks()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=build, args=(workshop(root),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


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

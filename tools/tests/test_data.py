"""Data sets in use: real ones or stand-ins, their checksums, the mirror file, and what sections may open."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from bindery import standin
from bindery.cli import main
from bindery.data import Data, choose_data, draw, undeclared
from bindery.model import DataUse, ProblemsFound, Section
from bindery.press import Press
from bindery.settings import DataSet, Facts, SectionSettings, StandIn
from bindery.workshop import Choices

SHA1 = "5c1f9a3be0d47286ac51e93f0b7d2468ace13579"
SPRITES = "https://example.org/pokemon.zip"
TABLE = "https://example.org/table.csv"
FACTS = Facts(
    title="Tiny",
    version="0",
    authors=(),
    data={
        "pokemon": DataSet(files={SPRITES: SHA1}, standin="sprites"),
        "table": DataSet(files={TABLE: SHA1}),
    },
)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which stand-ins were drawn; each is one small file."""
    names: list[str] = []

    def make(name: str) -> Mapping[str, bytes]:
        names.append(name)
        return {"pokemon.zip": b"creatures"}

    monkeypatch.setattr(standin, "make", make)
    return names


def choose(build: Path, choice: str = "standin", mirror_file: str = "") -> Data:
    """The data of the facts in this module."""
    return choose_data(FACTS, choice, build, mirror_file)


def test_a_stand_in_takes_the_place_of_the_set_that_has_one(made: list[str], tmp_path: Path) -> None:
    """Its file, with its own checksum, stands in the mirror file; a set without one stays real."""
    data = choose(tmp_path)
    sha256 = hashlib.sha256(b"creatures").hexdigest()
    assert {"pokemon": sha256, "table": SHA1} == data.checksums
    assert data.mirror_file
    mirrors = json.loads(data.mirror_file.read_text(encoding="utf-8"))
    assert ({SPRITES}, sha256) == (set(mirrors), mirrors[SPRITES]["sha256"])
    assert Path(mirrors[SPRITES]["url"].removeprefix("file://")).read_bytes() == b"creatures"
    assert (tmp_path / "standin" / "mirrors.json").samefile(data.mirror_file)


def test_real_and_stand_in_data_are_kept_apart(made: list[str], tmp_path: Path) -> None:
    """They have different checksums, and what one unpacks the other never finds; real data draws nothing."""
    real = choose(tmp_path, "real")
    assert (made, real.mirror_file, real.checksums["pokemon"]) == ([], None, SHA1)
    assert real.folder != choose(tmp_path).folder


def test_a_stand_in_is_drawn_once(made: list[str], tmp_path: Path) -> None:
    """It is drawn again only where a file is missing or damaged."""
    choose(tmp_path)
    folder = choose(tmp_path).drawn["pokemon"]
    assert made == ["sprites"]
    (folder / "pokemon.zip").write_bytes(b"cut o")
    choose(tmp_path)
    assert (made, (folder / "pokemon.zip").read_bytes()) == (["sprites"] * 2, b"creatures")


def test_builds_at_once_draw_once(made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second one waits for the first, and finds what it drew."""
    results = []
    second = threading.Thread(target=lambda: results.append(draw("sprites", tmp_path, lambda _: None)))
    make = standin.make

    def make_while_another_asks(name: StandIn) -> Mapping[str, bytes]:
        if not made:
            second.start()
            second.join(0.3)  # it would end before we do, did it not wait
        return make(name)

    monkeypatch.setattr(standin, "make", make_while_another_asks)
    first = draw("sprites", tmp_path, lambda _: None)
    second.join()
    assert (made, results) == (["sprites"], [first])


def test_a_readers_mirror_needs_no_checksum_but_may_not_weaken_one(made: list[str], tmp_path: Path) -> None:
    """Without a checksum the original's holds; with one, results depend on it, and pages do not call the data real."""
    mirror_file = tmp_path / "mine.json"
    mirror_file.write_text(json.dumps({TABLE: {"url": "https://inside.example/table.csv"}}), encoding="utf-8")
    data = choose(tmp_path, "real", str(mirror_file))
    assert ({"pokemon": SHA1, "table": SHA1}, mirror_file) == (data.checksums, data.mirror_file)
    mirror_file.write_text(json.dumps({TABLE: {"url": "file:///table.csv", "sha256": "0" * 64}}), encoding="utf-8")
    for choice in ("real", "standin"):
        assert choose(tmp_path, choice, str(mirror_file)).checksums["table"] == "0" * 64
    section = Section("a.md", "A", "", (), SectionSettings(data=("table",)))
    assert (data.use_of(section).declared, choose(tmp_path, "real", str(mirror_file)).use_of(section).declared) == (
        {"table": "real"},
        {"table": "stand-in"},
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("{\n  'x'\n}", 2, "the mirror file that D2L_MIRRORS names cannot be read: Expecting property name"),
        ('{"https://example.org/a": {"url": "a"}}', 1, "'a' is not a URL that ends in a file's name"),
        ('{"https://example.org/a": {"sha256": "1"}}', 1, "`files.https://example.org/a.url` is missing"),
    ],
)
def test_a_mistake_in_the_mirror_file_is_a_problem(tmp_path: Path, text: str, line: int, message: str) -> None:
    """It is told with the file's name."""
    mirror_file = tmp_path / "mine.json"
    mirror_file.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemsFound) as found:
        choose(tmp_path, "real", str(mirror_file))
    assert str(found.value.problems[0]).startswith(f"{mirror_file}:{line}: ")
    assert message in str(found.value)


def test_a_file_that_the_stand_in_does_not_draw_is_a_problem(made: list[str], tmp_path: Path) -> None:
    """Else a section would go to the network for it."""
    facts = FACTS.model_copy(update={"data": {"x": DataSet(files={TABLE: SHA1}, standin="sprites")}})
    with pytest.raises(ProblemsFound, match=r"book.yml:1: data set `x`: `sprites` draws no `table.csv`; known: `pok"):
        choose_data(facts, "standin", tmp_path)


def test_only_declared_data_may_be_opened() -> None:
    """An undeclared set is named, and so is a URL that belongs to none."""
    use = DataUse(declared={"table": "real"}, set_of={SPRITES: "pokemon", TABLE: "table"})
    assert undeclared([TABLE], use) is None
    assert "data set `pokemon`" in str(undeclared([TABLE, SPRITES], use))
    assert "opens https://example.org/x, which is in no data set" in str(undeclared(["https://example.org/x"], use))


def test_command_says_what_is_used(
    made: list[str], make_book: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names each set with its stand-in, and `--show` makes a picture."""
    monkeypatch.setattr(standin, "sheet", lambda made: repr(made).encode())
    root = make_book(HUB)
    command = ["--root", str(root), "--data", "standin", "data", "--show", str(root / "x.png")]
    with pytest.raises(SystemExit, match="0"):
        main(command)
    assert "pokemon: stand-in `sprites`, build/standin/sprites-" in capsys.readouterr().out
    assert b"'sprites': {'" in (root / "x.png").read_bytes()


def test_a_mistyped_choice_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It does not silently mean something else."""
    monkeypatch.setenv("DATA", "reall")
    with pytest.raises(SystemExit, match="2"):
        main(["plan"])
    assert "no data is called `reall`; did you mean `real`?" in capsys.readouterr().err


HUB = """\
=== chapters/book.yml
title: Tiny
version: 0.0.1
authors: []
data:
  pokemon: {standin: sprites, files: {"https://example.org/pokemon.zip": 5c1f9a3be0d47286ac51e93f0b7d2468ace13579}}
=== chapters/one/index.md
# One

```{toctree}
a
b
c
```
=== chapters/one/a.md
# The hub

```{code-cell} python
#@save
import hashlib
import json
import os
import urllib.request
```

```{code-cell} python
def fetch(url, sha1):  #@save
    "Read a file, from a mirror if there is one; check it."
    if "D2L_DATA_LOG" in os.environ:
        with open(os.environ["D2L_DATA_LOG"], "a") as log:
            log.write(url + "\\n")
    mirrors = {}
    if "D2L_MIRRORS" in os.environ:
        with open(os.environ["D2L_MIRRORS"]) as file:
            mirrors = json.load(file)
    mirror = mirrors.get(url, {})
    with urllib.request.urlopen(mirror.get("url", url)) as reply:
        content = reply.read()
    if "sha256" in mirror:
        assert hashlib.sha256(content).hexdigest() == mirror["sha256"]
    else:
        assert hashlib.sha1(content).hexdigest() == sha1
    return content
```
=== chapters/one/b.md
---
bindery: {data: [pokemon]}
---
# Declared

```{code-cell} python
import os
from d2l import torch as d2l
print("got", d2l.fetch("https://example.org/pokemon.zip", "0"))
print("data in", os.path.basename(os.path.realpath("../data")))
```
=== chapters/one/c.md
# Not declared

```{code-cell} python
from d2l import torch as d2l
```

Prose.

```{code-cell} python
print("got", d2l.fetch("https://example.org/pokemon.zip", "0"))
```
"""


@pytest.mark.slow
def test_sections_get_the_stand_ins_that_they_declare(
    made: list[str], make_book: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network is needed, pages say what the data were, and opening an undeclared set is a problem in its cell."""
    monkeypatch.delenv("D2L_MIRRORS", raising=False)
    root = make_book(HUB)
    shop = Press(root, Choices(), Console(quiet=True))
    (problem,) = shop.run()
    assert (str(problem.location), problem.rule) == ("chapters/one/c.md:10", "data")
    assert problem.message.startswith("opens data set `pokemon`")
    (step,) = [step for step in shop.steps if step.section.name == "one/b"]
    stored = shop.store.find(step.section, step.inputs.key, step.inputs.environment)
    assert stored
    text = stored.notebook["cells"][-1]["outputs"][0]["text"]
    assert text == f"got b'creatures'\ndata in {shop.data.folder.name}\n"
    page = shop_page(shop, "one/b")
    assert "profile quick (profile full unverified) · stand-in data: pokemon · CPU" in page
    assert "Outputs here are from stand-in data (drawn in place of `pokemon`)" in page
    assert "data" not in shop_page(shop, "one/a")
    real = Press(root, Choices(data="real"), Console(quiet=True))
    (step,) = [step for step in real.steps if step.section.name == "one/b"]
    assert step.changes == ("data set `pokemon` changed",)


def shop_page(shop: Press, name: str) -> str:
    """What weaving adds to a section's page."""
    from bindery.weave import is_note, weave_notebook

    (step,) = [step for step in shop.steps if step.section.name == name]
    stored = shop.store.find(step.section, step.inputs.key, step.inputs.environment)
    assert stored
    cells = weave_notebook(step.section, stored, shop.library)["cells"]
    return "\n".join(cell["source"] for cell in cells if is_note(cell["id"]))

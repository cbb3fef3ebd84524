"""A whole book, built again and again: what runs, what is woven, and what stays when something is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building import BOOK, bindery, contents, edit, ran
from rich.console import Console

from bindery import schedule, site
from bindery.press import Press
from bindery.workshop import Choices

pytestmark = pytest.mark.slow


def test_products_are_there(built: Path) -> None:
    """One command makes the site, the notebooks, the library, the wheel and the report."""
    page = (built / "build/html/one/defines.html").read_text(encoding="utf-8")
    assert "n is 2" in page
    assert "made with" in page
    assert '<annotation encoding="application/x-tex">x^2</annotation>' in page
    notebook = json.loads((built / "build/notebooks/one/defines.ipynb").read_text(encoding="utf-8"))
    parameters = [cell for cell in notebook["cells"] if cell["metadata"].get("tags") == ["parameters"]]
    assert [cell["source"] for cell in parameters] == ["n = 1000"]
    assert (built / "build/notebooks.zip").is_file()
    assert (built / "build/wheel/d2l-0.0.1-py3-none-any.whl").is_file()
    report = json.loads((built / "build/report/report.json").read_text(encoding="utf-8"))
    assert [section["section"] for section in report["sections"]] == ["one/defines", "one/uses", "one/apart"]
    assert (built / "build/data/real/seen").is_file()


def test_nothing_is_written_outside_build(built: Path) -> None:
    """After a whole build the book's folder holds what it held before, and `build`."""
    outside = {name for name in contents(built) if not name.startswith("build/") and "__pycache__" not in name}
    assert outside == {"conf.py", *(part.partition("\n")[0] for part in ("\n" + BOOK).split("\n=== ")[1:])}


def test_a_failing_section_leaves_all_products_as_they_were(root: Path) -> None:
    """Even when saved code has changed and could make a wheel; `build/library` is new, since kernels imported it."""
    products = ("html", "notebooks", "pdf", "epub", "wheel")
    before = {name: contents(root / "build" / name) for name in products}
    edit(root, "one/defines.md", "x ** 2", "x ** 'two'")
    code, _, errors = bindery(root, "all")
    assert code == 1
    assert "chapters/one/uses.md:5: TypeError" in errors
    assert {name: contents(root / "build" / name) for name in products} == before
    assert "x ** 'two'" in (root / "build/library/d2l/torch/one.py").read_text(encoding="utf-8")


def test_nothing_changed_runs_nothing_and_starts_no_sphinx(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second build neither starts a kernel nor Sphinx."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("this must not be called")

    monkeypatch.setattr(schedule, "run", forbidden)
    monkeypatch.setattr(site, "build_site", forbidden)
    before = contents(root / "build/source")
    assert Press(root, Choices(), Console(quiet=True)).html() == []
    assert before == contents(root / "build/source")


def test_an_edited_definition_reruns_exactly_what_reaches_it(root: Path) -> None:
    """Same length, same second: the section that defines it and those that use it run, and show the new result."""
    edit(root, "one/defines.md", "x ** 2", "x ** 3")
    code, output, _ = bindery(root, "html")
    assert (0, {"one/defines", "one/uses"}) == (code, ran(output))
    assert "power 27" in (root / "build/html/one/uses.html").read_text(encoding="utf-8")
    edit(root, "one/defines.md", "x ** 3", "x ** 2")
    assert set() == ran(bindery(root, "html")[1])
    assert "power 9" in (root / "build/html/one/uses.html").read_text(encoding="utf-8")


def test_prose_runs_nothing_and_changes_one_page(root: Path) -> None:
    """The lines of all that follows move, yet only the edited section is woven again."""
    before = contents(root / "build/source")
    edit(root, "one/defines.md", "Prose with", "More prose,\n\non more lines, with")
    code, output, _ = bindery(root, "html")
    after = contents(root / "build/source")
    assert (0, set()) == (code, ran(output))
    assert [name for name in after if before.get(name) != after[name]] == ["one/defines.ipynb"]
    assert "on more lines" in (root / "build/html/one/defines.html").read_text(encoding="utf-8")


def test_a_commit_alone_weaves_nothing(root: Path) -> None:
    """Version and commit stand in one small file, not in the pages."""
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "chapters", "conf.py"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "first"], check=True)
    before, pages = contents(root / "build/source"), contents(root / "build/html")
    code, output, _ = bindery(root, "html")
    after = contents(root / "build/html")
    assert (0, True, before) == (code, "nothing changed" in output, contents(root / "build/source"))
    assert [name for name in after if pages.get(name) != after[name]] == ["build.json"]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert json.loads(after["build.json"])["commit"].startswith(commit[:10])


def test_a_damaged_result_is_made_again(root: Path) -> None:
    """A stored result whose bytes are not those that were written is not used, and the build says so."""
    entries = [path for path in (root / "build" / "cache").rglob("*.ipynb") if b"no library here" in path.read_bytes()]
    [entry] = entries
    entry.write_bytes(entry.read_bytes().replace(b"no library here\\n", b"no library HERE\\n"))
    code, output, _ = bindery(root, "html")
    assert (code, ran(output)) == (0, {"one/apart"})
    assert "cache: the stored result of one/apart is damaged and is not used" in output


def test_deleting_build_loses_only_time(root: Path) -> None:
    """Built again from nothing, the library, the notebooks and the wheel are the same bytes, but for seconds."""
    products = ("library", "wheel")
    before = {name: contents(root / "build" / name) for name in products}
    shutil.rmtree(root / "build")
    assert bindery(root, "all")[0] == 0
    assert {name: contents(root / "build" / name) for name in products} == before


def test_two_builds_at_once_run_each_section_once(root: Path) -> None:
    """The second build waits for the first one's result of a section and uses it."""
    edit(root, "one/apart.md", "print(", "import time\ntime.sleep(2)\nprint(")
    command = [sys.executable, "-m", "bindery", "--root", str(root), "run"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("one/apart" in ran(output) for output in outputs) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["plan"], 0, "0 of 3 sections would run"),
        (["plan", "--why", "one/uses"], 0, "nothing changed"),
        (["plan", "--why", "one/use"], 2, "bindery: no section `one/use` has code; did you mean `one/uses`?"),
        (["run", "--only", "two"], 2, "bindery: no section or chapter `two` has code"),
        (["--gpus", "some", "plan"], 2, "'some' is none of auto, 0, a number, and a list such as 0,2"),
        (["--cache-size", "-1", "plan"], 2, "'-1' is not a number of GiB"),
        (["--profile", "full", "plan"], 0, "1 of 3 sections would run"),
        (["hmtl"], 2, "there is no `hmtl` here"),
        (["--help"], 0, "exit codes: 0 all is well"),
    ],
)
def test_command_line(root: Path, arguments: list[str], code: int, text: str) -> None:
    """Each command says what it did; a mistyped one exits 2."""
    found, output, errors = bindery(root, *arguments)
    assert (code, True) == (found, text in output + errors)


def test_builds_do_not_depend_on_the_hash_seed(built: Path, tmp_path: Path) -> None:
    """Two processes with different hash seeds make the same library, pages and wheel."""
    made = []
    for seed in ("1", "2"):
        copy = Path(shutil.copytree(built, tmp_path / seed / "book", symlinks=True))
        for name in ("libraries", "library", "source", "wheel", "notebooks"):
            target = copy / "build" / name
            target.unlink() if target.is_symlink() else shutil.rmtree(target)
        environment = {"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-m", "bindery", "--root", str(copy), "all"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        made.append({name: contents(copy / "build" / name) for name in ("library", "source", "wheel", "notebooks")})
    assert made[0] == made[1]


def test_plan_foretells_how_long_a_build_takes(root: Path) -> None:
    """From what sections took last time, on the slots that there are; the longest is the least that can be had."""
    for name, seconds in (("defines", 20), ("uses", 50), ("apart", 90)):
        path = root / f"build/history/quick/one/{name}.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "seconds": seconds}))
    for name in ("defines", "apart"):
        edit(root, f"one/{name}.md", "print(", "print('new', end='')\nprint(")
    said = bindery(root, "--slots", "1", "plan")[1].splitlines()
    assert [line.partition(":")[0] for line in said[:2]] == [
        "would run one/apart (about 90 s)",
        "would run one/defines (about 20 s)",
    ]
    assert said[2] == "2 of 3 sections would run: about 110 s on 1 slot, of which the longest takes 90 s"
    assert (
        bindery(root, "--slots", "2", "plan")[1]
        .splitlines()[2]
        .endswith("about 90 s on 2 slots, of which the longest takes 90 s")
    )


def test_the_cache_keeps_to_its_size(root: Path) -> None:
    """Old results go, and the user is told; those of the book as it is stay, of the other profile, too."""
    bindery(root, "--profile", "full", "run")
    edit(root, "one/apart.md", "print(", "print('newer', end='')\nprint(")
    bindery(root, "run")
    edit(root, "one/apart.md", "newer", "newest")
    said = bindery(root, "--cache-size", "0", "run")[1]
    assert "cache: removed 1 result that" in said
    assert "more than the 0 MiB that it may have" in said
    for profile in ("quick", "full"):
        assert "0 of 3 sections would run" in bindery(root, "--profile", profile, "plan")[1]

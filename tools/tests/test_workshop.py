"""A whole book, built again and again: what runs, what is woven, and what stays when something is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from rich.console import Console

from bindery import schedule, site
from bindery.workshop import Workshop

pytestmark = pytest.mark.slow

BOOK = """\
=== chapters/book.yml
title: Tiny
version: 0.0.1
authors: [{name: Ada}]
=== chapters/references.bib
@article{Lovelace.1843, author = {Lovelace, Ada}, title = {Notes}, journal = {Memoirs}, year = {1843}}
=== chapters/index.md
# Tiny

```{toctree}
:numbered:

one/index
```

```{toctree}
references
```
=== chapters/references.md
# References

```{bibliography}
```
=== chapters/one/index.md
# One

```{toctree}
defines
uses
apart
```
=== chapters/one/defines.md
---
bindery:
  quick: {n: 2}
---
(sec_defines)=
# Defining

Prose with $x^2$ {cite:p}`Lovelace.1843`.

```{code-cell} python
:tags: [parameters]

n = 1000
```

```{code-cell} python
def power(x):  #@save
    return x ** 2

print("n is", n)
```
=== chapters/one/uses.md
# Using

```{code-cell} python
from d2l import torch as d2l
print("power", d2l.power(3))
```

See {ref}`sec_defines`.
=== chapters/one/apart.md
# Apart

```{code-cell} python
open("../data/seen", "w").close()
print("no library here")
```
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book that has been built once."""
    root = tmp_path_factory.mktemp("built") / "book"
    write(root, BOOK)
    shutil.copy(REPOSITORY / "conf.py", root)
    assert bindery(root, "all")[::2] == (0, "")
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """A copy of the built book, to be changed."""
    return Path(shutil.copytree(built, tmp_path / "book", symlinks=True))


def write(root: Path, text: str) -> None:
    """Write the files of a text."""
    for part in ("\n" + text).split("\n=== ")[1:]:
        path, _, content = part.partition("\n")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content.rstrip("\n") + "\n", encoding="utf-8")


def bindery(root: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command line."""
    command = [sys.executable, "-m", "bindery", "--root", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def edit(root: Path, path: str, old: str, new: str) -> None:
    """Replace a text that must be there."""
    file = root / "chapters" / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder but Python's own caches."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def ran(output: str) -> set[str]:
    """The sections that a build says it ran."""
    return {line.split()[2] for line in output.splitlines() if "] ran " in line}


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
    assert (built / "build/data/seen").is_file()


def test_nothing_changed_runs_nothing_and_starts_no_sphinx(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second build neither starts a kernel nor Sphinx."""

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("this must not be called")

    monkeypatch.setattr(schedule, "run", forbidden)
    monkeypatch.setattr(site, "build_site", forbidden)
    before = contents(root / "build/source")
    assert Workshop(root, "quick", 1, Console(quiet=True)).html() == []
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


def test_deleting_build_loses_only_time(root: Path) -> None:
    """Built again from nothing, the library, the notebooks and the wheel are the same bytes, but for seconds."""
    products = ("library", "wheel")
    before = {name: contents(root / "build" / name) for name in products}
    shutil.rmtree(root / "build")
    assert bindery(root, "all")[0] == 0
    assert {name: contents(root / "build" / name) for name in products} == before


FAULTS: dict[str, tuple[str, str, str, str]] = {
    "cell raises": (
        'print("no library here")',
        "x = 1\nx / 0",
        "chapters/one/apart.md:6: ZeroDivisionError: division by zero [cell-raised]",
        "run",
    ),
    "kernel killed": (
        'print("no library here")',
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "chapters/one/apart.md:4: the kernel was killed by SIGKILL",
        "run",
    ),
    "sys.exit": (
        'print("no library here")',
        "import sys\nsys.exit(0)",
        "chapters/one/apart.md:4: SystemExit: 0 [kernel-exited]",
        "run",
    ),
    "over time": (
        "# Apart\n",
        "---\nbindery: {timeout: 1}\n---\n# Apart\n\n```{code-cell} python\nwhile True: pass\n```\n",
        "chapters/one/apart.md:7: the section's 1 seconds were over in this cell (`timeout`) [timeout]",
        "run",
    ),
    "broken reference": (
        "# Apart\n",
        "# Apart\n\nSee {ref}`sec_nowhere`.\n",
        "chapters/one/apart.md:3: ",
        "site",
    ),
    "bad formula": ("# Apart\n", "# Apart\n\nLook: $\\frac{1$.\n", "chapters/one/apart.md:3: ", "site"),
    "name saved twice": (
        'print("no library here")',
        "def power(x):  #@save\n    return 0",
        "chapters/one/apart.md:5: `power` is already saved at chapters/one/defines.md:17",
        "read",
    ),
    "no title": ("# Apart\n", "Apart\n", "chapters/one/apart.md:1: no title", "read"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_problem_and_leaves_earlier_products_alone(root: Path, fault: str) -> None:
    """One clear problem with file and line, exit code 1, and the site, notebooks and library of before."""
    old, new, message, stage = FAULTS[fault]
    before = {name: contents(root / "build" / name) for name in ("html", "library", "notebooks", "wheel")}
    edit(root, "one/apart.md", old, new)
    code, output, errors = bindery(root, "html")
    lines = [line for line in errors.splitlines() if line.startswith("chapters/")]
    assert (code, len(lines), lines[0].startswith(message)) == (1, 1, True)
    assert before == {name: contents(root / "build" / name) for name in before}
    if stage == "run":
        assert "one/apart failed; its outputs so far are in build/report/failed/one/apart.ipynb" in output
        assert (root / "build/report/failed/one/apart.ipynb").is_file()
        report = json.loads((root / "build/report/report.json").read_text(encoding="utf-8"))
        assert len(report["problems"]) == 1
    edit(root, "one/apart.md", new, old)
    assert bindery(root, "html")[::2] == (0, "")


def test_others_go_on_when_one_fails(root: Path) -> None:
    """A failing section does not keep the rest from running; they are not run again afterwards."""
    edit(root, "one/defines.md", "x ** 2", "x + 1")
    edit(root, "one/apart.md", 'print("no library here")', "1 / 0")
    code, output, _ = bindery(root, "run")
    assert (1, {"one/defines", "one/uses"}) == (code, ran(output))
    assert "would run one/apart" in bindery(root, "plan")[1]
    assert "1 of 3 sections would run" in bindery(root, "plan")[1]


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
        (["plan", "--why", "one/use"], 1, "did you mean `one/uses`?"),
        (["run", "--only", "two"], 1, "no section or chapter `two` has code"),
        (["--profile", "full", "plan"], 0, "1 of 3 sections would run"),
        (["hmtl"], 2, "invalid choice"),
        (["--help"], 0, "exit codes: 0 all is well"),
    ],
)
def test_command_line(root: Path, arguments: list[str], code: int, text: str) -> None:
    """Each command says what it did; a mistyped one exits 2, an unknown section 1."""
    found, output, errors = bindery(root, *arguments)
    assert (code, True) == (found, text in output + errors)


def test_a_folder_without_a_book_is_a_problem(tmp_path: Path) -> None:
    """The message says what is missing and how to name another folder."""
    code, _, errors = bindery(tmp_path, "html")
    assert code == 1
    assert "no book here" in errors


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

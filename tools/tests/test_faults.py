"""A whole book in which something is wrong: one clear problem, and nothing of what was there before is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from building import bindery, contents, edit, ran

pytestmark = pytest.mark.slow

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
    assert not (root / "build/report/failed/one/apart.ipynb").exists()


def test_others_go_on_when_one_fails(root: Path) -> None:
    """A failing section does not keep the rest from running; they are not run again afterwards."""
    edit(root, "one/defines.md", "x ** 2", "x + 1")
    edit(root, "one/apart.md", 'print("no library here")', "1 / 0")
    code, output, _ = bindery(root, "run")
    assert (1, {"one/defines", "one/uses"}) == (code, ran(output))
    assert "would run one/apart" in bindery(root, "plan")[1]
    assert "1 of 3 sections would run" in bindery(root, "plan")[1]


def test_a_folder_without_a_book_is_a_problem(tmp_path: Path) -> None:
    """The message says what is missing and how to name another folder."""
    code, _, errors = bindery(tmp_path, "html")
    assert code == 1
    assert "no book here" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_is_stopped_goes_on_where_it_was(root: Path) -> None:
    """After Ctrl-C: status 130, a report, the earlier site as it was, and a next build that runs only the rest."""
    before = contents(root / "build" / "html")
    for name in ("defines", "uses", "apart"):
        edit(root, f"one/{name}.md", "\nprint(", "\nimport time; time.sleep(1.5)\nprint(")
    command = [sys.executable, "-m", "bindery", "--root", str(root), "--slots", "2", "html"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as build:
        assert build.stdout and build.stderr
        # The site needs the sections, so a line about one means that two have begun.
        first = build.stdout.readline()
        build.send_signal(signal.SIGINT)
        output, errors = build.communicate(timeout=60)
    assert "] ran one/" in first
    assert (build.returncode, errors) == (130, "stopped; what had finished is kept\n")
    report = json.loads((root / "build/report/report.json").read_text(encoding="utf-8"))
    finished = {section["section"] for section in report["sections"]}
    assert contents(root / "build" / "html") == before
    code, output, _ = bindery(root, "html")
    assert (code, ran(output) | finished, ran(output) & finished) == (
        0,
        {"one/defines", "one/uses", "one/apart"},
        set(),
    )


def test_a_full_disk_is_told_and_loses_nothing(root: Path) -> None:
    """Where files cannot grow, the message names one, the status is 1, and the earlier products stay."""
    before = {name: contents(root / "build" / name) for name in ("html", "library", "notebooks", "wheel")}
    edit(root, "one/apart.md", "no library here", "nor here " * 3000)
    code = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from bindery.cli import main
main(["--root", {str(root)!r}, "html"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert before == {name: contents(root / "build" / name) for name in before}
    assert bindery(root, "html")[::2] == (0, "")

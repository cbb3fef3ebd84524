"""The command line: what it refuses before anything is read, what its help shows, and what a shell completes."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bindery.cli import main, make_parser
from bindery.examples import EXAMPLES


@pytest.mark.parametrize(("variable", "value"), [("PROFILE", "ful"), ("CPU_SLOTS", "many")])
def test_a_typing_error_in_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    """What an option would refuse is refused in the variable too: `PROFILE=ful` once ran the full book."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as stopped:
        main(["plan"])
    assert stopped.value.code == 2
    assert value in capsys.readouterr().err


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser."""
    kinds = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(kinds[0].choices) if kinds else {}


def test_each_command_has_examples_that_parse() -> None:
    """What the help of a command shows can be typed; nothing is shown of a command that is gone."""
    parser = make_parser()
    assert set(EXAMPLES) == set(subcommands(parser))
    for command, examples in EXAMPLES.items():
        help_text = subcommands(parser)[command].format_help()
        for line, _ in examples:
            words = shlex.split(line.partition(" > ")[0])
            assert words[0] == "bindery" and command in words
            assert line in help_text
            parser.parse_args(words[1:])


def completions(folder: Path, line: str) -> set[str]:
    """What the shell would offer at the end of a line, asked as argcomplete's script for bash asks."""
    environment = {
        **os.environ,
        **{"_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_SUPPRESS_SPACE": "1"},
        **{"_ARGCOMPLETE_STDOUT_FILENAME": str(folder / "offered"), "COMP_LINE": line, "COMP_POINT": str(len(line))},
    }
    done = subprocess.run(
        [sys.executable, "-m", "bindery"], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    return {word.strip() for word in (folder / "offered").read_text().split("\013")}


def test_a_shell_completes_commands_options_and_names_of_the_book(make_book: Callable[..., Path]) -> None:
    """Without reading a chapter: one that is broken is offered, too."""
    root = make_book(a="x = 1", another="y = 2")
    (root / "chapters/one/broken.md").write_bytes(b"\xff")
    assert {"html", "lint", "init", "doctor"} <= completions(root, "bindery ")
    assert completions(root, "bindery lint --f") == {"--fix", "--format"}
    assert completions(root, "bindery plan --why one/") == {"one/a", "one/another", "one/broken"}
    assert completions(root, "bindery run --only o") == {"one", "one/a", "one/another", "one/broken"}
    assert completions(root.parent, "bindery --root book run --only one/a") == {"one/a", "one/another"}


def test_a_shell_learns_to_complete_from_one_line(make_book: Callable[..., Path]) -> None:
    """The line that the documentation gives, in bash itself."""
    program = Path(sys.executable).with_name("register-python-argcomplete")
    root = make_book(a="x = 1")
    script = f"""eval "$({program} bindery)"
bindery() {{ {sys.executable} -m bindery "$@"; }}
COMP_LINE='bindery plan --w' COMP_POINT=16 COMP_TYPE=9
_python_argcomplete bindery
echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=root, check=False)
    assert (done.stdout.strip(), done.stderr) == ("--why", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["htlm"], "there is no `htlm` here; did you mean `html`?"),
        (["new", "sektion", "a/b"], "there is no `sektion` here; did you mean `section`?"),
        (["--profile", "quik", "html"], "no profile is called `quik`; did you mean `quick`?"),
    ],
)
def test_a_mistyped_word_is_told_with_what_was_meant(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of commands, of what comes after them, and of values."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert capsys.readouterr().err.endswith(f"{said}\n")

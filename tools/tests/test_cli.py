"""The command line: what it refuses before anything is read."""

from __future__ import annotations

import pytest

from bindery.cli import main


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

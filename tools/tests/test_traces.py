"""Tracebacks of the kernel in lines of the book."""

import pytest

from bindery import traces
from bindery.model import Location

PATH = "chapters/demo/demo.md"


class TestTraces:
    """Frames, headlines and details."""

    sources = traces.Sources(
        cells={1: traces.Place(Location(PATH, 10), 3), 2: traces.Place.of("\n\nx = 1\ncall(x)", Location(PATH, 20))},
        files={"4711.py": 1},
        library="/home/a/build/libraries/1",
        origins={"gan.py": [(4, 9, "chapters/gan/gan.md", 112), (12, 20, "chapters/gan/gan.md", 30)]},
    )

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("Cell In[1], line 2, in f(x)", (f"{PATH}:11", 1, ", in f(x)")),
            ("  Cell In[1], line 1", (f"{PATH}:10", 1, "")),
            ("Cell In[2], line 2", (f"{PATH}:23", 2, "")),
            ("Cell In[1], line 99", (f"{PATH}:12", 1, "")),
            ("Cell In[9], line 1", ("None", 9, "")),
            ("File /home/a/build/libraries/1/d2l/torch/gan.py:5, in f(x)", ("chapters/gan/gan.md:113", 0, ", in f(x)")),
            ("File ~/build/libraries/1/d2l/torch/gan.py:12", ("chapters/gan/gan.md:30", 0, "")),
            ("File ~/build/libraries/2/d2l/torch/gan.py:12", ("None", 0, "")),
            ("File /home/a/build/libraries/1/d2l/torch/gan.py:10, in f", ("None", 0, ", in f")),
            ("File /other/d2l/torch/gan.py:5, in f(x)", ("None", 0, ", in f(x)")),
            ("File /home/a/build/libraries/1/d2l/torch/cnn.py:5", ("None", 0, "")),
            (
                '  File "/home/a/build/libraries/1/d2l/torch/gan.py", line 4, in f',
                ("chapters/gan/gan.md:112", 0, ", in f"),
            ),
            ('  |   File "/scratch/ipykernel_17/4711.py", line 3, in <module>', (f"{PATH}:12", 1, ", in <module>")),
            ('  File "/scratch/elsewhere/4711.py", line 3, in g', ("None", 0, ", in g")),
        ],
    )
    def test_frames_are_located(self, line: str, expected: tuple[str, int, str]) -> None:
        """Frames of cells and of saved blocks lead to chapter lines, others nowhere."""
        located = self.sources.locate(line)
        assert located
        assert expected == (str(located[0]), *located[1:])

    @pytest.mark.parametrize("line", ["", "----> 3 g(x)", "ValueError: File x:3", "File a story", "Cell In[x], line 1"])
    def test_other_lines_are_no_frames(self, line: str) -> None:
        """Code, messages and blank lines are left alone."""
        assert self.sources.locate(line) is None

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("ZeroDivisionError", "division by zero", "ZeroDivisionError: division by zero"),
            ("KeyboardInterrupt", "", "KeyboardInterrupt"),
            ("ValueError", "two\nlines", "ValueError: two"),
            ("ValueError", "\n\x1b[31mred\x1b[39m \n", "ValueError: red"),
            ("SyntaxError", "invalid syntax (2710123107.py, line 1)", "SyntaxError: invalid syntax"),
        ],
    )
    def test_headline_is_one_line(self, name: str, value: str, expected: str) -> None:
        """Name and first line of the message, without colours or the name the cell was compiled under."""
        assert expected == traces.headline(name, value)

    raised = (
        "\x1b[31m---------------------------------------------------------------------------\x1b[39m\n"
        "\x1b[31mZeroDivisionError\x1b[39m                         Traceback (most recent call last)\n"
        "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[2]\x1b[39m\x1b[32m, line 2\x1b[39m\n"
        "\x1b[32m      1\x1b[39m x = \x1b[32m1\x1b[39m\n\x1b[32m----> \x1b[39m\x1b[32m2\x1b[39m call(x)\n\n"
        "Cell In[1], line 3, in call(x)\n      1 # a\n   (...)\n----> 3     return d2l.invert(x)\n\n"
        "File ~/build/libraries/1/d2l/torch/gan.py:5, in invert(x)\n      4 def invert(x):\n----> 5     return 1 / (\n"
        "      6         x)\n\n"
        "File /usr/lib/python3.11/functools.py:12, in wrap(*a)\n---> 12 call(*a)\n\n"
        "ZeroDivisionError: division\n  7 by zero"
    )

    def test_detail_maps_frames(self) -> None:
        """Each frame is its place and the line that ran; the message keeps all its lines."""
        expected = f"""\
{PATH}:23
    call(x)
{PATH}:12, in call(x)
    return d2l.invert(x)
chapters/gan/gan.md:113, in invert(x)
    return 1 / (
File /usr/lib/python3.11/functools.py:12, in wrap(*a)
    call(*a)
ZeroDivisionError: division
  7 by zero"""
        assert expected == traces.readable(self.raised, self.sources)

    def test_detail_is_the_end(self) -> None:
        """A long traceback is cut at its beginning."""
        assert traces.readable(self.raised, self.sources, 2) == "ZeroDivisionError: division\n  7 by zero"

    def test_raised_at_the_last_frame_of_the_cell(self) -> None:
        """Frames of other cells and of the library do not count."""
        assert Location(PATH, 23) == traces.raised_at(self.raised, 2, self.sources)
        nested = "Cell In[1], line 1\nCell In[1], line 3, in f()\nCell In[2], line 1, in g()"
        assert Location(PATH, 12) == traces.raised_at(nested, 1, self.sources)
        assert traces.raised_at(self.raised, 3, self.sources) is None

    def test_syntax_errors_are_located(self) -> None:
        """They come without a traceback."""
        text = "  Cell In[1], line 2\n    x = = 2\n        ^\nSyntaxError: invalid syntax\n"
        assert Location(PATH, 11) == traces.raised_at(text, 1, self.sources)
        assert f"{PATH}:11\n    x = = 2\n        ^\nSyntaxError: invalid syntax" == traces.readable(text, self.sources)

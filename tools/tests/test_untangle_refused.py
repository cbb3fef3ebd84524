"""What cannot be taken back is told with file and line of the working copy, and then nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest
from oddbook import write_odd_book

from bindery.book import read_book
from bindery.model import ProblemsFound
from bindery.tangle import tangle
from bindery.untangle import untangle

ONE, TWO = "d2l/torch/one.py", "d2l/torch/two.py"
BACK = "taken back to chapters/"
NO_BLOCK = "this stands in no saved block; put it into one, or save what is new in a section"
HEAD = "bindery writes the head of a module; change the saved code that it tells of"
MISSING = "is missing, which tells where a block comes from; put it back"
BELOW = "below this comment of origin no statement begins; what is above one belongs into it"
LATE = "a comment below a block's last statement is not part of it; put it above"

CASES = {
    "a gathered import": (
        ONE,
        "\n\nfrom d2l import torch as d2l",
        "\n\nimport re\nfrom d2l import torch as d2l",
        [(3, "bindery gathers these imports; change what a section saves with `#@save`")],
    ),
    "the list of names": (ONE, '    "wrap",\n', "", [(17, HEAD)]),
    "the title": (ONE, '"""One', '"""Two', [(1, HEAD)]),
    "a comment of origin": (
        ONE,
        "# chapters/two/late.md:6, Section 2.3",
        "# the body",
        [(66, f"`# chapters/two/late.md:6, Section 2.3` {MISSING}")],
    ),
    "a block twice": (
        ONE,
        "    # chapters/two/late.md:6, Section 2.3",
        "    # chapters/two/late.md:6, Section 2.3\n    # chapters/two/late.md:6, Section 2.3",
        [(70, "this comment of origin stands in another place than the one bindery gave it")],
    ),
    "a merged method taken out": (
        ONE,
        "    # chapters/two/late.md:18, Section 2.3\n    @property\n    def label(self):\n        return 'é'\n",
        "",
        [(52, f"`# chapters/two/late.md:18, Section 2.3` {MISSING}")],
    ),
    "a comment above a block": (ONE, "def wrap(f)", "# Wrap.\ndef wrap(f)", [(32, BELOW)]),
    "a comment at the end of a block": (ONE, "    return f\n\n\n#", "    return f\n    # end\n\n\n#", [(35, NO_BLOCK)]),
    "a comment at the end of a merged method": (
        ONE,
        "return self.sides",
        "return self.sides\n        # end",
        [(56, LATE)],
    ),
    "a new function": (
        ONE,
        "\n\n\n# chapters/one/plain.md:38",
        "\n\n\ndef f(): pass\n\n\n# chapters/one/plain.md:38",
        [(32, NO_BLOCK)],
    ),
    "a new method below merged ones": (ONE, "'é'\n", "'é'\n\n    def f(self): pass\n", [(64, NO_BLOCK)]),
    "a new last line": (TWO, "WIDTH: int = 3\n", "WIDTH: int = 3\n\n\nX = 1\n", [(41, NO_BLOCK)]),
    "an indent that no class gives": (
        ONE,
        "      total)",
        "  total)",
        [(49, "in a method that is merged into a class, lines are indented by 4")],
    ),
    "another name for a method": (
        ONE,
        "def edges(self)",
        "def corners(self)",
        [
            (
                53,
                f"{BACK}two/late.md:12, this would not do: `Shape.corners` does not exist yet, so there is nothing to "
                "override; write `#@save`",
            )
        ],
    ),
    "another name for a function": (
        ONE,
        "def add_to_class(",
        "def method_of(",
        [
            (
                24,
                f"{BACK}one/plain.md:10, this would not do at chapters/{place}: the library has no "
                "`d2l.add_to_class`; known: `Empty`, `SIZES`, `Shape`, `Square`, `WIDTH`, `double`, `half`, `math`, "
                "`method_of`, `path`, `third`, `wrap`, `wrapped`",
            )
            for place in ("one/windows.md:6", "two/late.md:12", "two/late.md:18", "two/late.md:6")
        ],
    ),
    "another import": (
        ONE,
        "import math\n",
        "import math, re\n",
        [(13, 'tangled again, the library would have another line here, `"re",`; edit the section')],
    ),
    "a name that would have to be imported": (
        TWO,
        "return n / 2",
        "return n / 2 + len(path.sep)",
        [(3, "tangled again, the library would have another line here, `import os.path as path`; edit the section")],
    ),
    "a comment where the mark is": (
        TWO,
        "WIDTH: int = 3",
        "WIDTH: int = 3  # cm",
        [
            (
                40,
                f"{BACK}two/compact.ipynb:6, this would not do: `# cm  #@save` does not save; a mark is a comment of "
                "its own, `#@save` or `#@save override`",
            )
        ],
    ),
    "what closes the cell": (
        ONE,
        "    return text, x",
        "    '''\n````\n'''\n    return text, x",
        [(84, f"{BACK}one/plain.md:41, this would not do: a cell of this chapter cannot hold this text")],
    ),
    "a syntax error": (ONE, "def wrap(f):", "def wrap(f)::", [(33, "not Python: invalid syntax")]),
    "the library's own module": (
        "d2l/torch/__init__.py",
        "import",
        "import ",
        [(3, "bindery writes this file; it comes from no section")],
    ),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with saved code in every form."""
    folder = tmp_path_factory.mktemp("odd")
    write_odd_book(folder)
    return folder


def refused(root: Path, path: str, old: str, new: str) -> list[str]:
    """The problems with an edit of one module, while a good edit of another one stands beside it."""
    book = read_book(root)
    library = tangle(book)
    texts = {section.path: (root / section.path).read_bytes().decode() for section in book.sections()}
    edited = dict(library.files)
    assert old in edited[path]
    edited[ONE] = edited[ONE].replace('"""Register a method."""', '"""Make a method of it."""')
    edited[path] = edited[path].replace(old, new, 1)
    with pytest.raises(ProblemsFound) as found:
        untangle(book, library, edited, texts, "build/edit")
    return [str(problem) for problem in found.value.problems]


@pytest.mark.parametrize("case", CASES)
def test_an_edit_that_no_section_can_hold_is_told(root: Path, case: str) -> None:
    """Nothing else is told, and the edit beside it, which is good, is not taken back either."""
    path, old, new, expected = CASES[case]
    shown = [problem.rpartition(" [")[0] for problem in refused(root, path, old, new)]
    assert shown == [f"build/edit/{path}:{line}: {message}" for line, message in expected]


def test_files_that_are_missing_or_new_are_told(root: Path) -> None:
    """A module of the library cannot be removed in the copy, and none can be added."""
    book = read_book(root)
    library = tangle(book)
    edited = {**library.files, "d2l/torch/three.py": "x = 1\n"}
    del edited[TWO]
    with pytest.raises(ProblemsFound) as found:
        untangle(book, library, edited, {}, "build/edit")
    assert [str(problem) for problem in found.value.problems] == [
        "build/edit/d2l/torch/three.py:1: no section saves anything into this file; save its code in one, and remove it"
        " here [untangle]",
        "build/edit/d2l/torch/two.py:1: this file is missing; put it back, or remove the saved code from its section "
        "[untangle]",
    ]

"""The readers' notebooks: nothing of MyST is left in them, and they run where only their archive is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from building import bindery, edit, write
from conftest import REPOSITORY, TESTS
from docutils import nodes
from docutils.core import publish_doctree

from bindery.sphinxext.markdown import Markdown, expanded

MYST = re.compile(r"(?<!`)\{[a-z:]+\}`|^(```\{|:::|\(\w+\)=|% )", re.MULTILINE)
"""Roles, directives, labels and comments."""


def as_markdown(text: str, **options: Any) -> str:
    """What the writer makes of reStructuredText, without links and pictures."""
    document = publish_doctree(text, settings_overrides={"report_level": 5})
    writer = Markdown(
        **{
            "link": lambda target: target,
            "picture": lambda node: str(node["uri"]),
            "numbers": {},
            "macros": {},
            "equation": lambda node: "",
            **options,
        }
    )
    return writer.blocks(document.children)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*b and c_d and _e and $5", r"a\*b and c_d and \_e and \$5"),
        ("x < y & z", "x &lt; y &amp; z"),
        (r"1\. is no list", r"1\. is no list"),
        (r"\# is no heading", r"\# is no heading"),
        ("*one* **two** ``thr`ee``", "*one* **two** ``thr`ee``"),
        ("- a\n\n  b\n- c", "- a\n\n  b\n- c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("    quoted", "> quoted"),
        (".. note::\n\n   Mind.\n\n   Do.", "> **Note**\n>\n> Mind.\n>\n> Do."),
        ("word\n  what it means", "**word**: what it means"),
        ("before\n\n----\n\nafter", "before\n\n---\n\nafter"),
        ("=== ===\n a   b\n=== ===\n1   \\|\n=== ===", "| a | b |\n| --- | --- |\n| 1 | \\| |"),
        (":math:`\\|x\\|`", r"$\|x\|$"),
        ("=== ===\n a   b\n=== ===\n1   :math:`\\|x|`\n=== ===", "| a | b |\n| --- | --- |\n| 1 | $\\Vert x\\vert $ |"),
        (".. math:: a = b", "$$\na = b\n$$"),
        (".. math::\n\n   a &= b \\\\\n   c &= d", "$$\n\\begin{split}\na &= b \\\\\nc &= d\n\\end{split}\n$$"),
        ("::\n\n   x = 1", "```\nx = 1\n```"),
        ("a [1]_\n\n.. [1] b", "a <sup>1</sup>"),
    ],
)
def test_markdown_says_what_the_page_says(text: str, expected: str) -> None:
    """And nothing in a text becomes markup that was none."""
    assert as_markdown(text) == expected


def test_own_commands_are_written_out_in_formulas() -> None:
    """With their arguments, in braces or not; longer names that begin alike are left alone."""
    assert expanded(r"\R + \Rest", r"\R", r"\mathbb{R}") == r"{\mathbb{R}} + \Rest"
    assert expanded(r"\by{a_{1}}2 c", r"\by", r"\frac{#1}{#2}") == r"{\frac{a_{1}}{2}} c"


def test_numbered_environment_keeps_one_number() -> None:
    """MathJax knows no `align` inside a displayed formula."""
    node = nodes.math_block("", "\\begin{align}\na &= b\n\\end{align}")
    writer = Markdown(str, str, {}, {}, lambda _: "1.2.3")
    assert writer.block(node) == "$$\n\\begin{aligned}\na &= b\n\\end{aligned} \\tag{1.2.3}\n$$"


def read(root: Path, name: str) -> Any:
    """A notebook of a built book; it is valid."""
    notebook = nbformat.read(root / "build" / "notebooks" / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    return notebook


def prose(notebook: Any) -> str:
    """All its Markdown."""
    return "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a book with everything that has a number."""
    root = tmp_path_factory.mktemp("notebooks") / "book"
    text = (TESTS / "paper.txt").read_text(encoding="utf-8")
    write(root, re.sub(r"(?m)^url: .*\n", "", text, count=1))
    shutil.copy(REPOSITORY / "conf.py", root)
    assert bindery(root, "notebooks")[::2] == (0, "")
    return root


@pytest.mark.slow
def test_numbers_references_and_citations_are_written_out(made: Path) -> None:
    """As the website has them, with what is cited at the end, and pictures inside."""
    text = prose(read(made, "one/plain"))
    assert not MYST.search(text)
    assert "# 1.1. Plain" in text
    assert (
        "By Lovelace (1843) and (Babbage, 1864); see (1.1.2), (1.1), Table 1.1.1, Exercise 1.1.1 and Section 1.1."
        in (text.replace("\N{NO-BREAK SPACE}", " "))
    )
    assert '<img alt="a dot"' in text
    assert "**Figure 1.1.1.** A dot is round." in text
    assert "\\tag{1.1.2}" in text
    assert "| a | b |" in text
    assert "## References\n\n- Babbage, C. (1864). *Passages*. Longman.\n- Lovelace, A. (1843)." in text


@pytest.mark.slow
def test_solution_with_code_folds_under_a_heading(made: Path) -> None:
    """HTML cannot fold cells; Jupyter can."""
    cells = read(made, "one/plain")["cells"]
    at = next(index for index, cell in enumerate(cells) if cell["metadata"].get("jp-MarkdownHeadingCollapsed"))
    assert cells[at]["source"].endswith("Solution to Exercise 1.1.2")
    assert cells[at + 1]["source"] == 'print("solved")'


@pytest.mark.slow
def test_plots_can_be_seen_where_notebooks_are_not_trusted(made: Path) -> None:
    """As pixels beside the SVG, of the size of the drawing."""
    (output,) = next(cell["outputs"] for cell in read(made, "one/run")["cells"] if cell.get("outputs"))
    assert {"image/svg+xml", "image/png"} <= output["data"].keys()
    assert output["metadata"]["image/png"] == {"width": 90}


@pytest.mark.slow
def test_library_is_asked_for_by_address_and_checksum(made: Path, tmp_path: Path) -> None:
    """If the book has an address; links then lead there, too."""
    root = Path(shutil.copytree(made, tmp_path / "book", symlinks=True))
    edit(root, "book.yml", "title: Tiny", "url: https://book.example/en\ntitle: Tiny")
    edit(root, "one/plain.md", 'print("solved")', "#@save\nanswer = 42")
    edit(
        root,
        "one/plain.md",
        ":::{solution-end}",
        "```{code-cell} python\nfrom d2l import torch as d2l\n```\n\n:::{solution-end}",
    )
    assert bindery(root, "notebooks")[::2] == (0, "")
    first = read(root, "one/plain")["cells"][0]["source"]
    assert re.search(r"'d2l @ https://book.example/en/downloads/d2l-0.0.1-py3-none-any.whl#sha256=[0-9a-f]{64}'", first)
    assert "(https://book.example/en/one/plain.html#equation-eq-align)" in prose(read(root, "one/plain"))


def closure(names: list[str]) -> set[str]:
    """The installed distributions that these need, with extras, as pip would find them."""
    from importlib import metadata

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    waiting, seen = [(canonicalize_name(name), "") for name in names], set()
    while waiting:
        if (here := waiting.pop()) in seen:
            continue
        seen.add(here)
        name, extra = here
        for need in map(Requirement, metadata.requires(name) or ()):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(need.name), each) for each in ("", *need.extras)]
    return {str(name) for name, _ in seen}


@pytest.fixture(scope="session")
def unpacked(book: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The archive of the real book's notebooks in a folder, and an environment made from what it asks for.

    The environment holds links to the distributions that pip would install; whether they suffice, pip is asked.
    """
    from importlib import metadata

    folder = tmp_path_factory.mktemp("reader")
    zipfile.ZipFile(book / "build" / "notebooks.zip").extractall(folder / "notebooks")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    (target,) = (folder / "venv" / "lib").glob("python*/site-packages")
    lines = [
        line.partition("==")[0]
        for name in ("requirements.txt", "requirements-alone.txt")
        for line in (folder / "notebooks" / name).read_text().split()
    ]
    alone = (folder / "notebooks" / "requirements-alone.txt").read_text().partition("==")[0]
    needed = closure([name for name in lines if name != alone]) | {alone}
    for name in needed:
        for file in metadata.files(name) or ():
            source, link = Path(str(file.locate())), Path(os.path.normpath(target / str(file)))
            if source.is_file() and link.is_relative_to(folder / "venv") and not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                if link.parent == python.parent and source.read_bytes().startswith(b"#!"):
                    # A program starts the interpreter of the environment that it was installed into.
                    link.write_bytes(re.sub(rb"\A#!.*", b"#!" + bytes(python), source.read_bytes()))
                    link.chmod(0o755)
                else:
                    link.hardlink_to(source)
    check = [str(python), "-m", "pip", "install", "--no-index", "--quiet", "--dry-run", "-r", "requirements.txt"]
    subprocess.run(check, cwd=folder / "notebooks", check=True)
    return folder / "notebooks", python


RUN = """
import json, os, sys
import nbformat
from nbclient import NotebookClient
name, folder = sys.argv[1:]
notebook = nbformat.read(name, as_version=4)
quick = notebook.metadata.bindery.get("quick", {})
for index, cell in enumerate(notebook.cells):
    if quick and "parameters" in cell.metadata.get("tags", ()):
        values = "\\n".join(f"{key} = {value!r}" for key, value in quick.items())
        notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(values))
        break
NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
print(sum(cell.cell_type == "code" for cell in notebook.cells))
"""

SIX = (
    *("preliminaries/ndarray", "linear-regression/linear-regression-scratch", "classification/classification"),
    *("builders-guide/model-construction", "hyperparameter-optimization/sh-async", "gan/gan"),
)


def run_alone(unpacked: tuple[Path, Path], book: Path, name: str) -> None:
    """Run a notebook of the archive as a reader would, with profile quick's values and the stand-ins."""
    folder, python = unpacked
    mirrors = book / "build" / "standin" / "mirrors.json"
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(folder.parent), "D2L_MIRRORS": str(mirrors)}
    command = [str(python), "-c", RUN, str(folder / f"{name}.ipynb"), str((folder / name).parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", SIX)
def test_notebook_runs_with_what_its_archive_asks_for(unpacked: tuple[Path, Path], book: Path, name: str) -> None:
    """Outside the repository, in an environment that has nothing else; the first installs the library."""
    run_alone(unpacked, book, name)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_every_notebook_runs_with_what_its_archive_asks_for(unpacked: tuple[Path, Path], book: Path) -> None:
    """All of the archive; those that fail are told together."""
    failed = {}
    for path in sorted(unpacked[0].glob("*/*.ipynb")):
        name = path.relative_to(unpacked[0]).with_suffix("").as_posix()
        try:
            run_alone(unpacked, book, name)
        except AssertionError as error:
            failed[name] = str(error)
    assert failed == {}


@pytest.mark.slow
def test_another_library_of_this_name_is_told(unpacked: tuple[Path, Path], tmp_path: Path) -> None:
    """In a sentence that says what to do, before anything runs."""
    _, python = unpacked
    first = json.loads((unpacked[0] / f"{SIX[1]}.ipynb").read_text())["cells"][0]["source"]
    older = tmp_path / "d2l-1.0.3.dist-info"
    older.mkdir()
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: d2l\nVersion: 1.0.3\n")
    command = [str(python), "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{first}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "d2l 1.0.3 is installed, this notebook is of d2l 0.1.0." in done.stderr


@pytest.mark.slow
def test_scripts_and_bare_notebooks_hold_the_same_code(unpacked: tuple[Path, Path]) -> None:
    """The archive's other forms of each notebook."""
    folder, _ = unpacked
    notebooks = list(folder.glob("*/*.ipynb"))
    assert len(notebooks) > 40
    for path in notebooks:
        name = path.relative_to(folder).with_suffix("")
        cells = json.loads(path.read_text())["cells"]
        bare = json.loads((folder / "without-outputs" / path.relative_to(folder)).read_text())["cells"]
        assert [cell["source"] for cell in bare] == [cell["source"] for cell in cells]
        assert not any(cell.get("outputs") for cell in bare)
        script = (folder / "scripts" / name).with_suffix(".py").read_text()
        compile(script, str(name), "exec")


@pytest.mark.slow
def test_no_notebook_of_the_book_shows_raw_myst(book: Path) -> None:
    """Nor a formula with a command that Jupyter does not know, nor an unresolved reference."""
    for path in (book / "build" / "notebooks").rglob("*.ipynb"):
        text = prose(json.loads(path.read_text(encoding="utf-8")))
        text = re.sub(r"^(`{3,}).*?^\1$|(`+)[^`].*?\2", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not MYST.search(text), path.name

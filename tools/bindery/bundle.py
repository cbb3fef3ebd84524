"""Packs the readers' notebooks with all that they need to run elsewhere: notebooks and wheel in, files out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bindery.model import Book, Execution
from bindery.notebooks import SCRIPTS, WITHOUT_OUTPUTS, Wheel, runs_anywhere, script, versions, without_outputs

README = """\
# {title}: the notebooks

Version {version}. Each notebook is a section of the book with its code and the outputs of one run, and runs alone.

    python -m venv venv
    venv/bin/pip install -r requirements.txt{alone}
    venv/bin/pip install {wheel}
    venv/bin/jupyter lab

Python 3.11 or later is needed. On Windows, `venv/bin` is `venv\\Scripts`.

| folder | what is in it |
|---|---|
| one for each chapter | the notebooks with their outputs |
| `{without_outputs}` | the same before anything was run |
| `{scripts}` | the code as Python scripts, the text in comments |

The first cell of a notebook that needs the library `d2l` installs `{wheel}` from this folder if it is missing. The
`d2l` of the package index is an older library. Data sets are downloaded into `data` when a notebook asks for them.
{left_out}"""

LEFT_OUT = """
Not here, since they run the program that makes the book, which is in its repository:

{sections}
"""


def bundle(
    book: Book,
    executions: Mapping[str, Execution],
    notebooks: Mapping[str, bytes],
    wheel: Wheel,
    content: bytes,
    installed: Mapping[str, str],
) -> dict[str, bytes]:
    """The files by relative path; `content` is that of the wheel, `installed` gives versions of distributions."""
    chosen = {name: found for name, found in executions.items() if runs_anywhere(found)}
    alone = book.facts.notebooks.alone
    files = {wheel.name: content}
    for name in chosen:
        notebook = notebooks[f"{name}.ipynb"]
        files[f"{name}.ipynb"] = notebook
        files[f"{WITHOUT_OUTPUTS}/{name}.ipynb"] = without_outputs(notebook)
        files[f"{SCRIPTS}/{name}.py"] = script(notebook)
    pins = _pins(chosen.values()) | {name: installed[name] for name in ("jupyter", *book.facts.notebooks.requires)}
    files["requirements.txt"] = _lines({name: text for name, text in pins.items() if name not in alone})
    if alone:
        files["requirements-alone.txt"] = _lines({name: installed[name] for name in alone})
    sections = [
        f"- {section.title}" for section in book.sections() if section.name in executions.keys() - chosen.keys()
    ]
    files["README.md"] = README.format(
        title=book.facts.title,
        version=book.facts.version,
        wheel=wheel.name,
        alone="\n    venv/bin/pip install --no-deps -r requirements-alone.txt" if alone else "",
        without_outputs=WITHOUT_OUTPUTS,
        scripts=SCRIPTS,
        left_out=LEFT_OUT.format(sections="\n".join(sections)) if sections else "",
    ).encode()
    return files


def _pins(executions: Iterable[Execution]) -> dict[str, str]:
    """The distributions that sections imported when they were run. What follows a `+` names a build, not a release."""
    return {name: text.partition("+")[0] for each in executions for name, text in versions(each).items()}


def _lines(pins: Mapping[str, str]) -> bytes:
    return "".join(f"{name}=={version}\n" for name, version in sorted(pins.items())).encode()

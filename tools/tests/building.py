"""A small book with all its products, and the command line: what the tests of whole builds share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def run_python(interpreter: Path, code: str, cwd: Path, text: str = "") -> str:
    """What Python code prints, run away from the repository; it must succeed and complain of nothing."""
    command = [str(interpreter), "-c", code]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=cwd, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def environment_with(wheel: Path, folder: Path) -> Path:
    """The interpreter of an environment that has this wheel; all other packages are seen through a `.pth` file."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([str(python), *install], check=True)
    packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (target,) = (folder / "lib").glob("python*/site-packages")
    (target / "others.pth").write_text(f"{packages}\n", encoding="utf-8")
    return python

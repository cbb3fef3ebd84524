"""Writes books to measure with: `python generate.py light FOLDER 12`, `python generate.py large FOLDER 1000`."""

from __future__ import annotations

import argparse
from pathlib import Path

LIGHT = """\
# Fitting a line, version {number}

The slope of a line is found by stochastic gradient descent, {number} times as patiently as usual.

```{{code-cell}} python
%matplotlib inline
import torch
from matplotlib import pyplot as plt
```

```{{code-cell}} python
torch.manual_seed({number})
X = torch.randn(200, 1)
y = 2 * X + 0.1 * torch.randn(200, 1)
w = torch.zeros(1, 1, requires_grad=True)
```

```{{code-cell}} python
losses = []
for step in range(200):
    batch = torch.randint(len(X), (20,))
    loss = ((X[batch] @ w - y[batch]) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        w.grad.zero_()
    losses.append(loss.item())
print(f"slope {{w.item():.2f}}")
```

```{{code-cell}} python
plt.plot(losses);
```
"""

LARGE = '''\
(sec_{number})=
# Section {number}

The value $x_{{{number}}} = {number}$ matters, and so does {{ref}}`sec_{before}`.

```{{code-cell}} python
{prefix}
def f{number}(x):  #@save
    """x and what came before."""
    return {call}x + {number}

class C{number}:  #@save
    """Holds one number."""
    def __init__(self, x):
        self.x = {base}f{number}(x)
```

```{{code-cell}} python
print(f{number}(1), C{number}(2).x)
```

{cells}
'''

CELL = """\
Some words on case {cell} of section {number}.

```{{code-cell}} python
total_{cell} = sum(range({cell} + {number}))
print(total_{cell})
```
"""


def write(folder: Path, path: str, text: str) -> None:
    """Write one file of the book's chapters."""
    file = folder / "chapters" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def light(folder: Path, count: int) -> None:
    """Sections that import PyTorch, take a few hundred steps and draw a plot."""
    pages = [f"section{number}" for number in range(count)]
    for number, page in enumerate(pages):
        write(folder, f"light/{page}.md", LIGHT.format(number=number))
    frame(folder, {"light": pages})


def large(folder: Path, count: int) -> None:
    """Sections of ten code cells, each of which saves a function and a class and uses those of the section before."""
    chapters: dict[str, list[str]] = {}
    for number in range(count):
        chapter = f"chapter{number // 20}"
        chapters.setdefault(chapter, []).append(f"section{number}")
        text = LARGE.format(
            number=number,
            before=max(number - 1, 0),
            prefix="from d2l import torch as d2l\n" if number else "",
            call=f"d2l.f{number - 1}(x) + " if number % 20 else "",
            base="",
            cells="\n".join(CELL.format(cell=cell, number=number) for cell in range(8)),
        )
        write(folder, f"{chapter}/section{number}.md", text)
    frame(folder, chapters)


def frame(folder: Path, chapters: dict[str, list[str]]) -> None:
    """Facts and reading order."""
    write(folder, "book.yml", "title: Measured\nversion: 0.1.0\nauthors: [{name: bindery}]\n")
    for chapter, pages in chapters.items():
        write(folder, f"{chapter}/index.md", f"# {chapter}\n\n```{{toctree}}\n" + "\n".join(pages) + "\n```\n")
    entries = "\n".join(f"{chapter}/index" for chapter in chapters)
    write(folder, "index.md", f"# Measured\n\n```{{toctree}}\n:numbered:\n\n{entries}\n```\n")


def main() -> None:
    """Read the command line and write a book."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("light", "large"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    {"light": light, "large": large}[options.kind](options.folder, options.count)


if __name__ == "__main__":
    main()

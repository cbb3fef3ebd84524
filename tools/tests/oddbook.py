"""A book whose saved code stands in every form that chapters know, to be taken apart and put together again."""

from __future__ import annotations

import json
from pathlib import Path

from building import write

PAGES = """\
=== chapters/book.yml
title: Odd
version: 0.0.1
authors: [{name: Ada}]
=== chapters/index.md
# Odd

```{toctree}
:numbered:

one/index
two/index
```
=== chapters/one/index.md
# One

```{toctree}
plain
windows
```
=== chapters/two/index.md
# Two

```{toctree}
notebook
compact
late
```
=== chapters/one/plain.md
# Plain

````{code-cell} python
:tags: [claim]

#@save
import math
import os.path as path   #@save

def add_to_class(cls):  #@save
    \"\"\"Register a method.\"\"\"
    def register(f):
        setattr(cls, f.__name__, f)
        return f
    return register

def unsaved(): return 1
````

  ```{code-cell} python
  #@save
  class Shape:
      \"\"\"Has an area,

  not a volume.\"\"\"
      sides = 0

      def area(self):
          \"\"\"In square metres.\"\"\"
          raise NotImplementedError

      def edges(self): ...

      names = ['shape']

  class Empty: pass  #@save

  def wrap(f):  #@save
      return f

  @wrap
  @wrap
  def wrapped(x=(1,  #@save
                 2)):
      text = '''a
  b
      c'''
      return text, x, math.pi, path.sep
  print(unsaved())
  ```
=== chapters/one/windows.md
# Windows

```{code-cell} python
from d2l import torch as d2l

@d2l.add_to_class(d2l.Shape)  #@save
def area(self):
    total = self.sides
    total += 1
    return (total,
  total)

SIZES = {  #@save
    'small': 1,

    'large': 2,
}
```

```{code-cell} python
SIZES['huge'] = 3  #@save
%time total = 1
```
"""

LATE = """\
# Late

```{code-cell} python
from d2l import torch as d2l

@d2l.add_to_class(d2l.Empty)  #@save
def filled(self):
    return f\"\"\"{self!r}
 and
\"\"\"

@d2l.add_to_class(d2l.Shape)  #@save override
@d2l.wrap
def edges(self):
    # of a polygon
    return self.sides

@d2l.add_to_class(d2l.Shape)
@property
def label(self):  #@save
    return 'é'
```
"""

CELLS = [
    [
        ("markdown", "# Notebook\n\nProse."),
        (
            "code",
            'from d2l import torch as d2l\n\ndef double(n):  #@save\n    """Twice “n”."""\n    m = 2*n\n    return m\n',
        ),
        ("code", "print(d2l.double(1))"),
        ("code", "#@save\ndef half(n):\n    \n    return n / 2"),
    ],
    [
        ("markdown", "# Compact"),
        ("code", "def third(n):  #@save\r\n    m = n\r\n    return m / 3\r\n\r\nx = 1"),
        ("code", ""),
        (
            "code",
            "class Square:  #@save\n    '''Four'''\n    sides = 4\n    def area(self):\n        return 16\n"
            "WIDTH: int = 3  #@save",
        ),
    ],
]


def write_odd_book(root: Path) -> None:
    """Write the book, with a page that ends its lines as Windows does, and notebooks, one of them without line ends."""
    write(root, PAGES)
    windows = root / "chapters/one/windows.md"
    windows.write_bytes(b"\xef\xbb\xbf" + windows.read_bytes().replace(b"\n", b"\r\n"))
    (root / "chapters/two/late.md").write_text(LATE, encoding="utf-8")
    for name, cells in zip(("notebook", "compact"), CELLS, strict=True):
        pretty = name == "notebook"
        listed = [
            {
                "cell_type": kind,
                "metadata": {},
                "source": source.splitlines(keepends=True) if pretty else source,
                **({"outputs": [], "execution_count": None} if kind == "code" else {}),
            }
            for kind, source in cells
        ]
        notebook = {"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        text = json.dumps(notebook, indent=1 if pretty else None, ensure_ascii=pretty)
        (root / f"chapters/two/{name}.ipynb").write_text(text, encoding="utf-8")

"""The environment variables that a kernel starts with: nothing of how the book is being built, and no secret."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

OPENED = "opened"
"""The file in a kernel's private directory to which the data hub appends the URL of whatever it opens."""

_HIDDEN = (
    *("BINDERY_", "CACHE", "COLUMNS", "FORCE_COLOR", "IPY", "JPY_", "JUPYTER_", "LINES"),
    *("MAKE", "MFLAGS", "NO_COLOR", "PYTEST_", "PYTHON", "RAY_"),
    "TTY_",
)
"""How variables begin that tell how the book is being built, or that change what the same code prints."""

_SECRET = re.compile(r"(?i)token|secret|passw|credential|api_?key|private_?key|access_?key|^(AWS|AZURE|S3)_")
"""What occurs in the names of variables that must not reach code of the book, which could print or send them."""

_SETTINGS = Path(__file__).parent / "resources"

_THREADS = ("MKL", "NUMEXPR", "OMP", "OPENBLAS")


def environment(
    outer: dict[str, str],
    library: Path,
    home: Path,
    threads: int,
    private: Path,
    gpus: Sequence[str] | None = (),
    mirrors: Path | None = None,
) -> dict[str, str]:
    """The environment variables of a kernel, made from those of this process.

    `gpus` are the names of those it may use; None leaves it those of this process.
    """
    kept = {name: text for name, text in outer.items() if not (name.startswith(_HIDDEN) or _SECRET.search(name))}
    temporary = private / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        **kept,
        **({"D2L_MIRRORS": str(mirrors)} if mirrors else {}),
        "D2L_DATA_LOG": str(private / OPENED),
        **{f"{library_name}_NUM_THREADS": str(threads) for library_name in _THREADS},
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(private),
        # A section that declares no GPU must not see one: its page would say that a CPU made the outputs.
        **({} if gpus is None else {"CUDA_VISIBLE_DEVICES": ",".join(gpus)}),
        # Figures get the same bytes in every run, whatever settings the user has for other work.
        "MATPLOTLIBRC": str(_SETTINGS / "matplotlibrc"),
        "SOURCE_DATE_EPOCH": "1577836800",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        # `!pip` and `!python` in a cell are those of the kernel.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(library),
        "TMPDIR": str(temporary),
    }

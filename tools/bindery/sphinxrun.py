"""Sphinx as a program that can be started before there is anything to do: it imports what it will need, then waits.

What it is to do comes on standard input, as a JSON object: `arguments` as for `sphinx-build`, and `scratch`, a folder
for temporary files. The folder of the book's settings is named on the command line.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import suppress

from bindery.startup import hurry


def main() -> None:
    """Get ready, wait, build, and exit with Sphinx's status."""
    hurry()
    from sphinx.application import builtin_extensions
    from sphinx.cmd.build import main as build
    from sphinx.config import Config
    from sphinx.util.tags import Tags

    with suppress(Exception):  # what is wrong, Sphinx will say
        from bindery.sphinxext.defaults import EXTENSIONS

        config = Config.read(sys.argv[1], overrides={}, tags=Tags())
        for name in (*builtin_extensions, *config.extensions, *EXTENSIONS):
            with suppress(Exception):
                importlib.import_module(name)
    request = json.loads(sys.stdin.read() or "null")
    if request is None:
        return  # nothing is to be built after all
    os.environ["TMPDIR"] = request["scratch"]
    sys.exit(build(request["arguments"]))


if __name__ == "__main__":
    main()

"""Makes the index of the site's search: finished pages in, Pagefind's files out."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bindery import files

ARTICLE = "article.bd-article"
LEFT_OUT = (
    *(".headerlink", ".katex-html", ".katex annotation", ".cell_output pre", ".cell_output table", ".toctree-wrapper"),
    *(".provenance", ".saved-note", ".exercise-solution", ".solution-back"),
)
"""What stands on pages and is no text of theirs, or is there twice."""

HEADING = re.compile(r'(<section [^>]*?id="([^"]+)"[^>]*>\s*(?:<span[^>]*></span>\s*)*<h[1-6])\b')


def index_words(site: Path) -> None:
    """Write the index into the folder `pagefind` of the site."""
    output = site / "pagefind"
    files.remove(output)
    with tempfile.TemporaryDirectory() as folder:
        for page in site.rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            if 'class="bd-article"' in text:
                # A heading with an id becomes a place that a result leads to; Sphinx puts the id around the heading.
                copy = HEADING.sub(r'\1 id="\2"', text)
                files.write_if_changed(Path(folder, page.relative_to(site)), copy.encode())
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "pagefind",
            "--site",
            folder,
            "--output-path",
            output,
            "--quiet",
        ]
        command += ["--root-selector", ARTICLE, "--exclude-selectors", ", ".join(LEFT_OUT)]
        subprocess.run(command, capture_output=True, check=True)
    for unused in output.glob("pagefind-*ui*"):
        files.remove(unused)

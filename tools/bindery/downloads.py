"""Puts what readers download beside the site's pages: finished products in, a folder with its page out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from bindery.files import prune, write_if_changed
from bindery.render import render
from bindery.settings import Facts


def offer(facts: Facts, products: Mapping[str, Path | None], folder: Path) -> None:
    """Make a folder hold the files of these products and a page that leads to them, and nothing else.

    Products go by the name of the command that makes them; None stands for one that this build has not made.
    """
    there = {}
    for target, file in products.items():
        if file:
            content = file.read_bytes()
            write_if_changed(folder / file.name, content)
            there[target] = {"file": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    page = render("downloads.html", title=facts.title, version=facts.version, there=there)
    write_if_changed(folder / "index.html", page)
    prune(folder, {Path("index.html"), *(Path(file.name) for file in products.values() if file)})


def product_sizes(build: Path) -> dict[str, int]:
    """The bytes of each product that is in a build folder; those of the website without its downloads."""
    site, downloads = build / "html", build / "html" / "downloads"
    files = [path for path in site.rglob("*") if path.is_file() and downloads not in path.parents]
    sizes = {"html": sum(path.stat().st_size for path in files)} if files else {}
    made = [build / "pdf" / "book.pdf", build / "epub" / "book.epub", build / "notebooks.zip", build / "website.zip"]
    for path in (*made, *sorted((build / "wheel").glob("*.whl"))):
        if path.is_file():
            sizes[path.relative_to(build).as_posix()] = path.stat().st_size
    return sizes

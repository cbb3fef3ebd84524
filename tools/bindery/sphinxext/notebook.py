"""Writes each page with code as a notebook in which nothing is left to Sphinx, beside the website and with its numbers.

What depends on more than the page, such as the library that it needs, `notebooks` adds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from resvg_py import svg_to_bytes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx_exercise.nodes import is_exercise_node, solution_node  # type: ignore[import-untyped]  # it has no types

from bindery import files
from bindery.notebooks import NOTEBOOK_FOLDER
from bindery.sphinxext.folds import Fold
from bindery.sphinxext.markdown import Markdown, plain
from bindery.sphinxext.pictures import size

NEEDLESS = re.compile(r"\\([^\w\s*_\[\]`\\$])")
SHARP = 2
"""Pixels of a plot for each pixel of an ordinary screen."""

KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif"}


class Pieces:
    """The cells of a notebook in the making."""

    def __init__(
        self, markdown: Markdown, source: list[dict[str, Any]], section_numbers: Mapping[str, str], pixels: Path
    ) -> None:
        self.cells: list[dict[str, Any]] = []
        self.text: list[str] = []
        self.about: list[str] = []
        self.folding = False
        """Whether a folded heading has come: what it holds ends only with the next heading."""
        self.markdown, self.source, self.section_numbers, self.pixels = markdown, source, section_numbers, pixels

    def walk(self, node: nodes.Node, depth: int) -> None:
        """Add a node: code makes a cell of its own, a heading begins a new one."""
        if isinstance(node, nodes.section):
            self.end_text()
            for child in node.children:
                self.walk(child, depth + 1)
        elif isinstance(node, nodes.title) and isinstance(node.parent, nodes.section):
            number = next(
                (self.section_numbers[name] for name in node.parent["ids"] if name in self.section_numbers), ""
            )
            self.heading(" ".join(part for part in (number, self.markdown.inline(node.children)) if part), depth)
        elif isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
            self.code(node)
        elif is_exercise_node(node) and isinstance(node, nodes.Element):
            number = self.markdown.numbers.get("exercise", {}).get(node["ids"][0], "")
            name = plain(node.children[0])
            self.text.append(" ".join(part for part in (f"**Exercise {number}**".replace(" **", "**"), name) if part))
            for child in node.children[1:]:
                self.walk(child, depth)
        elif isinstance(node, (Fold, solution_node)) and (_has_code(node) or self.folding):
            # Cells do not fit between the tags of HTML: Jupyter folds what is under a heading.
            self.end_text()
            self.heading(plain(node.children[0]), depth + 1, folded=True)
            for child in node.children[1:]:
                self.walk(child, depth + 1)
        elif isinstance(node, nodes.Element) and _has_code(node):
            for child in node.children:
                self.walk(child, depth)
        elif isinstance(node, nodes.container) and "provenance" in node["classes"]:
            self.about.append(self.markdown.blocks(node.children))
        else:
            self.text.append(self.markdown.block(node))

    def heading(self, title: str, depth: int, folded: bool = False) -> None:
        """Begin a cell with a heading."""
        self.end_text()
        self.folding = folded
        self.text.append(f"{'#' * min(depth, 6)} {' '.join(title.split())}")
        if folded:
            self.end_text({"jp-MarkdownHeadingCollapsed": True})

    def code(self, node: nodes.container) -> None:
        """Add a cell as it is in the woven page, and after it what the page writes under its outputs."""
        self.end_text()
        stored = self.source[node["cell_index"]]
        tags = [tag for tag in stored["metadata"].get("tags", []) if tag != "hide-cell"]
        metadata: dict[str, Any] = {"tags": tags} if tags else {}
        if "claim" in tags:
            metadata["jupyter"] = {"source_hidden": True}
        outputs = [self.with_pixels(output) for output in stored["outputs"]]
        self.cells.append({**stored, "outputs": outputs, "metadata": metadata})
        for shown in node.findall(nodes.Element):
            if isinstance(shown, (nodes.figure, nodes.table)):
                self.text.append(self.markdown.caption(shown))
        self.end_text()

    def with_pixels(self, output: dict[str, Any]) -> dict[str, Any]:
        """An output whose plot can be seen everywhere: Jupyter shows no SVG of a notebook that came from elsewhere."""
        data = output.get("data", {})
        if "image/svg+xml" not in data or "image/png" in data:
            return output
        drawing = "".join(data["image/svg+xml"])
        kept = self.pixels / f"{hashlib.sha256(drawing.encode()).hexdigest()}.png"
        if not kept.is_file():
            made = svg_to_bytes(svg_string=drawing, background="#ffffff", zoom=SHARP, dpi=96, skip_system_fonts=True)
            files.write_if_changed(kept, made)
        picture = kept.read_bytes()
        width = int.from_bytes(picture[16:20], "big") // SHARP  # where a PNG has it
        metadata = output.get("metadata", {}) | {"image/png": {"width": width}}
        return output | {"data": data | {"image/png": base64.b64encode(picture).decode()}, "metadata": metadata}

    def end_text(self, metadata: dict[str, Any] | None = None) -> None:
        """Make a cell of the text so far."""
        text = "\n\n".join(part for part in self.text if part)
        if text:
            name = f"text-{len(self.cells)}"
            self.cells.append({"id": name, "cell_type": "markdown", "metadata": metadata or {}, "source": text})
        self.text = []


def connect(app: Sphinx) -> None:
    """Write a notebook when a page of the website is written: there the resolved page is at hand."""
    app.connect("html-page-context", _write)


def _write(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    source = Path(app.srcdir, f"{page}.ipynb")
    if app.builder.name == "html" and doctree is not None and source.is_file():
        notebook = json.loads(source.read_bytes())
        notebook["cells"] = cells_of(app, page, doctree, notebook["cells"])
        del notebook["metadata"]["source_map"]
        text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        files.write_if_changed(Path(app.outdir).parent / NOTEBOOK_FOLDER / f"{page}.ipynb", text.encode())


def cells_of(app: Sphinx, page: str, doctree: nodes.document, source: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cells of a page's notebook; `source` holds those of the woven page."""
    figures = app.env.toc_fignumbers.get(page, {})
    sections = app.env.toc_secnumbers.get(page, {})
    headings = {name.removeprefix("#"): _dotted(number) + "." for name, number in sections.items()}
    markdown = Markdown(
        link=lambda target: _address(app, page, target),
        picture=lambda node: _picture(app, node),
        numbers={kind: {name: _dotted(number) for name, number in found.items()} for kind, found in figures.items()},
        macros=app.config.katex_macros,
        equation=lambda node: _equation_number(app.env, page, node),
    )
    first = next(iter(doctree.findall(nodes.section)), None)
    if first is not None and "" in headings:
        headings[first["ids"][0]] = headings[""]
    pieces = Pieces(markdown, source, headings, Path(app.outdir).parent / "pixels")
    for child in doctree.children:
        pieces.walk(child, 0)
    _add_end(pieces, "Notes", [f"{note.children[0].astext()}. {_body(markdown, note)}" for note in markdown.footnotes])
    _add_end(pieces, "References", [f"- {entry}" for entry in _entries(app.env, markdown.cited)])
    _add_end(pieces, "About this notebook", pieces.about)
    pieces.end_text()
    return pieces.cells


def _add_end(pieces: Pieces, title: str, lines: list[str]) -> None:
    if lines:
        pieces.heading(title, 2)
        pieces.text.append("\n".join(lines))


def _body(markdown: Markdown, node: nodes.Element) -> str:
    return " ".join(markdown.blocks(node.children[1:]).split())


def _entries(env: BuildEnvironment, cited: list[str]) -> list[str]:
    """What a page cites, as the list of references has it and in its order."""
    known = env.domains["cite"].data["citations"] if "cite" in env.domains else ()
    found = {each.citation_id: each.formatted_entry.text for each in known if each.citation_id in cited}
    # Pybtex escapes full stops, too.
    written = (" ".join(NEEDLESS.sub(r"\1", text.render_as("markdown")).split()) for text in found.values())
    return sorted(written, key=str.casefold)


def _has_code(node: nodes.Node) -> bool:
    return any(each.get("nb_element") == "cell_code" for each in node.findall(nodes.container))


def _dotted(number: tuple[int, ...]) -> str:
    return ".".join(map(str, number))


def _equation_number(env: BuildEnvironment, page: str, node: nodes.math_block) -> str:
    numbers = env.toc_fignumbers.get(page, {}).get("displaymath", {})
    found = next((_dotted(numbers[name]) for name in node["ids"] if name in numbers), "")
    return found or str(node.get("number") or "")


def _address(app: Sphinx, page: str, target: str) -> str:
    """Where a link leads to in a notebook: to the website if that has an address, else to a notebook beside."""
    if urlsplit(target).scheme:
        return target
    here = app.builder.get_target_uri(page)
    path, _, fragment = urljoin(here, target).partition("#")
    if app.config.html_baseurl:
        return f"{app.config.html_baseurl.rstrip('/')}/{path}" + (f"#{fragment}" if fragment else "")
    name = path.removesuffix(".html")
    if name == page or not Path(app.srcdir, f"{name}.ipynb").is_file():
        return ""
    return "../" * page.count("/") + f"{name}.ipynb"


def _picture(app: Sphinx, node: nodes.image) -> str:
    """A picture inside the notebook; a drawing gets a white ground, since Jupyter's may be dark."""
    # The page has been written, and with that Sphinx has put the addresses on the site into its pictures.
    written = Path(node["uri"]).name
    file = Path(app.srcdir, next(path for path, name in app.builder.images.items() if name == written))
    content = file.read_bytes()
    if file.suffix == ".svg":
        begin = content.index(b">", content.index(b"<svg")) + 1
        content = content[:begin] + b'<rect width="100%" height="100%" fill="#ffffff"/>' + content[begin:]
    width = (size(file) or (0,))[0]
    text = str(node.get("alt", "")).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    data = base64.b64encode(content).decode()
    wide = f' width="{width}"' if width else ""
    return f'<img alt="{" ".join(text.split())}"{wide} src="data:{KINDS[file.suffix]};base64,{data}">'

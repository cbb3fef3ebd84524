"""The frame around the text: style, script, the list of chapters, and no pages or pictures of what is gone."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import myst_nb.static  # type: ignore[import-untyped]  # it has no types
import sphinx_exercise  # type: ignore[import-untyped]  # it has no types
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from bindery import files

HERE = Path(__file__).parent


def connect(app: Sphinx) -> None:
    """Add style, script and templates, and connect the events."""
    app.add_css_file("bindery.css")
    for script in ("bindery.js", "search.js", "previews.js", "sections.js"):
        app.add_js_file(script, loading_method="defer")
    app.connect("config-inited", _settle)
    app.connect("builder-inited", _copy_static)
    app.connect("html-page-context", _add_contents)
    app.connect("html-collect-pages", _tidy_search)
    app.connect("build-finished", _prune)


def contents(env: BuildEnvironment, page: str) -> list[dict[str, Any]]:
    """The book's pages right under the root, the one that holds `page` with its sections."""
    entries = []
    for name in env.toctree_includes.get(env.config.root_doc, []):
        sections = env.toctree_includes.get(name, [])
        here = page == name or page in sections
        entries.append(_entry(env, name, page) | {"open": here, "sections": []})
        if here:
            entries[-1]["sections"] = [_entry(env, section, page) for section in sections]
    return entries


def _settle(app: Sphinx, config: Config) -> None:
    config.templates_path.append(str(HERE / "templates"))
    config.html_additional_pages.setdefault("404", "404.html")
    config.html_favicon = config.html_favicon or str(HERE / "static" / "favicon.svg")


def _entry(env: BuildEnvironment, name: str, page: str) -> dict[str, Any]:
    number = env.toc_secnumbers.get(name, {}).get("", ())
    title = env.titles.get(name, nodes.title()).astext()
    return {"name": name, "title": title, "number": ".".join(map(str, number)), "current": name == page}


def _add_contents(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    headings = {f"{folders[0]}/index": title for title, folders in app.config.bindery_parts if folders}
    context["book_contents"] = contents(app.env, page)
    context["part_headings"] = headings
    # A page that stands in for any other cannot lead on by relative paths.
    context["site_path"] = urlsplit(app.config.html_baseurl).path.rstrip("/") + "/"


def _copy_static(app: Sphinx) -> None:
    if app.builder.name != "html":
        return
    styles = {path.name: path for path in (HERE / "static").iterdir()}
    # These extensions copy their style when the pages are written already: the checksums in the pages' links would be
    # missing in a first build, and there in a second.
    styles["exercise.css"] = Path(sphinx_exercise.__file__).parent / "assets" / "html" / "exercise.css"
    mystnb = Path(myst_nb.static.__file__).with_name("mystnb.css")
    styles[f"mystnb.{hashlib.sha256(mystnb.read_bytes()).hexdigest()}.css"] = mystnb
    for name, path in styles.items():
        files.write_if_changed(Path(app.outdir, "_static", name), path.read_bytes())


def _tidy_search(app: Sphinx) -> list[tuple[str, dict[str, Any], str]]:
    # Words that stand on no page any more would stay in the index, each with an empty list of pages.
    if isinstance(app.builder, StandaloneHTMLBuilder) and app.builder.indexer is not None:
        app.builder.indexer.prune(app.env.all_docs)
        for words in (app.builder.indexer._mapping, app.builder.indexer._title_mapping):
            for word in [word for word, pages in words.items() if not pages]:
                del words[word]
    return []


def _prune(app: Sphinx, exception: Exception | None) -> None:
    # Sphinx never removes what it once wrote: the page of a section that is gone would stay on the site.
    if exception or app.builder.name != "html":
        return
    output = Path(app.outdir)
    pages = {Path(app.builder.get_target_uri(name)) for name in app.env.found_docs}
    pages |= {Path(f"{name}.html") for name in ("search", "genindex", "404", *app.config.html_additional_pages)}
    images = {Path("_images", name) for _docs, name in app.env.images.values()}
    downloads = {Path("_downloads", name) for _docs, name in app.env.dlfiles.values()}
    wanted = pages | images | downloads
    for path in output.rglob("*"):
        name = path.relative_to(output)
        generated = name.suffix == ".html" if name.parts[0] not in ("_images", "_downloads") else path.is_file()
        if generated and name.parts[0] != "_static" and name not in wanted:
            files.remove(path)

"""What a page loads: one style sheet of all that theme and extensions bring, and scripts that do not block."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from pydata_sphinx_theme.pygments import overwrite_pygments_css  # type: ignore[import-untyped]  # it has no types
from sphinx.application import Sphinx

from bindery import files

THEME = ("basic.css", "styles/pydata-sphinx-theme.css")
"""Style sheets that the theme's own template would load, before all others."""

BUNDLE = "book.css"

URL = re.compile(r"url\(\s*(['\"]?)(?!data:|#|[a-z]+:)([^'\")]+)\1\s*\)")


def connect(app: Sphinx) -> None:
    """Connect the event."""
    # After the extensions, which add what only some pages need.
    app.connect("html-page-context", _settle, priority=900)


def bundle(static: Path, names: tuple[str, ...]) -> str:
    """Join style sheets of the static folder into one; returns its name there. Their own links still lead right."""
    content = "".join(_rebased((static / name).read_text(encoding="utf-8"), name) for name in names)
    files.write_if_changed(static / BUNDLE, content.encode())
    return BUNDLE


def _rebased(style: str, name: str) -> str:
    style = re.sub(r"@charset [^;]+;|/\*# sourceMappingURL=.*?\*/", "", style)
    return URL.sub(lambda match: f'url("{urljoin(name, match[2])}")', style) + "\n"


@cache
def _bundled(app: Sphinx, names: tuple[str, ...]) -> str:
    # The theme puts the colours of code for the dark only when all pages are written.
    overwrite_pygments_css(app, None)
    return bundle(Path(app.outdir, "_static"), names)


def _settle(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    styles = context["css_files"]
    paths = (urlsplit(str(style.filename)).path.removeprefix("_static/") for style in styles)
    name = _bundled(app, tuple(dict.fromkeys([*THEME, *paths])))
    context["css_files"] = [type(styles[0])(f"_static/{name}")]
    # A script that is written into the page would run before the files that it needs, unless it is a module. Those
    # there are serve the list of editions.
    context["script_files"] = [
        type(script)(
            script.filename,
            priority=script.priority,
            **script.attributes | ({"defer": "defer"} if script.filename else {"type": "module"}),
        )
        for script in context["script_files"]
        if script.filename or context.get("theme_switcher")
    ]

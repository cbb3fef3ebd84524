"""A browser for the tests of the website, and a server on loopback for the pages."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

KINDS = {
    "front page": "index.html",
    "section": "gan/gan.html",
    "chapter": "gan/index.html",
    "library": "library/index.html",
    "module": "library/hyperparameter_optimization.html",
    "name": "library/linear_regression/Trainer.html",
    "references": "references.html",
    "glossary": "glossary.html",
    "index": "genindex.html",
    "search": "search.html?q=momentum",
    "nothing": "404.html",
    "downloads": "downloads/index.html",
    "report": "report/index.html",
}
"""One page of each kind."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which a folder is served while the block runs."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@dataclass
class Visit:
    """A page that is open, and what went wrong on it."""

    page: Page
    site: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the site, and wait for its scripts."""
        self.page.goto(self.site + path, wait_until="load")
        return self.page


@contextmanager
def visit(browser: Browser, site: str, *, width: int = 1280, dark: bool = False, **options: Any) -> Iterator[Visit]:
    """An empty page in a profile of its own; errors of scripts, missing files and foreign hosts are noted."""
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", **options
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    opened = Visit(page, site)

    def check_request(url: str) -> None:
        if not url.startswith((site, "data:", "blob:")):
            opened.complaints.append(f"asks another host: {url}")

    page.on("request", lambda request: check_request(request.url))
    page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))
    page.on("console", lambda message: message.type == "error" and opened.complaints.append(message.text))
    page.on(
        "response", lambda answer: answer.status >= 400 and opened.complaints.append(f"{answer.status} {answer.url}")
    )
    try:
        yield opened
    finally:
        context.close()

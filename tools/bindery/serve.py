"""A server for authors: what they save is built again, and the page in their browser follows or says what is wrong."""

from __future__ import annotations

import functools
import http.server
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchfiles import watch

from bindery.model import Problem
from bindery.render import render

EVENTS = "/_bindery/events"
"""The address under which pages hear of builds."""

Announce = Callable[[Sequence[str]], None]
Build = Callable[[Announce], Sequence[Problem]]


@dataclass
class News:
    """What the last build came to, or what it is at; pages wait for the next."""

    number: int = 0
    problems: Sequence[Problem] = ()
    running: Sequence[str] = ()
    """The sections whose pages are older than what the author saved, until this build has run them."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def tell(self, problems: Sequence[Problem]) -> None:
        """A build has ended."""
        self._next(problems, ())

    def begin(self, sections: Sequence[str]) -> None:
        """A build runs these."""
        self._next(self.problems, sections)

    def _next(self, problems: Sequence[Problem], running: Sequence[str]) -> None:
        with self.changed:
            self.number, self.problems, self.running = self.number + 1, problems, running
            self.changed.notify_all()

    def told(self) -> dict[str, list[str]]:
        """What pages show."""
        return {"problems": [str(problem) for problem in self.problems], "running": list(self.running)}

    def after(self, number: int, seconds: float) -> bool:
        """Wait for news later than these; says whether there were some in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.number > number, seconds)


class Pages(http.server.SimpleHTTPRequestHandler):
    """Serves the site from the disk, each page with a script that listens for news."""

    news: News

    def __init__(self, *arguments: Any, news: News, **options: Any) -> None:
        self.news = news
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Answer with a page, a file, or the stream of news."""
        if self.path.partition("?")[0] == EVENTS:
            self._stream()
            return
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() else file
        if file.suffix != ".html" or not file.is_file():
            super().do_GET()
            return
        listener = render("listener.html", address=EVENTS, number=self.news.number, news=self.news.told())
        content = file.read_bytes().replace(b"</body>", listener + b"</body>")
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def end_headers(self) -> None:
        """Let no browser keep what the next build may change."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the terminal is for builds."""

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        seen = int(self.path.partition("?")[2] or 0)
        try:
            while True:
                if self.news.after(seen, seconds=15):
                    seen = self.news.number
                    self.wfile.write(f"data: {json.dumps(self.news.told())}\n\n".encode())
                else:
                    self.wfile.write(b": still here\n\n")
                self.wfile.flush()
        except OSError:
            return  # the page was closed


def serve(root: Path, port: int, build: Build, say: Callable[[str], None]) -> None:
    """Build, serve, and build again whenever a file of the book has been saved, until somebody interrupts.

    `build` builds the website into `root/build/html`, announces the sections that it will run for it, and says what is
    wrong. Port 0 takes any that is free.
    """
    news = News()
    news.tell(build(news.begin))
    handler = functools.partial(Pages, directory=str(root / "build" / "html"), news=news)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say(f"serving http://127.0.0.1:{server.server_port}/ and watching chapters/; Ctrl-C ends it")
        for _ in watch(root / "chapters", root / "conf.py", debounce=200, step=20, raise_interrupt=True):
            start = time.perf_counter()
            news.tell(build(news.begin))
            say(f"built in {time.perf_counter() - start:.1f} s")

"""`bindery serve`: a browser that follows what an author saves, right or wrong."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import edit
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.slow


@pytest.fixture
def page(root: Path) -> Iterator[Page]:
    """A page of the small book's server, in Chromium."""
    command = [sys.executable, "-u", "-m", "bindery", "--root", str(root), "serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 300})
        opened.set_default_timeout(30_000)
        opened.goto(f"{address}one/uses.html")
        yield opened
        browser.close()
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=20)
    assert server.returncode == 130


def test_page_follows_prose_and_code_and_stays_where_it_was(root: Path, page: Page) -> None:
    """The reader of the page does nothing."""
    page.evaluate("scrollTo(0, 120)")
    edit(root, "one/uses.md", "See {ref}", "Look at {ref}")
    expect(page.locator("article")).to_contain_text("Look at", timeout=20_000)
    page.wait_for_function("scrollY === 120")
    expect(page.locator("#bindery-stale")).to_have_count(0)
    slow = 'import time; time.sleep(3); print("power", d2l.power(4))'
    edit(root, "one/uses.md", 'print("power", d2l.power(3))', slow)
    expect(page.locator("#bindery-stale")).to_contain_text("This section is running", timeout=20_000)
    expect(page.locator("article")).to_contain_text("power 9")
    expect(page.locator("article")).to_contain_text("power 16", timeout=30_000)
    expect(page.locator("#bindery-stale")).to_have_count(0)


def test_error_is_shown_in_the_page_until_it_is_mended(root: Path, page: Page) -> None:
    """With file and line; drafts that cannot be read do not end the server."""
    told = page.locator("#bindery-problems")
    edit(root, "one/uses.md", "See {ref}`sec_defines`", "See {ref}`sec_nowhere`")
    expect(told).to_contain_text("chapters/one/uses.md:8", timeout=20_000)
    page.reload()
    expect(told).to_contain_text("chapters/one/uses.md:8")
    edit(root, "one/uses.md", "# Using", "```{code-cell} python\nif\n```\n# Using")
    expect(told).not_to_contain_text("sec_nowhere", timeout=20_000)
    expect(told).to_contain_text("chapters/one/uses.md", timeout=20_000)
    edit(root, "one/uses.md", "```{code-cell} python\nif\n```\n# Using", "# Using")
    edit(root, "one/uses.md", "See {ref}`sec_nowhere`", "There is {ref}`sec_defines`")
    expect(page.locator("article")).to_contain_text("There is", timeout=30_000)
    expect(told).to_have_count(0)

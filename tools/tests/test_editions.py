"""More than one edition of a book on the web: an old one says so, and leads to the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from browsing import served, visit
from building import bindery, edit
from playwright.sync_api import expect, sync_playwright


@pytest.mark.slow
def test_old_edition_leads_to_the_new_one(root: Path) -> None:
    """By a banner and by a list of all, taken from the address in `book.yml`."""
    site = root / "build" / "html"
    with served(site) as address, sync_playwright() as playwright:
        edit(root, "book.yml", "version: 0.0.1", f"version: 0.0.1\neditions: {address}editions.json")
        assert bindery(root, "html")[::2] == (0, "")
        editions = [
            {"name": "first", "version": "0.0.1", "url": f"{address}"},
            {"name": "second", "version": "0.0.2", "url": f"{address}second/", "preferred": True},
        ]
        (site / "editions.json").write_text(json.dumps(editions))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with visit(browser, address) as opened:
            page = opened.open("one/uses.html")
            expect(page.locator(".bd-header-version-warning, #bd-header-version-warning")).to_contain_text(
                "old version"
            )
            page.locator(".version-switcher__button").first.click()
            expect(page.locator(".version-switcher__menu a", has_text="second").first).to_be_visible()
        browser.close()

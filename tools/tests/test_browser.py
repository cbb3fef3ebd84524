"""The website in a real browser: what a reader does with mouse, keyboard and finger."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import KINDS, Visit, served, visit
from playwright.sync_api import Browser, expect, sync_playwright

pytestmark = pytest.mark.slow

SECTION = "gan/gan.html"


@pytest.fixture(scope="module")
def site(book: Path) -> Iterator[str]:
    """The address of the real book's website."""
    with served(book / "build" / "html") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def desktop(browser: Browser, site: str) -> Iterator[Visit]:
    """A page in a window of 1280 pixels; nothing may have gone wrong on it."""
    with visit(browser, site) as opened:
        yield opened
        assert opened.complaints == []


@pytest.fixture
def phone(browser: Browser, site: str) -> Iterator[Visit]:
    """A page on a screen of 390 pixels that is touched."""
    with visit(browser, site, width=390, has_touch=True, is_mobile=True) as opened:
        yield opened
        assert opened.complaints == []


def test_search_finds_as_one_types_and_opens_by_keyboard(desktop: Visit) -> None:
    """Ctrl+K, some letters, an arrow, Enter."""
    page = desktop.open(SECTION)
    page.keyboard.press("Control+k")
    page.keyboard.type("dropout")
    first = page.locator("dialog .search-hit a").first
    expect(first).to_contain_text("Dropout")
    expect(page.locator("dialog .search-box__status")).to_contain_text("pages")
    expect(page.locator("dialog .search-hit mark").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/multilayer-perceptrons/dropout.html*")


def test_search_says_that_there_is_nothing(desktop: Visit) -> None:
    """And Escape leads back to the page."""
    page = desktop.open(SECTION)
    page.keyboard.press("Control+k")
    page.keyboard.insert_text("\N{GREEK SMALL LETTER SAMPI}" * 3)
    expect(page.locator("dialog .search-box__status")).to_contain_text("Nothing found")
    page.keyboard.press("Escape")
    expect(page.locator("#pst-search-dialog")).to_be_hidden()


def test_search_page_answers_its_address(desktop: Visit) -> None:
    """What Enter in the field leads to."""
    page = desktop.open("search.html?q=momentum")
    expect(page.locator("article .search-hit").first).to_contain_text("Momentum")


def test_search_works_where_there_is_no_server(browser: Browser, book: Path) -> None:
    """In the archive of the site, which is opened from a disk, Sphinx's own search steps in."""
    with visit(browser, (book / "build" / "html").as_uri() + "/") as opened:
        page = opened.open("search.html?q=momentum")
        expect(page.locator("#search-results a", has_text="Momentum").first).to_be_visible()


def test_theme_stays_as_chosen(desktop: Visit) -> None:
    """Dark by button, on the next page as well."""
    page = desktop.open(SECTION)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.locator("button.theme-switch-button").first.click()
    page.locator(".theme-switch-container, .dropdown-menu").get_by_text("Dark").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    desktop.open("index.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_paper_is_light(desktop: Visit) -> None:
    """A page that is read in the dark is printed in the light, and is dark again afterwards."""
    page = desktop.open(SECTION)
    themes = page.evaluate("""() => {
      const root = document.documentElement;
      root.dataset.theme = "dark";
      const after = (name) => { dispatchEvent(new Event(name)); return root.dataset.theme; };
      return ["beforeprint", "afterprint"].map(after);
    }""")
    assert themes == ["light", "dark"]


@pytest.mark.parametrize(
    ("selector", "content"),
    [
        ("article p a[href*='calculus.html']", "Calculus"),
        ("article p a[href*='#fig-']", "Figure"),
        ("article p a[href*='#equation-']", "(1.3."),
        ("article p a[href*='references.html']", "Goodfellow"),
        ("a.library-name", "d2l.plot"),
        ("article p a[href*='glossary.html#']", "cross-entropy"),
    ],
    ids=["section", "figure", "equation", "citation", "library", "term"],
)
def test_preview_by_mouse(desktop: Visit, selector: str, content: str) -> None:
    """Of what stands on this page and on others; it goes when the mouse goes."""
    page = desktop.open(SECTION)
    page.locator(selector).first.hover()
    expect(page.locator("#preview")).to_contain_text(content)
    page.locator("h1").first.hover()
    expect(page.locator("#preview")).to_be_hidden()


def test_preview_by_keyboard(desktop: Visit) -> None:
    """Reaching a link shows what it leads to, and says so to a screen reader; Escape closes it."""
    page = desktop.open(SECTION)
    link = page.locator("article p a.reference.internal").first
    page.locator("h1 .headerlink").focus()
    while not link.evaluate("link => link === document.activeElement"):
        page.keyboard.press("Tab")
    expect(page.locator("#preview")).to_be_visible()
    assert link.get_attribute("aria-describedby") == "preview"
    page.keyboard.press("Escape")
    expect(page.locator("#preview")).to_be_hidden()


def test_preview_by_touch(phone: Visit) -> None:
    """The first tap shows, and a link in what it shows leads there."""
    page = phone.open(SECTION)
    page.locator("article p a[href*='calculus.html']").first.tap()
    expect(page.locator("#preview")).to_contain_text("Calculus")
    page.locator("#preview .preview__go").tap()
    page.wait_for_url("**/preliminaries/calculus.html*")


def test_copy_button_takes_the_code(browser: Browser, site: str) -> None:
    """As it stands, to the clipboard."""
    with visit(browser, site, permissions=["clipboard-read", "clipboard-write"]) as opened:
        page = opened.open(SECTION)
        cell = page.locator("div.cell_input").first
        cell.hover()
        cell.locator("button.copybtn").click()
        page.wait_for_timeout(300)
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == cell.locator("pre").inner_text().strip()
        assert opened.complaints == []


def test_downloaded_notebook_runs(desktop: Visit, python: Path, tmp_path: Path) -> None:
    """From its link on the page, in an environment that has the library."""
    page = desktop.open("preliminaries/calculus.html")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the notebook").first.click()
    file = tmp_path / "calculus.ipynb"
    waiting.value.save_as(file)
    nbformat.validate(nbformat.read(file, as_version=4))  # type: ignore[no-untyped-call]
    code = f"""
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read({str(file)!r}, as_version=4)
NotebookClient(notebook, timeout=120, resources={{"metadata": {{"path": {str(tmp_path)!r}}}}}).execute()
"""
    subprocess.run([str(python), "-c", code], check=True, capture_output=True)


def test_menu_of_a_phone(phone: Visit) -> None:
    """The button at the left shows the chapters, and one of them opens."""
    page = phone.open(SECTION)
    page.locator("button.primary-toggle").tap()
    page.locator("#pst-primary-sidebar-modal").get_by_role("link", name="7 Optimisation").tap()
    page.wait_for_url("**/optimization/index.html")


def test_code_leads_to_the_library_and_back(desktop: Visit) -> None:
    """From a name in a cell to its page, and from there to the sections that use it."""
    page = desktop.open("linear-regression/linear-regression-scratch.html")
    page.locator("a.library-name", has_text="d2l.Module").first.click()
    page.wait_for_url("**/library/linear_regression/Module.html*")
    page.locator("section#in-the-book a", has_text="object-oriented design").first.click()
    page.wait_for_url("**/linear-regression/oo-design.html*")
    expect(page.locator(".saved-note").first).to_contain_text("used in")


def test_section_can_be_cited(desktop: Visit) -> None:
    """As BibTeX has it."""
    page = desktop.open(SECTION)
    page.locator(".bd-sidebar-secondary .section-cite summary").click()
    entry = page.locator(".bd-sidebar-secondary .section-cite pre").inner_text()
    assert entry.startswith("@incollection{gan-gan,")
    assert "title = {The adversarial game}," in entry


@pytest.mark.parametrize("path", KINDS.values(), ids=KINDS)
def test_nothing_is_wider_than_a_small_screen(browser: Browser, site: str, path: str) -> None:
    """At 320 pixels pages scroll in one direction, titles are whole, no script fails, and no other host is asked."""
    with visit(browser, site, width=320) as opened:
        page = opened.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        titles = page.evaluate("[...document.querySelectorAll('article h1')].map(h => h.scrollWidth - h.clientWidth)")
        assert max(titles, default=0) <= 0
        assert opened.complaints == []


@pytest.mark.parametrize("path", KINDS.values(), ids=KINDS)
def test_pages_can_be_used_by_all(browser: Browser, site: str, path: str) -> None:
    """axe finds no violation, in light and dark, on a desktop and on a phone."""
    for width, dark in [(1280, False), (1280, True), (390, False), (390, True)]:
        with visit(browser, site, width=width, dark=dark) as opened:
            page = opened.open(path)
            page.wait_for_timeout(300)
            found = Axe().run(page).response["violations"]
            told = [(each["id"], [node["target"] for node in each["nodes"][:3]]) for each in found]
            assert told == [], json.dumps(told, indent=1)

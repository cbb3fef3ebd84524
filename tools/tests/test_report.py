"""What a build says of itself: the report for programs, its page for people, and the downloads beside the site."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from building import bindery, contents, edit

from bindery.book import read_book
from bindery.execute import notebook_of
from bindery.model import Book, Execution, Injected, Location, Problem, Task, Turn
from bindery.report import Report, make_report, to_json, to_page

SECTION = """\
=== chapters/one/a.md
# A

```{code-cell} python
:tags: [parameters]

n = 100
```

```{code-cell} python
# A comment first
total = sum(range(n))
```

```{code-cell} python
```

```{code-cell} python
print(total)
```
"""


@pytest.fixture
def book(make_book: Callable[..., Path]) -> Book:
    """A book of one section with four code cells, one of which is empty."""
    return read_book(make_book(SECTION))


def executed(book: Book, seconds: tuple[float, ...], turn: Turn | None, error: Problem | None = None) -> Execution:
    """An execution of the book's section."""
    section = next(section for section in book.sections() if section.code)
    folder = Path("unused")
    task = Task(section, Injected(1, {"n": 3}), folder, folder, folder, 60, "quick", "key", {})
    return Execution(section.name, notebook_of(task), 3.0, seconds, "cpu", turn is None, error, turn)


def report_of(book: Book, *executions: Execution, before: Report | None = None) -> Report:
    """The report of these executions, after another report."""
    problems = [execution.error for execution in executions if execution.error]
    return make_report(book, "quick", executions, problems, to_json(before) if before else b"")


def test_page_tells_why_sections_ran_and_how_large_products_are(book: Book) -> None:
    """A first reason and how many more; sizes beside those of the last build."""
    section = next(section for section in book.sections() if section.code)
    ran = executed(book, (1.0, 1.0, 1.0), Turn(0.0, 0))
    changes = {section.name: ["cell 2 changed", "`d2l.plot` changed"]}
    first = make_report(book, "quick", [ran], [], b"", changes, {"html": 1_500_000, "pdf/book.pdf": 9_000})
    page = to_page(first, "").decode()
    assert "cell 2 changed, and 1 more" in page
    assert page.count(">new<") == 2
    second = make_report(book, "quick", [], [], to_json(first), {}, {"html": 1_600_000, "pdf/book.pdf": 9_000})
    page = to_page(second, "").decode()
    assert "+100 kB" in page and "the same" in page


def test_each_cell_that_ran_has_its_place_and_time(book: Book) -> None:
    """Injected values count with the cell they follow, empty cells are left out, others stand on their line."""
    (section,) = report_of(book, executed(book, (0.5, 0.25, 1.0, 0.125), Turn(2.0, 1)))["sections"]
    assert [(cell["line"], cell["code"], cell["seconds"]) for cell in section["cells"]] == [
        (6, "n = 100", 0.5),
        (6, "n = 3", 0.25),
        (10, "total = sum(range(n))", 1.0),
        (18, "print(total)", 0.125),
    ]
    assert (section["start"], section["slot"], section["cached"]) == (2.0, 1, False)


def test_a_failed_section_has_the_cells_up_to_the_failure(book: Book) -> None:
    """Its problem stands with it and among all problems, and its page says so first."""
    problem = Problem(Location("chapters/one/a.md", 10), "cell-raised", "no <sum> today", "Traceback & more")
    report = report_of(book, executed(book, (0.5, 0.25, 1.0), Turn(0.0, 0), problem))
    assert [cell["line"] for cell in report["sections"][0]["cells"]] == [6, 6, 10]
    assert report["sections"][0]["error"] == report["problems"][0]
    page = to_page(report, "../html/").decode()
    assert "<code>chapters/one/a.md:10</code><br>no &lt;sum&gt; today" in page
    assert "<pre>Traceback &amp; more</pre>" in page
    assert 'class="turn failed"' in page


def test_bars_lie_where_sections_ran(book: Book) -> None:
    """A bar begins at its section's start, is as long as it took, and stands in its slot's lane."""
    first = executed(book, (1.0,), Turn(0.0, 0))
    report = report_of(book, first)
    report["last_run"].append(report["last_run"][0] | {"section": "one/b", "start": 3.0, "slot": 1})
    lanes = to_page(report, "").decode().split('<div class="lane">')[1:]
    bars = [re.findall(r"left:([\d.]+)%;width:([\d.]+)%\" title=\"([\w/]+)", lane) for lane in lanes]
    assert bars == [[("0.0", "50.0", "one/a")], [("50.0", "50.0", "one/b")]]


def test_a_build_that_runs_nothing_keeps_the_last_timeline(book: Book) -> None:
    """The page says that it is an earlier run's; a report of another format is not read."""
    before = report_of(book, executed(book, (1.0,), Turn(0.5, 0)))
    after = report_of(book, executed(book, (1.0,), None), before=before)
    assert after["last_run"] == before["last_run"]
    assert after["sections"][0]["start"] is None
    assert "Nothing ran in this build; this is the last run." in to_page(after, "").decode()
    assert report_of(book, executed(book, (1.0,), None), before={**before, "format": 1})["last_run"] == []


def test_a_report_without_a_book_has_its_problems() -> None:
    """When nothing could be read there is still a page."""
    report = make_report(None, "full", [], [Problem(Location("chapters/book.yml", 1), "book", "no title")])
    assert "chapters/book.yml:1" in to_page(report, "").decode()
    assert report["sections"] == []


def links(page: Path) -> list[str]:
    """Where the links of a page lead, other hosts and parts of the same page left out."""
    found = re.findall(r'href="([^"#]+)', page.read_text(encoding="utf-8"))
    return [link for link in found if "://" not in link and not link.startswith("data:")]


@pytest.mark.slow
def test_pages_beside_the_site_lead_somewhere_and_the_site_leads_to_them(built: Path) -> None:
    """Report and downloads are linked from every page's footer; each link of theirs has its file."""
    site = built / "build" / "html"
    pages = [site / "report/index.html", site / "downloads/index.html", built / "build/report/index.html"]
    for page in pages:
        assert len(links(page)) >= 4
        for link in links(page):
            assert (page.parent / link).is_file(), f"{page}: {link}"
    for page in (site / "index.html", site / "one" / "uses.html"):
        assert {"report/index.html", "downloads/index.html"} <= {link.removeprefix("../") for link in links(page)}
    offered = {path.name for path in (site / "downloads").iterdir()}
    assert offered == {
        *("index.html", "book.pdf", "book.epub", "notebooks.zip", "website.zip", "d2l-0.0.1-py3-none-any.whl")
    }
    with zipfile.ZipFile(site / "downloads" / "website.zip") as packed:
        names = set(packed.namelist())
    assert {"index.html", "one/uses.html", "notebooks/one/uses.ipynb", "downloads/book.pdf"} <= names
    assert "downloads/website.zip" not in names


@pytest.mark.slow
def test_a_download_older_than_the_site_is_not_offered(root: Path) -> None:
    """After an edit, `make html` takes away what was made before it; making it again brings it back."""
    downloads = root / "build" / "html" / "downloads"
    before = contents(downloads)
    edit(root, "one/uses.md", "See {ref}", "Look at {ref}")
    assert bindery(root, "html")[0] == 0
    assert {path.name for path in downloads.iterdir()} == {"index.html", "d2l-0.0.1-py3-none-any.whl"}
    page = (downloads / "index.html").read_text(encoding="utf-8")
    assert "<code>make pdf html</code>" in page
    assert "<code>make epub html</code>" in page
    edit(root, "one/uses.md", "Look at {ref}", "See {ref}")
    assert [bindery(root, command)[0] for command in ("notebooks", "pdf", "epub", "archive")] == [0] * 4
    assert contents(downloads).keys() == before.keys()
    assert contents(downloads)["notebooks.zip"] == before["notebooks.zip"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [("# Apart\n", "Apart\n", "no-title"), ("# Apart\n", "# Apart\n\nSee {ref}`sec_nowhere`.\n", "sphinx-ref")],
)
def test_problems_of_every_stage_are_reported(root: Path, old: str, new: str, rule: str) -> None:
    """What was wrong in reading or in Sphinx is in the report, too; the site keeps the report of its own build."""
    before = contents(root / "build" / "html" / "report")
    edit(root, "one/apart.md", old, new)
    assert bindery(root, "html")[0] == 1
    report = json.loads((root / "build/report/report.json").read_text(encoding="utf-8"))
    assert [(problem["path"], problem["rule"]) for problem in report["problems"]] == [("chapters/one/apart.md", rule)]
    assert contents(root / "build" / "html" / "report") == before

"""Begins books, chapters and sections: names and titles in, files out. What is there already is never overwritten."""

from __future__ import annotations

import json
import keyword
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from bindery import files
from bindery.book import read_book
from bindery.doctor import named, requirements, version_of
from bindery.model import Book, Location, Mistyped, Problem, ProblemsFound
from bindery.parse import Toctree, read_page
from bindery.validate import hint

RESOURCES = Path(__file__).parent / "resources"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
KEPT = {".git"}
"""What may stand in a folder in which a book is begun."""

Say = Callable[[str], None]


def begin_book(folder: Path, title: str, author: str, say: Say) -> list[Problem]:
    """Write a small book that can be built at once; an empty `title` or `author` is taken from folder or git."""
    if folder.exists() and (not folder.is_dir() or {path.name for path in folder.iterdir()} - KEPT):
        raise Mistyped(f"{folder} is not empty; a book begins in a new or empty folder")
    title = _one_line(title) or _title_of(folder.resolve().name)
    author = _one_line(author) or _git_author() or "The authors"
    values = {
        "TITLE": title,
        "TITLE_QUOTED": json.dumps(title, ensure_ascii=False),
        "AUTHOR_QUOTED": json.dumps(author, ensure_ascii=False),
        "PINS": "\n".join(_pins()),
    }
    template = RESOURCES / "book"
    # An installed package has its Python compiled, in folders beside it.
    paths = [path for path in template.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in sorted(paths):
        files.write_if_changed(folder / path.relative_to(template), _filled(path, values))
    say(f"{folder}: the book “{title}”, with one chapter of two sections")
    say("next: " + ("bindery html" if folder.resolve() == Path.cwd() else f"cd {folder} && bindery html"))
    return []


def begin_chapter(root: Path, name: str, title: str, say: Say) -> list[Problem]:
    """Write a chapter's opening page and list it last, but before an appendix."""
    _check_name(name)
    if keyword.iskeyword(name):
        raise Mistyped(f"`{name}` cannot name a chapter, since its code will be a Python module of this name")
    book = read_book(root)
    problems = _exists(root, f"chapters/{name}/index") or _exists(root, f"chapters/{name}")
    if problems:
        return problems
    index = "chapters/index.md"
    page, _ = read_page(index, (root / index).read_text(encoding="utf-8"))
    toctree = next(toctree for toctree in page.toctrees if toctree.numbered)
    place = toctree.end
    if toctree.entries and toctree.entries[-1][0].startswith("appendix"):
        place = toctree.entries[-1][1]
    title = _one_line(title) or _title_of(name)
    label = _label("chap", name, book)
    _write(root, f"chapters/{name}/index.md", "chapter.md", {"TITLE": title, "LABEL": label}, say)
    _list(root, place, f"{name}/index", say)
    return []


def begin_section(root: Path, name: str, title: str, say: Say) -> list[Problem]:
    """Write a section with all the parts that one has, as a draft, and list it last in its chapter."""
    folder, _, stem = name.rpartition("/")
    if not folder:
        raise Mistyped(f"`{name}` names no chapter; write CHAPTER/{name}")
    _check_name(stem)
    book = read_book(root)
    chapters = {chapter.folder: chapter.index for chapter in book.chapters if chapter.index}
    if folder not in chapters:
        raise Mistyped(f"no chapter `{folder}` is there{hint(folder, chapters)}")
    problems = _exists(root, f"chapters/{name}")
    if problems:
        return problems
    toctree = _last_toctree(root, chapters[folder].path)
    title, label = _one_line(title) or _title_of(stem), _label("sec", name, book)
    values = {"TITLE": title, "LABEL": label, "EXERCISE": "ex" + label.removeprefix("sec")}
    _write(root, f"chapters/{name}.md", "section.md", values, say)
    _list(root, toctree.end, stem, say)
    return []


def _last_toctree(root: Path, path: str) -> Toctree:
    page, _ = read_page(path, (root / path).read_text(encoding="utf-8"))
    if path.endswith(".ipynb") or not page.toctrees:
        message = "here a section would be listed, but this is no Markdown page with a toctree; give it one"
        raise ProblemsFound([Problem(Location(path, 1), "no-toctree", message)])
    return page.toctrees[-1]


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or name in ("data", "index"):
        raise Mistyped(f"`{name}` is no name for a page: small letters, digits and hyphens, but not `data` or `index`")


def _exists(root: Path, stem: str) -> list[Problem]:
    found = next((path for suffix in (".md", ".ipynb") if (root / (path := stem + suffix)).exists()), "")
    return [Problem(Location(found, 1), "exists", "is there already; choose another name")] if found else []


def _label(kind: str, name: str, book: Book) -> str:
    """A label that no page has: the page's own name, after its chapter's if need be."""
    taken = {page.label for page in book.pages()}
    short, long = (f"{kind}_{re.sub('[-/]', '_', part)}" for part in (name.rpartition("/")[2], name))
    return long if short in taken else short


def _title_of(name: str) -> str:
    words = re.sub(r"[-_]+", " ", name).strip()
    return words[:1].upper() + words[1:] or "A book"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _git_author() -> str:
    try:
        done = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return _one_line(done.stdout)


def _pins() -> list[str]:
    """What bindery needs, in the versions that are installed, so that the book can be built again as it was."""
    needed = sorted(requirements(), key=lambda each: each.name)
    return [f"{named(each)}=={version}" for each in needed if (version := version_of(each))]


def _filled(template: Path, values: Mapping[str, str]) -> bytes:
    """A template's text, in which `@NAME@` stands for a value."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()


def _write(root: Path, path: str, template: str, values: Mapping[str, str], say: Say) -> None:
    files.write_if_changed(root / path, _filled(RESOURCES / template, values))
    say(f"{Location(path, 1)}: “{values['TITLE']}”, with the label {values['LABEL']}")


def _list(root: Path, place: Location, entry: str, say: Say) -> None:
    """Put an entry into a toctree, before the line of `place`."""
    lines = (root / place.path).read_text(encoding="utf-8").split("\n")
    lines.insert(place.line - 1, entry)
    files.write_if_changed(root / place.path, "\n".join(lines).encode())
    say(f"{place}: lists {entry}")

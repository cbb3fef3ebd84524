"""Fills the templates of the pages that stand beside the site and are not chapters: report and downloads."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: object) -> bytes:
    """The page that a template of `resources/` makes of these values."""
    return _environment().get_template(template).render(values).encode()


@cache
def _environment() -> Environment:
    # A build that changed nothing writes no page, and need not wait for this.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bindery", "resources"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["seconds"] = _seconds
    environment.filters["size"] = _size
    return environment


def _seconds(value: float) -> str:
    """A time as people read it: `0.04 s`, `12.3 s`, `3 min 20 s`."""
    if value >= 60:
        return f"{value // 60:.0f} min {value % 60:.0f} s"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def _size(count: int) -> str:
    """A number of bytes as people read it: `48 kB`, `2.1 MB`."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"

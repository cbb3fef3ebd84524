"""What Sphinx's settings are in a book that says nothing else: `conf.py` need only name the extension.

Facts of the book come from `chapters/book.yml`. A value that `conf.py` gives stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from sphinx.application import Sphinx

from bindery.settings import Facts

EXTENSIONS = ("myst_nb", "sphinx_copybutton", "sphinx_design", "sphinx_exercise", "sphinxcontrib.bibtex")
"""What the pages are made with, beside bindery itself."""

NO_BREAK = "\N{NO-BREAK SPACE}"


def set_defaults(app: Sphinx) -> None:
    """Give all settings that a book needs and that its `conf.py` does not give."""
    root = Path(app.confdir)
    facts = Facts(**yaml.safe_load((root / "chapters" / "book.yml").read_text(encoding="utf-8")))
    for name, value in {**_reading(root), **_pages(facts), **_pdf(facts)}.items():
        # Sphinx has no other way for an extension to see whether `conf.py` has set a value.
        app.config._raw_config.setdefault(name, value)
    for extension in EXTENSIONS:
        app.setup_extension(extension)


def _reading(root: Path) -> dict[str, Any]:
    """How chapters are read: bindery has run the code already, and hands finished notebooks to Sphinx."""
    bibliography = "chapters/references.bib"
    return {
        "nb_execution_mode": "off",
        "nb_merge_streams": True,
        "myst_enable_extensions": [
            *("amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"),
        ],
        "myst_update_mathjax": False,
        "bibtex_bibfiles": [bibliography] if (root / bibliography).is_file() else [],
        "bibtex_default_style": "author_year",
        "bibtex_reference_style": "author_year_round",
        "bibtex_bibliography_id": "bibliography",
        "bibtex_cite_id": "cite-{key}",
        # Figures, tables, equations and exercises count within their section, as in Figure 9.1.2.
        "numfig": True,
        "numfig_secnum_depth": 2,
        "numfig_format": {
            "section": f"Section{NO_BREAK}%s",
            "figure": f"Figure{NO_BREAK}%s",
            "table": f"Table{NO_BREAK}%s",
            "code-block": f"Listing{NO_BREAK}%s",
        },
        "math_numfig": True,
    }


def _pages(facts: Facts) -> dict[str, Any]:
    """The book and its website."""
    author = ", ".join(person.name for person in facts.authors)
    source = {"name": "Source", "url": facts.source, "icon": "fa-solid fa-code-branch"}
    options: dict[str, Any] = {
        "logo": {"text": facts.title},
        # A book has one way through it: the list of chapters at the left, not a menu at the top.
        "navbar_center": [],
        "navbar_end": ["theme-switcher", "navbar-icon-links"],
        "article_header_start": [],
        "primary_sidebar_end": [],
        "secondary_sidebar_items": {"**": ["page-toc", "section-tools"], "index": []},
        "article_footer_items": ["section-end"],
        "show_toc_level": 2,
        "search_bar_text": "Search the book",
        "footer_start": ["copyright"],
        "footer_center": ["footer-links"],
        "footer_end": ["build-facts"],
        "back_to_top_button": False,
        # Both keep a contrast of 7:1.
        "pygments_light_style": "a11y-high-contrast-light",
        "pygments_dark_style": "github-dark-high-contrast",
        "icon_links": [source] if facts.source else [],
    }
    if facts.editions:
        options |= {
            "switcher": {"json_url": facts.editions, "version_match": facts.version},
            "check_switcher": False,  # builds ask nothing of the network
            "show_version_warning_banner": True,
            "navbar_end": ["version-switcher", *options["navbar_end"]],
        }
    return {
        "project": facts.title,
        "author": author,
        "copyright": facts.copyright or author,
        "version": facts.version,
        "release": facts.version,
        "language": facts.language,
        "html_theme": "pydata_sphinx_theme",
        "html_title": facts.title,
        "html_short_title": facts.title,
        "html_baseurl": facts.url,
        "html_math_renderer": "katex",
        "katex_macros": facts.katex_macros,
        "bindery_facts": facts,
        "bindery_parts": tuple((part.title, part.chapters) for part in facts.parts),
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_sphinx": False,
        "html_use_index": True,
        "html_domain_indices": False,
        "html_permalinks_icon": "#",
        "toc_object_entries_show_parents": "hide",
        "html_sidebars": {"**": ["sidebar-chapters.html"], "index": []},
        "html_context": {"default_mode": "auto"},
        "html_theme_options": options,
        "copybutton_selector": "div:not(.output) > div.highlight pre",
    }


def _pdf(facts: Facts) -> dict[str, Any]:
    """The book on paper."""
    return {
        "latex_engine": "xelatex",
        "latex_elements": {"papersize": f"{facts.paper.lower()}paper", "pointsize": "11pt"},
        "bindery_licences": facts.licences,
        "bindery_imprint": {"description": facts.description, "url": facts.url, "source": facts.source},
        "pygments_style": "a11y-high-contrast-light",
        # A plot is taken as vectors.
        "nb_mime_priority_overrides": [("latex", "image/svg+xml", 5)],
    }

"""Sphinx settings. What is true of the book itself (title, version, authors, …) stands in `chapters/book.yml`."""

from pathlib import Path

import yaml

from bindery.settings import Facts

facts = Facts(**yaml.safe_load((Path(__file__).parent / "chapters" / "book.yml").read_text(encoding="utf-8")))

# The book
project = facts.title
author = ", ".join(person.name for person in facts.authors)
copyright = facts.copyright or author
version = release = facts.version
language = facts.language

# Reading: `bindery` has run the code already, and hands finished notebooks to Sphinx
extensions = [
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_exercise",
    "sphinxcontrib.bibtex",
    "bindery.sphinxext",
]
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_update_mathjax = False
bibtex_bibfiles = ["chapters/references.bib"]
bibtex_default_style = "author_year"
bibtex_reference_style = "author_year_round"
bibtex_bibliography_id = "bibliography"
bibtex_cite_id = "cite-{key}"

# Numbers: figures, tables, equations and exercises count within their section, as in Figure 9.1.2
numfig = True
numfig_secnum_depth = 2
numfig_format = {
    "section": "Section\N{NO-BREAK SPACE}%s",
    "figure": "Figure\N{NO-BREAK SPACE}%s",
    "table": "Table\N{NO-BREAK SPACE}%s",
    "code-block": "Listing\N{NO-BREAK SPACE}%s",
}
math_numfig = True

# Pages
html_theme = "pydata_sphinx_theme"
html_title = html_short_title = facts.title
html_baseurl = facts.url
html_math_renderer = "katex"
katex_macros = facts.katex_macros
bindery_facts = facts
bindery_parts = tuple((part.title, part.chapters) for part in facts.parts)
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = True
html_domain_indices = False
html_permalinks_icon = "#"
toc_object_entries_show_parents = "hide"
html_sidebars = {"**": ["sidebar-chapters.html"], "index": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
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
    "icon_links": [{"name": "Source", "url": facts.source, "icon": "fa-solid fa-code-branch"}] if facts.source else [],
}
if facts.editions:
    html_theme_options |= {
        "switcher": {"json_url": facts.editions, "version_match": facts.version},
        "show_version_warning_banner": True,
    }
copybutton_selector = "div:not(.output) > div.highlight pre"

# The PDF
latex_engine = "xelatex"
latex_elements = {"papersize": f"{facts.paper.lower()}paper", "pointsize": "11pt"}
bindery_licences = facts.licences
bindery_imprint = {"description": facts.description, "url": facts.url, "source": facts.source}
pygments_style = "a11y-high-contrast-light"
# A plot is taken as vectors.
nb_mime_priority_overrides = [("latex", "image/svg+xml", 5)]

"""Sphinx settings. bindery has one for everything (`tools/bindery/sphinxext/defaults.py`); a value given here wins.

What is true of the book itself (title, version, authors, …) stands in `chapters/book.yml`.
"""

extensions = ["bindery.sphinxext"]

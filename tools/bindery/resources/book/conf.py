"""Sphinx settings. bindery brings one for everything; a value given here wins.

What is true of the book itself (title, version, authors, …) stands in `chapters/book.yml`.
"""

extensions = ["bindery.sphinxext"]

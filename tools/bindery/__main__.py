"""`python -m bindery` is the command line."""

from bindery.cli import main

main()

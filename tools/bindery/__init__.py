"""bindery: builds a book that is a program."""

"""One (chapter 1): the code saved there."""

__all__ = [
    "double",
]


# chapters/one/a.ipynb:28, Section 1.1
def double(n):
    """Twice n."""
    return 2 * n

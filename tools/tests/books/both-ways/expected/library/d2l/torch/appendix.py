"""Appendix (chapter 3): the code saved there."""

__all__ = [
    "Named",
]


# chapters/appendix/index.md:4, Section 3
class Named:
    """Has a name."""
    def name(self):
        return "named"

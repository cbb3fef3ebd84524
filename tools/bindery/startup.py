"""What a process of ours does before anything else, to be quick."""

from __future__ import annotations

import gc
import sys
from typing import Any


def hurry() -> None:
    """Collect garbage seldom, and leave out an import that takes most of a second and serves nobody here."""
    gc.set_threshold(100_000, 50, 50)  # a book read is a million small objects, all of which stay
    # A grammar of international web addresses, which jsonschema would check those in notebooks by; it does without.
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)

"""Where the example project stands: the root of this repository."""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[4]
SERIES = CHECKOUT / "packages" / "amplify-delivery" / "tests" / "exports" / "todo-series"
"""The versions of the example's backend, as its front-end developer exported them."""

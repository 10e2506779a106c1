"""When an AppSync API key expires whose environment does not say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAYS = 364
"""AppSync takes at most 365 days from the moment of the call."""


def in_a_year(today: datetime | None = None) -> int:
    """The epoch of 00:00 UTC, `DAYS` from today."""
    now = today or datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight + timedelta(days=DAYS)).timestamp())

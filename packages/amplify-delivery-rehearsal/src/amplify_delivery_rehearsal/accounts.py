"""The AWS accounts of the rehearsal: made-up numbers, one per role that an account plays."""

from __future__ import annotations

TOOLING = "111111111111"
"""Holds the pipeline, its artifacts and the tooling state."""

PREPROD = "222222222222"
"""Holds the environment `preprod`."""

PROD = "333333333333"
"""Holds the environment `prod`."""

DEVELOPER = "444444444444"
"""Holds a developer's personal copy of the backend, the environment `dev`."""

ALL = (TOOLING, PREPROD, PROD, DEVELOPER)

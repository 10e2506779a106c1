"""What the service tells while it works: one event per change, for a live board."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """A change: `kind` is execution, stage, action or build; `status` as the API tells it.

    For a build `action` is empty and `detail` names its id; `stage` is then the build's phase.
    """

    kind: str
    pipeline: str
    execution: str
    status: str
    stage: str = ""
    action: str = ""
    detail: str = ""
    at: float = field(default_factory=time.time)


Listener = Callable[[Event], None]

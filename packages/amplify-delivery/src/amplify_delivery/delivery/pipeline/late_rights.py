"""Waiting for rights on keys that AWS gives late: those that hang on a key's alias or tags.

"It might take up to five minutes for tag and alias changes to affect KMS key authorization" ("ABAC for AWS KMS", KMS
developer guide). UpdatePipeline's rights on the keys that it makes itself, and on the tooling state's, are such: a
key's ARN is random, so nobody can name it before.
"""

from __future__ import annotations

import re
import time

from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine.locking.waiting import PAUSES
from amplify_delivery.errors import DeliveryError

LONGEST = 360.0
"""Seconds: AWS's five minutes, and one more."""
_DENIED = re.compile(
    r"not authorized to perform: (kms:\w+)(?: on resource: (arn:aws[\w-]*:kms:[\w-]+:\d{12}:key/[\w-]+))?"
)
"""IAM's sentence; the engine, the provider and the state's encryption have words of their own around it."""


class LateRights:
    """The time that one run of a command has for rights on keys, whichever they are."""

    def __init__(self) -> None:
        self._deadline: float | None = None
        self._said: set[str] = set()
        self._waited = 0

    def wait(self, error: DeliveryError) -> bool:
        """Wait a little if `error` is the denial of a right on a key; False, at once, for any other.

        When the time is over, False too: then the error says so.
        """
        denied = _DENIED.search(error.message)
        if denied is None:
            return False
        if self._deadline is None:
            self._deadline = time.monotonic() + LONGEST
        left, key = self._deadline - time.monotonic(), denied[2] or "a key"
        if left <= 0:
            error.remedy = (
                f"waited {LONGEST / 60:.0f} minutes for it, and a right that hangs on a key's alias or tags is there "
                f"after five: look whether {key} has the pipeline's tags and no other alias than its own, then "
                f"retry the stage. {error.remedy}"
            )
            return False
        if denied[0] not in self._said:
            self._said.add(denied[0])
            output.progress(
                f"AWS denies {denied[1]} on {key}. A right that hangs on a key's alias or tags counts up to five "
                f"minutes after these were set: trying again at least every {PAUSES[-1]:.0f} s, "
                f"{left / 60:.0f} minutes at most"
            )
        time.sleep(min(PAUSES[min(self._waited, len(PAUSES) - 1)], left))
        self._waited += 1
        return True

"""Bake time: waiting, and looking whether an alarm rings meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amplify_delivery.errors import ConfigError, FailedError

POLL = 30.0
"""Seconds between two looks at the alarm."""


@dataclass(frozen=True)
class AlarmState:
    """`value` is OK, ALARM or INSUFFICIENT_DATA ("DescribeAlarms" in the CloudWatch API reference)."""

    value: str
    reason: str


def wait(
    minutes: float,
    look: Callable[[], AlarmState] | None,
    where: str,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait so many minutes, with a look at the alarm at once, every `POLL` seconds, and at the end.

    Raises `FailedError` as soon as it rings; an alarm without data does not ring.
    """
    end = clock() + minutes * 60
    while True:
        state = look() if look else None
        if state and state.value == "ALARM":
            raise FailedError(
                f"the alarm went off: {state.reason or 'no reason given'}",
                where=where,
                remedy="what was deployed stays as it is: roll it back, or fix it and deliver again",
            )
        left = end - clock()
        if left <= 0:
            return
        sleep(min(POLL, left) if look else left)


def alarm_state(cloudwatch: Any, name: str) -> AlarmState:
    """The state of a metric or composite alarm. Raises `ConfigError` if there is none, and botocore's errors."""
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    if not found:
        raise ConfigError(
            "there is no such alarm",
            where=f"alarm {name}",
            remedy="name an alarm of the environment's account and region, or make it with the program",
        )
    return AlarmState(found[0]["StateValue"], found[0].get("StateReason", ""))

"""Whether this machine's clock is right enough: AWS refuses signatures of other times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from amplify_delivery.delivery.doctor.lines import Line

_REFUSED, _WRONG = 300, 60
"""Seconds. "Elements of an AWS API request signature" (IAM user guide): a request must arrive within five minutes of
the time in it; S3 allows fifteen."""


@dataclass(frozen=True)
class Times:
    """AWS's time (the header `Date`, whole seconds), and this machine's as it arrived."""

    theirs: datetime
    ours: datetime


def judge(times: Times) -> Line:
    """Line `clock`."""
    off = round((times.ours - times.theirs).total_seconds())
    if abs(off) < _WRONG:
        return Line("clock", "ok", f"within {max(1, abs(off))} s of AWS's")
    way = "ahead of" if off > 0 else "behind"
    remedy = "set this machine's clock by the network: `sudo timedatectl set-ntp true` (Linux with systemd), `sudo "
    remedy += "sntp -sS time.apple.com` (macOS)"
    if abs(off) >= _REFUSED:
        said = f"{abs(off)} s {way} AWS's: AWS refuses what is signed more than {_REFUSED} s off"
        return Line("clock", "error", said, remedy)
    said = f"{abs(off)} s {way} AWS's; from {_REFUSED} s on AWS refuses what is signed"
    return Line("clock", "warning", said, remedy)

"""How long the whole rehearsal takes, with everything set up."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

SECONDS = 90
"""What the whole story may take on two cores."""


def story(work: Path) -> Iterator[tuple[str, str, str]]:
    """`make rehearse`, once: seconds on the wall and of the processors, and the longest chapters."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "amplify_delivery", "rehearse", "--json", "--page", str(work / "rehearsal.html")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    load = os.getloadavg()[0]
    yield (
        "`make rehearse`, engine in place",
        f"{SECONDS} s",
        f"{seconds:.0f} s ({used:.0f} s of the processors; load {load:.1f} at the end)",
    )
    for chapter in json.loads(done.stdout)["chapters"]:
        yield f"- {chapter['title']}", "", f"{chapter['seconds']:.0f} s"

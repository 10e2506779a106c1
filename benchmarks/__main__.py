"""`python -m benchmarks [NAME ...]`: measure, and print one table of what must be reached and what was seen."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    assembling,
    bootstrapping,
    building,
    cdk,
    comparing,
    delivering,
    installing,
    many,
    pipelines,
    previewing,
    publishing_large,
    recovering,
    rehearsing,
    reporting,
)

Row = tuple[str, str, str]
"""What was measured, what must be reached, what was seen."""

BENCHMARKS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "determinism": assembling.determinism,
    "series": assembling.touched,
    "assemble": assembling.times,
    "cdk": assembling.beside_cdk,
    "imports": assembling.imports,
    "build": building.build,
    "against": comparing.against,
    "publish": publishing_large.publish,
    "up": delivering.up,
    "unchanged": delivering.unchanged,
    "growth": pipelines.growth,
    "sizes": pipelines.sizes,
    "preview": previewing.preview,
    "many": many.five_hundred,
    "bootstrap": bootstrapping.changed,
    "recovery": recovering.recovery,
    "report": reporting.page,
    "rehearse": rehearsing.story,
    "install": installing.rehearsed,
    "cdk-pipelines": cdk.pipelines,
}
ONLY_WHEN_ASKED = {"cdk", "cdk-pipelines"}


def machine() -> str:
    """One line about this machine."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo.open() if line.startswith("model name")), "")
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores {model}, Python {platform.python_version()}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all but those of the CDK by default"
    )
    args = parser.parse_args()
    unknown = [n for n in args.names if n not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    names = args.names or [n for n in BENCHMARKS if n not in ONLY_WHEN_ASKED]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(f"Machine: {machine()}\n\n| what | must reach | seen |\n|---|---|---|", flush=True)
    broken = 0
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-benchmarks-") as work:
        for name in names:
            # Each in a process of its own: what it leaves in variables and memory would count for the next one, and one
            # that is broken costs nobody an hour of the others' measuring.
            process = multiprocessing.get_context("fork").Process(target=_measure, args=(name, Path(work)))
            process.start()
            process.join()
            broken += process.exitcode != 0
    return 1 if broken else 0


def _measure(name: str, work: Path) -> None:
    try:
        for what, target, seen in BENCHMARKS[name](work):
            print(f"| {what} | {target} | {seen} |", flush=True)
    except BaseException:
        print(f"| `{name}` | | **could not be measured** |", flush=True)
        raise


if __name__ == "__main__":
    sys.exit(main())

"""`delivery rehearse [EXPORT ...]`: deliver exports to a local AWS on this machine, one after the other."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exports", nargs="*", type=Path, metavar="EXPORT", help="exports; the example app's by default")
    parser.add_argument("--keep", action="store_true", help="leave the local AWS running, and say how to look into it")


def run(args: argparse.Namespace) -> int:
    from rehearsal.story import run as tell  # noqa: PLC0415 - `--help` does without

    return tell(args.exports, keep=args.keep, json_output=args.json)

"""`delivery rehearse [EXPORT ...]`: deliver exports to a local AWS on this machine, one after the other."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exports", nargs="*", type=Path, metavar="EXPORT", help="exports; the example app's by default")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        type=secret,
        metavar="NESTED_STACK.PARAMETER=VALUE",
        help="a made-up value for a secret, which no export may hold",
    )
    parser.add_argument("--keep", action="store_true", help="leave the local AWS running, and say how to look into it")


def run(args: argparse.Namespace) -> int:
    from rehearsal.story import run as tell  # noqa: PLC0415 - `--help` does without

    return tell(args.exports, keep=args.keep, json_output=args.json, secrets=dict(args.secret))


def secret(text: str) -> tuple[tuple[str, str], str]:
    """A secret as it is given on the command line."""
    name, equals, value = text.partition("=")
    nested, dot, parameter = name.partition(".")
    if not (equals and dot and nested and parameter):
        raise argparse.ArgumentTypeError(f"{text!r} is not NESTED_STACK.PARAMETER=VALUE")
    return (nested, parameter), value

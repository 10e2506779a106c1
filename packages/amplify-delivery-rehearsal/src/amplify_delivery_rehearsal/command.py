"""`amplify-delivery rehearse [EXPORT ...]`: the story of the pipeline, or exports of one's own, on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, SetupError
from amplify_delivery.stacks.config import Project
from aws_rehearsal import scratch
from aws_rehearsal.errors import RehearsalError

ABOUT = About(
    needs="nothing; the first time the network",
    text="""
Runs the real Pulumi engine and the pipeline that the project in this folder declares on this machine, against a local
AWS: its accounts are bootstrapped and its export is released, twice. A project that a CI delivers is rehearsed with the
jobs of its own workflow; the example, in a checkout, with a failing test and an approval that is rejected. With EXPORT
it delivers exports of your own into one account instead: of one backend, one after the other.
""",
    examples=(
        ("amplify-delivery rehearse --pause", "stop at approvals, for you to answer"),
        ("amplify-delivery rehearse amplify-export-app --environment prod", "your export, with prod's parameters"),
        ("amplify-delivery rehearse --page rehearsal.html", "the story as a page"),
    ),
    no="a chapter did not end as expected",
    pages=(
        "rehearsal",
        "pipeline",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "exports",
        nargs="*",
        type=Path,
        metavar="EXPORT",
        help="exports to deliver to one account, one after the other; without any the pipeline is played",
    )
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        type=secret,
        metavar="NESTED_STACK.PARAMETER=VALUE",
        help="a made-up value for a secret, which no export may hold and no stack file has",
    )
    parser.add_argument(
        "--environment",
        metavar="ENV",
        help="with exports: deliver them with the parameters of Pulumi.ENV.yaml in this folder; secrets are made up",
    )
    parser.add_argument("--pause", action="store_true", help="without exports: stop at approvals for a person")
    parser.add_argument("--page", type=Path, metavar="FILE", help="without exports: where the HTML page is written")
    parser.add_argument("--stack", metavar="PIPELINE", help="without exports: which of the project's pipelines")
    parser.add_argument(
        "--ci",
        action="store_true",
        help="without exports: the jobs of the project's own CI; default where it has no pipeline",
    )
    parser.add_argument("--keep", action="store_true", help="leave all of it running, and say how to look into it")


def run(args: argparse.Namespace, _context: Context) -> int:
    try:
        with scratch.in_memory(keep=args.keep and bool(args.exports)):
            return _run(args)
    except RehearsalError as error:
        raise SetupError(error.message, where=error.where, remedy=error.remedy) from error


def _run(args: argparse.Namespace) -> int:
    if args.exports:
        if args.pause or args.page or args.stack or args.ci:
            raise ConfigError(
                "--pause, --page, --stack and --ci belong to the story of a project",
                remedy="leave them out, or the exports",
            )
        from amplify_delivery_rehearsal.ending import tidy  # noqa: PLC0415 - `--help` does without
        from amplify_delivery_rehearsal.story import run as deliver  # noqa: PLC0415

        with tidy():
            values = of_environment(Path(), args.environment) if args.environment else Values({}, {})
            return deliver(
                args.exports,
                keep=args.keep,
                json_output=args.json,
                secrets={**values.secrets, **dict(args.secret)},
                parameters=values.parameters,
            )
    if args.environment:
        raise ConfigError(
            "--environment belongs to exports: the story of the pipeline has all environments",
            remedy="leave it out, or name an export",
        )
    if args.ci and args.stack:
        raise ConfigError(
            "--stack names a pipeline, --ci does without one",
            remedy="leave out one of the two",
        )
    from amplify_delivery_rehearsal.ci_story import is_delivered_by_ci  # noqa: PLC0415
    from amplify_delivery_rehearsal.ci_story import run as tell_ci  # noqa: PLC0415
    from amplify_delivery_rehearsal.ending import tidy  # noqa: PLC0415
    from amplify_delivery_rehearsal.pipeline_story import run as tell  # noqa: PLC0415

    if args.ci or (not args.stack and is_delivered_by_ci(Project(Path()))):
        with tidy():
            return tell_ci(
                Path(),
                secrets=dict(args.secret),
                keep=args.keep,
                json_output=args.json,
                pause=args.pause,
                page=args.page,
            )
    with tidy():
        return tell(
            Path(),
            stack=args.stack,
            secrets=dict(args.secret),
            keep=args.keep,
            json_output=args.json,
            pause=args.pause,
            page=args.page,
        )


@dataclass(frozen=True)
class Values:
    """What an environment's stack file gives an export: plain values by nested stack, secrets by both names."""

    parameters: Mapping[str, Mapping[str, str]]
    secrets: Mapping[tuple[str, str], str]


def of_environment(folder: Path, environment: str) -> Values:
    """The values of a stack file. What it encrypts cannot be read without its key: it is made up. Raises
    `ConfigError`."""
    config = stack_files.load(folder, environment)
    return Values(config.parameters, {name: f"rehearsed-{token_hex(8)}" for name in sorted(config.secret_names)})


def secret(text: str) -> tuple[tuple[str, str], str]:
    """A secret as it is given on the command line."""
    name, equals, value = text.partition("=")
    nested, dot, parameter = name.partition(".")
    if not (equals and dot and nested and parameter):
        raise argparse.ArgumentTypeError(f"{text!r} is not NESTED_STACK.PARAMETER=VALUE")
    return (nested, parameter), value

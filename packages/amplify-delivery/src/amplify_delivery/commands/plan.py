"""`amplify-delivery plan ENV`: what deploying would change, resource by resource. Changes nothing itself.

With `--against REF` no AWS account is asked: what git has of REF stands for what is deployed.
"""

from __future__ import annotations

import argparse
import gc
import json
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import REFUSED, ConfigError
from amplify_delivery.stacks.config.absent import expect_project

ABOUT = About(
    needs="AWS, Pulumi; with --against files and git",
    text="""
Compares what is deployed, through all nested stacks, with what the environment's stack file and export describe, and
asks the engine for a preview of whatever else the program makes. Data loss, replacements and new rights are listed
again on their own. The last line is the plan's digest, which `deploy` takes. Nothing is changed.

With `--against REF` no AWS account is asked: the project as of REF stands in for what is deployed. Without names it
plans all environments but those that are `disposable`, as the pattern of previews is.

The exit code is 0 whatever is planned, but 3 for what AWS cannot do, or what the account has not granted.
""",
    examples=(
        ("amplify-delivery plan prod --out plan.json", "look at it before `deploy`"),
        ("amplify-delivery plan --against origin/main --markdown", "of a pull request, all environments"),
    ),
    pages=(
        "planning",
        "pull-requests",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "environments", nargs="*", metavar="ENV", help="name of the Pulumi stack; with --against: several, or all"
    )
    parser.add_argument(
        "--against",
        metavar="REF",
        help="a commit, branch or tag of git: plan as if it were deployed; no AWS account is asked",
    )
    parser.add_argument("--markdown", action="store_true", help="with --against: print Markdown for a pull request")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan's JSON document into FILE")
    parser.add_argument(
        "--variables", type=Path, metavar="FILE", help="write CHANGES=NUMBER and PLAN_DIGEST=DIGEST into FILE"
    )
    parser.add_argument(
        "--drift",
        action="store_true",
        help="also look for what does not run as it was delivered (drift); takes minutes (default: what `drift` of the "
        "stack file says)",
    )
    waiting.add_argument(parser, "the environment")


def run(args: argparse.Namespace, context: Context) -> int:
    if args.against is not None:
        return _against(args, context)
    if args.markdown:
        raise ConfigError("is for --against alone", where="--markdown", remedy="add `--against REF`, or leave it out")
    if len(args.environments) != 1:
        expect_project(context.folder)
        which = [f"`amplify-delivery plan {name}`" for name in args.environments or context.project.stacks("backend")]
        raise ConfigError(
            f"one environment is planned at a time, not {len(args.environments)}"
            if args.environments
            else "which environment is to be planned?",
            where="ENV",
            remedy=" or ".join(which) or "make one: `amplify-delivery init --personal NAME=ACCOUNT/REGION`",
        )
    return _plan(args.environments[0], args, context)


def _against(args: argparse.Namespace, context: Context) -> int:
    from amplify_delivery.delivery.planning.offline.against import against  # noqa: PLC0415 - as in _plan
    from amplify_delivery.delivery.printing import offline_plans  # noqa: PLC0415
    from amplify_delivery.delivery.printing.markdown import markdown  # noqa: PLC0415

    for name, given in (
        ("--out", args.out),
        ("--variables", args.variables),
        ("--wait", args.wait),
        ("--drift", args.drift),
    ):
        if given:
            raise ConfigError(
                "is about what is deployed, and --against is not",
                where=name,
                remedy="leave it out; `--json` and `--markdown` print what there is",
            )
    # Two large exports are many objects and no garbage; looking for it takes a quarter of the time.
    gc.disable()
    try:
        found = against(context.folder, args.against, args.environments, context.variables)
    finally:
        gc.enable()
    if args.json:
        output.document(found.to_json())
    elif args.markdown:
        print(markdown(found), end="")
    else:
        offline_plans.show(found)
    return REFUSED if any(plan.impossible for plan in found.plans) else 0


def _plan(environment: str, args: argparse.Namespace, context: Context) -> int:
    # The engine's SDK and boto3: without them --against takes half as long.
    from amplify_delivery.delivery.deployment.proposing import propose  # noqa: PLC0415
    from amplify_delivery.delivery.printing import plans  # noqa: PLC0415

    patience = waiting.Patience(args.wait, context.variables)
    refused = None if args.json else plans.show
    plan = propose("plan", environment, context, patience, refused=refused, drift=args.drift)
    document = plan.to_json()
    if args.out:
        _write(args.out, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if args.variables:
        _write(args.variables, f"CHANGES={plan.changes}\nPLAN_DIGEST={plan.digest}\n")
    if args.json:
        output.document(document)
    else:
        plans.show(plan)
        if args.drift and not stack_files.load(context.folder, environment).detects_drift:
            print("drift is part of this plan: deploy it with --drift")
    return 0


def _write(file: Path, text: str) -> None:
    with output.writing(file):
        file.write_text(text, encoding="utf-8")

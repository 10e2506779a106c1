"""`amplify-delivery plan ENV`: what deploying would change, resource by resource. Changes nothing itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.delivery import output
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, planned, wanted
from amplify_delivery.delivery.deployment.audit import Audit, log_if_allowed
from amplify_delivery.delivery.engine import resolving, waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.reports import plans
from amplify_delivery.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan's JSON document into FILE")
    parser.add_argument(
        "--variables", type=Path, metavar="FILE", help="write CHANGES=NUMBER and PLAN_DIGEST=DIGEST into FILE"
    )
    waiting.add_argument(parser, "the environment")


def run(args: argparse.Namespace, context: Context) -> int:
    patience = waiting.Patience(args.wait, context.variables)
    with Audit("plan", args.environment, context.variables) as audit:
        target = wanted.wanted(args.environment, context)
        log_if_allowed(audit, target)
        if wanted.settle(target, patience.left):
            target = wanted.wanted(args.environment, context)  # credentials of an assumed role last an hour
        real = Engine(args.environment, context.folder.resolve(), output.progress)
        check = planned.checked(target, args.environment)
        with resolving.foreseen(real, target.account_anew, check) as engine:
            plan = planned.make(target, engine)
        audit.planned(plan)
        if plan.impossible and not args.json:
            plans.show(plan)
        refuse(plan.impossible, args.environment)
        audit.end("planned")
    document = plan.to_json()
    if target.config.bootstrapped:
        approval.keep(target, plan)
    if args.out:
        _write(args.out, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if args.variables:
        _write(args.variables, f"CHANGES={plan.changes}\nPLAN_DIGEST={plan.digest}\n")
    if args.json:
        output.document(document)
    else:
        plans.show(plan)
    return 0


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(file)) from None

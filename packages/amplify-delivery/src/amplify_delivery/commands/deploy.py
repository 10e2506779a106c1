"""`amplify-delivery deploy ENV --plan DIGEST`: deploy, if what would change is still what was approved."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, deploying
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.printing import shown_outputs
from amplify_delivery.delivery.printing.changes import told
from amplify_delivery.errors import ConfigError

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Plans again, and carries the plan out if it has the approved digest, if it is what remains of the approved plan, or if
it goes back to what was deployed here before; otherwise it refuses. Finding nothing to change is not a failure: the
command is safe to repeat. What would delete data is refused unless the stack file allows it, resource by resource
(`dataLoss`).
""",
    examples=(
        ("amplify-delivery deploy prod --plan DIGEST", "the digest is what `plan prod` printed last"),
        ("amplify-delivery deploy prod --plan DIGEST --plan-file plan.json", "also what remains of that plan"),
    ),
    changes="CloudFormation or the engine had begun",
    pages=(
        "deploying",
        "operations",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--plan", metavar="DIGEST", help="digest of the approved plan, as `plan` prints it")
    parser.add_argument(
        "--plan-file",
        type=Path,
        metavar="FILE",
        help="the approved plan's document (`plan --out`): allows what remains of a plan that was begun",
    )
    parser.add_argument("--audit", type=Path, metavar="FILE", help="append a JSON line about this deployment to FILE")
    parser.add_argument(
        "--drift", action="store_true", help="the approved plan was made with --drift: look for it once more"
    )
    waiting.add_argument(parser, "the environment")
    parser.add_argument("--show-secrets", action="store_true", help="show secret outputs in clear")


def run(args: argparse.Namespace, context: Context) -> int:
    environment = args.environment
    if not args.plan:
        raise ConfigError(
            "the approved plan is not named",
            where=f"deploy {environment}",
            remedy=f"`amplify-delivery plan {environment}`, look at it, then "
            f"`amplify-delivery deploy {environment} --plan DIGEST` with the digest that it prints",
        )
    approval.check_digest(
        "--plan", args.plan, f"`amplify-delivery plan {environment}` prints it, whole; nothing was changed"
    )
    document = approval.read_approved(args.plan_file, args.plan) if args.plan_file else None
    patience = waiting.Patience(args.wait, context.variables)
    line = output.progress if args.json else print
    approved = deploying.Approved(args.plan, document, args.drift)
    done = deploying.deploy(environment, context, approved, patience, line, file=args.audit)
    plan = done.plan
    values = shown_outputs.shown(done.outputs, secrets=args.show_secrets)
    if args.json:
        document = {"environment": environment, "plan": plan.digest, "changes": done.changes, "outputs": values}
        output.document(document)
        return 0
    shown_outputs.table(values)
    said = told(done.changes)
    if plan.digest != args.plan and not plan.steps:
        said = f"nothing to change: {args.plan[:12]} is carried out, or something newer is"
    print(f"{environment}: {said}")
    return 0

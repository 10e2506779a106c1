"""`amplify-delivery rollback ENV [--to DIGEST]`: an earlier assembly that is still staged, through plan and guard."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, begun, deploying
from amplify_delivery.delivery.deployment.proposing import propose
from amplify_delivery.delivery.deployment.releases import staged
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.environment import wanted
from amplify_delivery.delivery.printing import plans, shown_outputs
from amplify_delivery.delivery.printing.changes import told
from amplify_delivery.errors import DeliveryError

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Takes an earlier assembly, with the environment's stack file and program as they are in this checkout, and plans it:
the old code, the data that is there. `--plan DIGEST` carries that plan out, through the same checks and the same
guard over data as `deploy`. By default it is the assembly that ran last before the running one came: a second
`rollback` goes further back.
""",
    examples=(
        ("amplify-delivery rollback prod --list", "what can be gone back to"),
        ("amplify-delivery rollback prod", "plan it; prints the command that carries it out"),
        ("amplify-delivery rollback prod --plan DIGEST", "carry it out"),
    ),
    changes="CloudFormation or the engine had begun",
    pages=("deploying#going-back",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument(
        "--to", metavar="DIGEST", help="the assembly's digest, or how it begins; default: the last one before what runs"
    )
    parser.add_argument("--list", action="store_true", help="list what is staged, and do nothing else")
    parser.add_argument("--plan", metavar="DIGEST", help="carry it out: the digest that `rollback` without it prints")
    parser.add_argument("--audit", type=Path, metavar="FILE", help="append a JSON line about this deployment to FILE")
    waiting.add_argument(parser, "the environment")


def run(args: argparse.Namespace, context: Context) -> int:
    if args.plan:
        again = f"`amplify-delivery rollback {args.environment}`, with --to if that was given, prints it, whole"
        approval.check_digest("--plan", args.plan, f"{again}; nothing was changed")
    target = wanted.published(args.environment, context)
    staging = staged.Staging(target)
    if args.list:
        return _list(args, target, staging)
    release = staged.chosen(target, staging, args.to or _planned(args, context, target))
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-rollback-") as scratch:
        folder = Path(scratch) / "assembly"
        staged.fetch(staging, release, folder)
        try:
            if args.plan:
                return _deploy(args, context.with_assembly(folder), release)
            return _plan(args, context.with_assembly(folder), release)
        except DeliveryError as error:
            error.remedy = _by_going_back(error.remedy, args.environment, release)
            raise


def _planned(args: argparse.Namespace, context: Context, target: wanted.Wanted) -> str | None:
    """The assembly of the plan that is to be carried out, where its document is kept: after a run that was killed the
    release before what runs is another one than it was."""
    if not args.plan:
        return None
    if target.config.bootstrapped:
        document = approval.kept(target, args.plan)
    else:
        document = begun.read(begun.Stack(args.environment, context.folder.resolve()), args.plan)
    return str(document["target"]["assembly"]) if document else None


def _by_going_back(remedy: str, environment: str, release: staged.Release) -> str:
    """A remedy that has the environment planned, for whoever goes back: `plan` would plan what the checkout has, which
    is what she leaves; and this command takes no document of a plan."""
    again = f"`{_command(environment, release)}`"
    return remedy.replace(f"`amplify-delivery plan {environment}`", again).replace(
        f"; {approval.WITH_ITS_DOCUMENT}", ""
    )


def _command(environment: str, release: staged.Release) -> str:
    """What plans going back to that release."""
    return f"amplify-delivery rollback {environment} --to {release.digest[:12]}"


def _list(args: argparse.Namespace, target: wanted.Wanted, staging: staged.Staging) -> int:
    found = staged.releases_of(target, staging.objects())
    now = staged.running(target, staging, found)
    if args.json:
        output.document({"releases": [{**r.to_json(), "running": r == now} for r in found]})
        return 0
    for release in found:
        print(f"{release}{'  (runs)' if release == now else ''}")
    return 0


def _plan(args: argparse.Namespace, context: Context, release: staged.Release) -> int:
    patience = waiting.Patience(args.wait, context.variables)
    plan = propose("rollback", args.environment, context, patience, refused=None if args.json else plans.show)
    if args.json:
        output.document({**release.to_json(), "plan": plan.to_json()})
        return 0
    print(f"back to {release}\n")
    plans.show(plan)
    if plan.steps:
        print(f"\nto do it: `{_command(args.environment, release)} --plan {plan.digest}`")
    return 0


def _deploy(args: argparse.Namespace, context: Context, release: staged.Release) -> int:
    patience = waiting.Patience(args.wait, context.variables)
    line = output.progress if args.json else print
    approved = deploying.Approved(args.plan)
    done = deploying.deploy(args.environment, context, approved, patience, line, file=args.audit)
    if args.json:
        values = shown_outputs.shown(done.outputs, secrets=False)
        output.document({**release.to_json(), "plan": done.plan.digest, "changes": done.changes, "outputs": values})
        return 0
    print(f"{args.environment}: {told(done.changes)}; {release.digest[:12]} runs")
    return 0

"""`amplify-delivery unlock STACK`: who holds a stack, since when, what is pending; gives it free on demand."""

from __future__ import annotations

import argparse
import sys

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import unlocking

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Shows who holds the stack and since when, whether that run is still alive as far as can be known, the engine's locks,
and what the engine has begun without recording how it ended. At a terminal it asks; `--yes` confirms that whatever it
shows has ended. Then it removes the lease and the locks that it showed, and only these, and clears away what the next
command would clear away. A run that is known to be alive is never broken, whatever you say: exit code 3.

Where the state is in Pulumi Cloud, it shows the update that is going on there, of which nobody can tell whether it is
alive, and cancels it once you say so. After a `destroy` that did not end well it turns the termination protection of a
root stack that stays on again: there nothing else tells that it was killed.

It finds the state of a bootstrapped environment in its account, and that of a pipeline in the tooling account, with
the credentials that their stack files name; `PULUMI_BACKEND_URL` says otherwise. So it works as messages print it.
""",
    examples=(
        ("amplify-delivery unlock prod", "tell, and ask"),
        ("amplify-delivery unlock prod --yes", "whatever held it has ended"),
    ),
    changes="a lock or what was pending had been cleared away, or an update in Pulumi Cloud was cancelled",
    pages=(
        "deploying#who-changes-a-stack",
        "operations#after-a-kill",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stack", metavar="STACK", help="name of the Pulumi stack: of an environment, account, pipeline")
    parser.add_argument("--yes", action="store_true", help="do not ask: whatever held it has ended")


def run(args: argparse.Namespace, context: Context) -> int:
    engine = unlocking.engine_of(args.stack, context, output.progress)
    left = unlocking.look(engine, context)
    if not args.json:
        for line in left.lines():
            print(line)
    unlocking.check(left)
    if left.anything:
        if left.doubtful and not args.yes and not _agreed(args, left):
            return 0
        # Whoever was asked may have looked for hours: a role that was assumed before has ended since.
        unlocking.clear(unlocking.engine_of(args.stack, context, output.progress), context, left)
        if not args.json:
            print(f"{args.stack}: it is free")
    if args.json:
        output.document({**left.to_json(), "free": True})
    return 0


def _agreed(args: argparse.Namespace, left: unlocking.Left) -> bool:
    """Ask. Raises `ConfigError` where nobody can be asked."""
    if args.json or not sys.stdin.isatty():
        raise unlocking.confirmation(left)
    try:
        answer = input("Has all of this ended, and should it be cleared away? yes or no [no]: ")
    except EOFError:
        answer = ""
    if answer.strip().lower().startswith("y"):
        return True
    print("nothing was changed")
    return False

"""`amplify-delivery upgrade [--wheel FILE]`: another version of the engine for the project in this folder.

What accounts and pipeline need is told first, in order. Then the wheel, and its lines in requirements.txt and
requirements.lock, are changed; nothing else is, and the wheel that was there stays.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.scaffold import upgrading, writing
from amplify_delivery.delivery.scaffold.wheels import Wheel, installed_wheel, opened

ABOUT = About(
    needs="files",
    text="""
First shows, in order, what the other version requires of accounts and pipeline; at a terminal it asks before it
changes anything. It changes the engine's lines in requirements.txt and requirements.lock and the entries of the lock
that are still as the present version wrote them, and nothing else; the present wheel stays. A version whose accounts
are older than the project's is refused.
""",
    examples=(
        ("amplify-delivery upgrade", "to the version that is running"),
        ("amplify-delivery upgrade --wheel dist/amplify_delivery-*.whl", "to the version of that wheel"),
    ),
    pages=("upgrading",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wheel", type=Path, metavar="FILE", help="the version's wheel; default: the one that is running"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask before the files are changed")


def run(args: argparse.Namespace, context: Context) -> int:
    upgrade = upgrading.of(context.folder, lambda: opened(args.wheel) if args.wheel else installed_wheel())
    old, new, files = upgrade.old, upgrade.new, upgrade.files
    changing = old.sha256 != new.sha256
    if not args.json and changing:
        print(f"{old.file} ({old.sha256[:12]}) -> {new.file} ({new.sha256[:12]})")
        for number, step in enumerate(upgrade.steps, 1):
            print(f"{number}. {step}")
    if changing and not args.yes and not args.json and sys.stdin.isatty():
        try:
            answer = input(f"Change {', '.join(files)}? yes or no [no]: ")
        except EOFError:
            answer = ""
        if not answer.strip().lower().startswith("y"):
            print("nothing was changed")
            return 0
    changed = list(writing.replace(context.folder, files))
    if args.json:
        output.document({"from": _about(old), "to": _about(new), "steps": list(upgrade.steps), "changed": changed})
    else:
        print(
            f"changed: {', '.join(changed)}"
            if changed
            else "the project has this version: nothing was changed (--wheel FILE names another)"
        )
    return 0


def _about(wheel: Wheel) -> dict[str, str]:
    return {"wheel": wheel.file, "version": wheel.version, "sha256": wheel.sha256}

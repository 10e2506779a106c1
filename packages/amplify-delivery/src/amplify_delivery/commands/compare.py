"""`amplify-delivery compare A B`: what deploying B over A touches."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import sources, stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Comparison, compare

ABOUT = About(
    needs="files",
    text="""
Lists the resources and nested stacks that deploying B over A touches, in any environment; two apps are refused. `plan
ENV --against REF` says the same of an environment, with data loss and new rights.
""",
    examples=(("amplify-delivery compare amplify-export-old amplify-export-app", "two exports"),),
    pages=("building",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", type=Path, metavar="A", help="export or assembly that is deployed")
    parser.add_argument("new", type=Path, metavar="B", help="export or assembly to deploy")
    stack_files.add_environment(parser, several=True)


def run(args: argparse.Namespace, context: Context) -> int:
    secrets = stack_files.secrets(context.folder, args.environment)
    old, new = sources.load(args.old, secrets), sources.load(args.new, secrets)
    if old.project != new.project:
        raise ConfigError(
            f"they are of two apps, {old.project!r} and {new.project!r}: neither is ever deployed over the other",
            where=f"{args.old}, {args.new}",
            remedy="give it two exports or assemblies of one app",
        )
    found = compare(old, new)
    if args.json:
        output.document(_document(found))
        return 0
    marks = {"added": "+", "changed": "~", "removed": "-"}
    output.resources(
        ("", "resource", "type", "properties"),
        [(marks[r.change], "/".join(r.path), r.type, ", ".join(r.properties)) for r in found.resources],
    )
    if found.stacks:
        print()
    output.table(
        ("", "nested stack"),
        [(marks[s.change], "/".join(s.path)) for s in found.stacks],
    )
    resources = output.counted(len(found.resources), "resource")
    print(f"{resources} touched, {output.counted(len(found.stacks), 'nested stack')} updated")
    return 0


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "resources": [
            {"path": "/".join(r.path), "type": r.type, "change": r.change, "properties": list(r.properties)}
            for r in found.resources
        ],
        "stacks": [{"path": "/".join(s.path), "change": s.change} for s in found.stacks],
    }

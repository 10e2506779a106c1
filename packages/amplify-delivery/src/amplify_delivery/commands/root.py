"""`amplify-delivery root DIR`: the root template of one environment, and what the stack is called with."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import sources, stack_files
from amplify_delivery.export import render_root

ABOUT = About(
    needs="files",
    text="""
Reads `Pulumi.NAME.yaml` in the current folder if there is one; otherwise only the name counts. `--json` prints
`{"stack_name", "template", "parameters"}`; the version of a secret, which only the account knows, is shown as
`[secret]`.
""",
    examples=(
        ("amplify-delivery root assembly --environment prod --staging-bucket BUCKET", "look at prod's root template"),
    ),
)

HIDDEN = "[secret]"
"""Stands for a secret's version id, which only the account knows."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of an assembly, or of an export")
    parser.add_argument("--environment", required=True, metavar="NAME", help="name of the environment")
    parser.add_argument("--staging-bucket", required=True, metavar="BUCKET", help="bucket of the published objects")


def run(args: argparse.Namespace, context: Context) -> int:
    values = stack_files.values_of(context.folder, args.environment)
    loaded = sources.load(args.folder, values.secrets)
    assembly = stack_files.configured(loaded, context.folder, args.environment)
    root = render_root(assembly, values, args.staging_bucket)
    parameters = {**root.parameters, **{s.version_parameter: HIDDEN for s in root.secrets}}
    if args.json:
        output.document({"stack_name": root.stack_name, "template": root.template, "parameters": parameters})
        return 0
    print(f"stack {root.stack_name}, template {root.object.key}")
    output.table(("parameter", "value"), sorted(parameters.items()))
    print(json.dumps(root.template, indent=2))
    return 0

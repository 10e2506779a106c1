"""`amplify-delivery assemble [EXPORT] --out DIR`: write the assembly of an export."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.printing import exports
from amplify_delivery.delivery.project import sources, stack_files
from amplify_delivery.export import assemble, read_export, write_assembly

ABOUT = About(
    needs="files",
    text="""
Writes into DIR everything that environments share: every file of the export under a key made from its content. An
assembly that is in DIR already is replaced, at once and as a whole; any other folder with something in it is refused.
The folder is a contract: `DIR/assembly.json` describes it, `DIR/objects/KEY` holds each object.
""",
    examples=(
        ("amplify-delivery assemble --out assembly", "the project's export"),
        ("amplify-delivery assemble amplify-export-app --out assembly", "another one"),
    ),
    pages=("building",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    stack_files.add_export(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the assembly")
    stack_files.add_environment(parser, several=True)


def run(args: argparse.Namespace, context: Context) -> int:
    folder, secrets = sources.named(context.folder, args.export, args.environment)
    images = sources.named_images(context.folder, args.export, args.environment)
    assembly = assemble(read_export(folder), secrets, images)
    write_assembly(assembly, args.out)
    if args.json:
        output.document(exports.described(assembly, args.out))
    else:
        output.findings(assembly.findings)
        exports.assembly(assembly, args.out)
    return 0

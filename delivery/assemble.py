"""`delivery assemble [EXPORT] --out DIR`: write the assembly of an export."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_export import assemble, read_export, write_assembly
from delivery import output, sources, stack_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "export",
        nargs="?",
        type=Path,
        metavar="EXPORT",
        help="folder that `amplify export` wrote; default: the project's",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the assembly")
    stack_files.add_environment(parser, several=True)


def run(args: argparse.Namespace) -> int:
    folder, secrets = sources.named(args.export, args.environment)
    assembly = assemble(read_export(folder), secrets)
    write_assembly(assembly, args.out)
    size = sum(o.size for o in assembly.objects)
    if args.json:
        output.document(
            {
                "assembly": str(args.out),
                "project": assembly.project,
                "digest": assembly.digest(),
                "objects": len(assembly.objects),
                "bytes": size,
                "stacks": sum(1 for _ in assembly.root.walk()),
                "findings": [f.to_json() for f in assembly.findings],
            }
        )
        return 0
    output.findings(assembly.findings)
    stacks = output.counted(sum(1 for _ in assembly.root.walk()), "stack")
    print(
        f"{args.out}: {assembly.project}, {stacks}, {output.counted(len(assembly.objects), 'object')}, {size:,} bytes"
    )
    return 0

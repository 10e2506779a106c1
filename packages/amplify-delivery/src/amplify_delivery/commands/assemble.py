"""`delivery assemble [EXPORT] --out DIR`: write the assembly of an export."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.project import sources, stack_files
from amplify_delivery.export import Assembly, Export, assemble, read_export, write_assembly


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
    assembly = write(read_export(folder), secrets, args.out)
    if args.json:
        output.document(described(assembly, args.out))
    else:
        output.findings(assembly.findings)
        report(assembly, args.out)
    return 0


def write(export: Export, secrets: Collection[tuple[str, str]], out: Path) -> Assembly:
    """Write the assembly of an export into `out`. Raises `ExportRefused`, `AssemblyError`."""
    assembly = assemble(export, secrets)
    write_assembly(assembly, out)
    return assembly


def described(assembly: Assembly, out: Path) -> dict[str, Any]:
    """The assembly that was written into `out`, for machines."""
    return {
        "assembly": str(out),
        "project": assembly.project,
        "digest": assembly.digest(),
        "objects": len(assembly.objects),
        "bytes": _size(assembly),
        "stacks": _stacks(assembly),
        "findings": [f.to_json() for f in assembly.findings],
    }


def report(assembly: Assembly, out: Path) -> None:
    """The same for people, but for the findings."""
    stacks, objects = output.counted(_stacks(assembly), "stack"), output.counted(len(assembly.objects), "object")
    print(f"{out}: {assembly.project}, {stacks}, {objects}, {_size(assembly):,} bytes")


def _size(assembly: Assembly) -> int:
    return sum(o.size for o in assembly.objects)


def _stacks(assembly: Assembly) -> int:
    return sum(1 for _ in assembly.root.walk())

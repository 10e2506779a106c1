"""`delivery check [EXPORT]`: every finding about an export."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_export import ExportRefused, check, read_export
from delivery import output, sources, stack_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "export",
        nargs="?",
        type=Path,
        metavar="EXPORT",
        help="folder that `amplify export` wrote; default: the project's",
    )
    stack_files.add_environment(parser, several=True)


def run(args: argparse.Namespace) -> int:
    folder, secrets = sources.named(args.export, args.environment)
    findings = check(read_export(folder), secrets)
    refused = [f for f in findings if f.severity == "refused"]
    if args.json and refused:
        raise ExportRefused(findings)
    if args.json:
        output.document({"export": str(folder), "findings": [f.to_json() for f in findings]})
        return 0
    output.findings(sorted(findings, key=lambda f: ("refused", "warning", "repaired").index(f.severity)))
    counts = {s: sum(f.severity == s for f in findings) for s in ("refused", "warning", "repaired")}
    print(f"{folder}: " + (", ".join(f"{n} {s}" for s, n in counts.items() if n) or "nothing to report"))
    return 1 if refused else 0

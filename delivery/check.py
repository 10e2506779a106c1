"""`delivery check [EXPORT]`: every finding about an export."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from amplify_export import Export, ExportRefused, check, read_export
from amplify_export.findings import Finding
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
    export = read_export(folder)
    if not args.json:
        return report(export, check(export, secrets))
    findings = check(export, secrets)
    if any(f.severity == "refused" for f in findings):
        raise ExportRefused(findings)
    output.document({"export": str(folder), "findings": [f.to_json() for f in findings]})
    return 0


def report(export: Export, findings: Sequence[Finding]) -> int:
    """Print every finding about an export, for people; the exit code."""
    output.findings(sorted(findings, key=lambda f: ("refused", "warning", "repaired").index(f.severity)))
    counts = {s: sum(f.severity == s for f in findings) for s in ("refused", "warning", "repaired")}
    print(f"{export.path}: " + (", ".join(f"{n} {s}" for s, n in counts.items() if n) or "nothing to report"))
    return 1 if counts["refused"] else 0

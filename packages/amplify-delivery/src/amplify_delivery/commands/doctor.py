"""`amplify-delivery doctor [STACK ...]`: what only the real accounts know, each thing on a line, with its remedy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import groupby

from amplify_delivery.delivery import output
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor.checkup import examine
from amplify_delivery.delivery.doctor.lines import Section, counted, is_well
from amplify_delivery.delivery.project import pipelines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "stacks", metavar="ENV", nargs="*", help="environments; without any, this machine alone is looked at"
    )
    parser.add_argument(
        "--pipeline",
        nargs="?",
        const="",
        metavar="STACK",
        help="the pipeline too, with credentials of the tooling account; its stack, if there are several",
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 for warnings too, and for what is not known")


def run(args: argparse.Namespace, context: Context) -> int:
    stacks = list(args.stacks)
    if args.pipeline is not None:
        stacks.append(pipelines.named(args.pipeline, context.project, context.variables, "--pipeline"))
    sections = examine(list(dict.fromkeys(stacks)), context)
    well = is_well(sections, strict=args.strict)
    if args.json:
        output.document({"well": well, "counts": counted(sections), "places": [s.to_json() for s in sections]})
    else:
        _show(sections)
    return 0 if well else 1


def _show(sections: Sequence[Section]) -> None:
    for section in sections:
        print(section.place)
        # What has one cause is told once.
        for (state, said, remedy), lines in groupby(section.lines, lambda line: (line.state, line.said, line.remedy)):
            output.paragraph(f"  {state:<9}  {', '.join(line.subject for line in lines)}: ", said)
            if remedy:
                output.paragraph(f"  {'':<9}  -> ", remedy)
        print()
    print(", ".join(f"{number} {state}" for state, number in counted(sections).items()))

"""`amplify-delivery doctor [STACK ...]`: what only the real accounts know, each thing on a line, with its remedy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import groupby

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.doctor.checkup import examine
from amplify_delivery.delivery.doctor.lines import Section, counted, is_well
from amplify_delivery.delivery.project import pipelines

ABOUT = About(
    needs="AWS, as far as the credentials allow",
    text="""
Looks at this machine; with ENV also at the account of each environment, with the credentials that its stack file
names; with `--pipeline` also at the tooling account. It only reads: no call of it makes, changes or costs anything. A
line is `ok`, `warning` (it works, perhaps not for long or not everywhere), `error` (what you are about to do fails)
or `not known`. A question that cannot be asked does not stop the others.
""",
    examples=(
        ("amplify-delivery doctor", "this machine"),
        ("amplify-delivery doctor dev", "a developer, before `pulumi up -s dev`"),
        ("amplify-delivery doctor prod", "the owner of prod's account, before and after `bootstrap`"),
        ("amplify-delivery doctor --pipeline", "DevOps, with credentials of the tooling account"),
    ),
    no="there is an error; with --strict also a warning, or what is not known",
    pages=("doctor",),
)


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

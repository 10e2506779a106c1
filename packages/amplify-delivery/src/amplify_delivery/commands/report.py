"""`amplify-delivery report ENV`: an environment on one page that needs no network, and the same as JSON. Reads only."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.reporting.gathering import report
from amplify_delivery.delivery.reporting.page.rendering import written

ABOUT = About(
    needs="files; AWS and Pulumi for what they know",
    text="""
Writes state, plan, stacks, timings, findings and rights into one HTML file that needs no network. What could not be
read, for lack of a right or of the state, is noted on the page.
""",
    examples=(
        ("amplify-delivery report prod", "build/report-prod.html"),
        ("amplify-delivery report prod --json", "the same as data"),
    ),
    pages=("report",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where the HTML page is written; default: build/report-ENV.html, with --json none",
    )
    parser.add_argument(
        "--drift",
        action="store_true",
        help="also look for what does not run as it was delivered (drift); takes minutes (default: what `drift` of the "
        "stack file says)",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    found = report(args.environment, context, drift=args.drift)
    page = args.out or (None if args.json else context.folder / "build" / f"report-{args.environment}.html")
    if page is not None:
        with output.writing(page):
            if args.out is None:
                page.parent.mkdir(exist_ok=True)
            written(found, page)
    if args.json:
        output.document(found.document())
        return 0
    for fact in found.facts:
        print(f"{fact.label}: {fact.value}")
    for line in found.unread:
        print(f"not read: {line.what}: {line.why}")
        if line.remedy:
            print(f"  -> {line.remedy}")
    print(f"{args.environment}: all of it on one page: {page}")
    return 0

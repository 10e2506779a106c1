"""`amplify-delivery docs [PAGE [SECTION]]`: the pages that messages name."""

from __future__ import annotations

import argparse
import sys

from rich.console import Console
from rich.markdown import Markdown

from amplify_delivery.delivery import output, pages
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context

ABOUT = About(
    needs="nothing",
    text="""
Without PAGE it lists the pages. On a terminal a page is shown in a pager.
""",
    examples=(
        ("amplify-delivery docs operations", "a page"),
        ("amplify-delivery docs operations drift", "a section of it"),
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", metavar="PAGE", nargs="?", help="as messages name it: docs/operations.md")
    parser.add_argument("section", metavar="SECTION", nargs="?", help="how a heading begins: only that section")


def run(args: argparse.Namespace, context: Context) -> int:  # noqa: ARG001 - every command has it
    if args.page is None:
        titles = pages.titles()
        if args.json:
            output.document(titles)
        for name, title in () if args.json else titles.items():
            print(f"{name:18} {title}")
        return 0
    text = pages.section(args.page, args.section) if args.section else pages.page(args.page)
    if args.json:
        output.document({"page": args.page, "markdown": text})
    elif sys.stdout.isatty():
        console = Console()
        with console.pager(styles=True, links=True):
            console.print(Markdown(text))
    else:
        print(text, end="")
    return 0

"""`amplify-delivery pack --out FILE`: the checkout as the artifact that an account's projects work with."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.components.documents.pipeline.artifact import VARIABLE
from amplify_delivery.components.documents.pipeline.buildspecs import ASSEMBLY
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.account.remote import sealed
from amplify_delivery.delivery.context import Context

ABOUT = About(
    needs="files",
    text="""
Writes the checkout, after `build`, as the zip that an account's projects work with, and prints its digest. Hidden
files and byte code are left out (`build.keep` names exceptions), links are refused, the checkout is not changed. The
same files make the same bytes.
""",
    examples=(
        ("amplify-delivery pack --out release.zip --variables $GITHUB_OUTPUT", "in a job, for the jobs that follow"),
    ),
    pages=("ci",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the zip to write")
    parser.add_argument("--variables", type=Path, metavar="FILE", help=f"append {VARIABLE}=DIGEST to FILE")


def run(args: argparse.Namespace, context: Context) -> int:
    digest = sealed.pack(context.folder, args.out)
    if not (context.folder / ASSEMBLY).is_dir():
        output.progress(
            f"note: there is no {ASSEMBLY}/ in it, which `amplify-delivery build` makes: nothing deploys it"
        )
    if args.variables:
        output.append_variables(args.variables, {VARIABLE: digest})
    if args.json:
        output.document({"artifact": str(args.out), "digest": digest})
    else:
        print(f"{args.out}: {digest}")
    return 0

"""`amplify-delivery client-config ENV`: what a front end is configured with, of the backend that runs. Reads only."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.client_config import PLATFORMS, files, left_out
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.environment.front_end import configuration_files, running_backend

ABOUT = About(
    needs="files, AWS",
    text="""
Writes the files that the Amplify CLI would write for that platform, from the export and the outputs of the stacks
that run. It changes nothing in AWS. What runs and has no place in these files is listed. A file with keys of your own
is left alone, unless `--replace` says otherwise.
""",
    examples=(
        ("amplify-delivery client-config prod --out ../web/src", "aws-exports.js and amplifyconfiguration.json"),
        ("amplify-delivery client-config prod --platform outputs --out ../web/src", "amplify_outputs.json"),
    ),
    pages=("front-end",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument(
        "--platform",
        choices=PLATFORMS,
        default="javascript",
        help="the front end; `outputs` is amplify_outputs.json, which Gen 2's libraries read, and "
        "`outputs-dart` the same for Flutter. Default: %(default)s",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write; default: this folder")
    parser.add_argument("--replace", action="store_true", help="write also over files with keys of your own")


def run(args: argparse.Namespace, context: Context) -> int:
    running = running_backend.read(args.environment, context)
    content = files(running.backend, args.platform)
    folder = args.out or context.folder
    notes = (*running.notes, *left_out(running.backend, args.platform))
    done = configuration_files.write(folder, content, replace=args.replace)
    if args.json:
        output.document(
            {
                "environment": args.environment,
                "stack": running.stack,
                "platform": args.platform,
                "folder": str(folder),
                "written": list(done.written),
                "unchanged": list(done.unchanged),
                "notes": list(notes),
            }
        )
        return 0
    for note in notes:
        print(f"note: {note}")
    for name in content:
        said = "written" if name in done.written else "unchanged"
        print(f"{folder / name}: {said}, of {running.stack}")
    return 0

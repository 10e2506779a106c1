"""`amplify-delivery handover ENV`: what Amplify's own tools need to see an environment as theirs again, and what of it
Gen 2 takes over. Changes nothing but with `--upload`."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.adoption.handover.handing import KEPT, Handover, hand_over
from amplify_delivery.delivery.adoption.handover.readiness import SOURCE
from amplify_delivery.delivery.context import Context

ABOUT = About(
    needs="files, AWS",
    text="""
Writes into a folder: `amplify/team-provider-info.json`, `amplify-meta.json`, the current cloud backend, and under
`bucket/` what belongs in the deployment bucket. The backend's files are those of the Amplify project that `--from`
names, else those that the last `amplify push` has stored. Nothing in AWS is changed but with `--upload`: then
`#current-cloud-backend.zip` and `studio-backend/` are written, and the archive that was there is kept as
`#current-cloud-backend.zip.before-handover`.

The table says of each feature what Amplify's migration to Gen 2 does with it: `supported`, `by hand` or `not`.
`--json` prints `{"environment", "stack", "folder", "written", "uploaded", "readiness", "notes"}`.
""",
    examples=(
        ("amplify-delivery handover prod --from ../web", "look at it"),
        ("amplify-delivery handover prod --from ../web --upload", "so that `amplify pull` works"),
    ),
    changes="files were uploaded",
    pages=("adopting",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="where to write: new, empty, or written before; default: handover-ENV",
    )
    parser.add_argument(
        "--from",
        dest="project",
        type=Path,
        metavar="FOLDER",
        help="the Amplify project that was exported (it has `amplify/` in it); default: what the last push has stored",
    )
    parser.add_argument(
        "--upload",
        action="store_true",
        help="also put the stored backend into the deployment bucket, for `amplify pull`",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    folder = args.out or Path(f"handover-{args.environment}")
    done = hand_over(args.environment, context, folder, args.project, upload=args.upload)
    if args.json:
        output.document(
            {
                "environment": args.environment,
                "stack": done.stack,
                "folder": str(done.folder),
                "written": list(done.written),
                "uploaded": list(done.uploaded),
                "readiness": [item.to_json() for item in done.readiness],
                "notes": list(done.notes),
            }
        )
        return 0
    _print(args.environment, done)
    return 0


def _print(environment: str, done: Handover) -> None:
    output.table(
        ("resource", "feature", "Gen 2", "what to do"),
        [(r.resource, r.feature, r.level, r.what) for r in done.readiness],
    )
    counts = {level: sum(r.level == level for r in done.readiness) for level in ("supported", "by hand", "not")}
    print(f"\nGen 2: {', '.join(f'{count} {level}' for level, count in counts.items())}. After {SOURCE}")
    for note in done.notes:
        print(f"note: {note}")
    print(f"{environment}: {output.counted(len(done.written), 'file')} of {done.stack} written into {done.folder}")
    if done.uploaded:
        print(f"uploaded into {done.bucket}: {', '.join(done.uploaded)}; what was there: {KEPT}")
    else:
        print("nothing was uploaded: `--upload` does, and docs/adopting.md says what comes then")

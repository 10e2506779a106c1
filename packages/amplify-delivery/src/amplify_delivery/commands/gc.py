"""`amplify-delivery gc ENV`: what nothing needs of what was published. Deletes it only with `--delete`."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment.releases import collecting, image_garbage
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.environment import wanted
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import midway

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Lists the published objects and container images that nothing needs. Never collected are things that the running stack
or a kept release names, that are younger than a day, or that were not published under a content key. Deleted objects
remain as noncurrent versions for a while, images do not. No project of the pipeline may delete there: run it as an
administrator of the account.
""",
    examples=(
        ("amplify-delivery gc prod", "look"),
        ("amplify-delivery gc prod --keep 20 --days 180 --delete", "delete; keep more"),
    ),
    changes="objects or images were deleted",
    pages=("deploying#going-back", "containers#how-long-images-stay"),
)

_SHOWN = 20
"""Keys and images that are listed; `--json` lists all."""


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument("--delete", action="store_true", help="delete; without it, only list")
    parser.add_argument(
        "--keep",
        type=_number,
        default=10,
        metavar="N",
        help="how many of the last releases are kept to go back to; default: 10",
    )
    parser.add_argument(
        "--days",
        type=_number,
        default=90,
        metavar="N",
        help="keep all releases that are not older; default: 90",
    )
    waiting.add_argument(parser, "the environment")


def run(args: argparse.Namespace, context: Context) -> int:
    target = wanted.published(args.environment, context)
    kept = collecting.Kept(args.keep, args.days)
    engine = Engine(args.environment, context.folder.resolve(), output.progress)
    patience = waiting.Patience(args.wait, context.variables)
    # Whoever deploys has looked whether its objects are there: not between that and CloudFormation's reading them.
    with holding(engine, "gc", context, patience) if args.delete else nullcontext():
        if args.delete and engine.exists():
            collecting.check_root(target, args.environment, engine.resources())
        found = collecting.look(target, kept, datetime.now(UTC))
        images = image_garbage.look(target, found, engine.state, datetime.now(UTC))
        # Images first: the manifests tell of them, also when this is ended on the way.
        gone = image_garbage.collect(target, found, images) if args.delete and images.images else 0
        with midway(lambda: gone > 0):
            deleted = collecting.collect(target, found) if args.delete and found.keys else 0
    if args.json:
        output.document(_document(target, found, images, deleted, gone))
        return 0
    _show_objects(target, found)
    _show_images(target, images)
    if args.delete:
        if images.images:
            print(f"{output.counted(gone, 'image')} deleted")
        print(f"{output.counted(deleted, 'object')} deleted; S3 keeps them as older versions for a while")
    elif found.keys or images.images:
        # With what was kept here: by the defaults others would go than those that are listed.
        same = f"--keep {args.keep} --days {args.days}"
        print(f"`amplify-delivery gc {args.environment} {same} --delete` deletes them")
    return 0


def _document(
    target: Wanted, found: collecting.Garbage, images: image_garbage.ImageGarbage, deleted: int, gone: int
) -> dict[str, Any]:
    return {
        "bucket": target.bucket,
        "garbage": list(found.keys),
        "needed": found.needed,
        "kept": [release.to_json() for release in found.kept],
        "deleted": deleted,
        "repository": target.names.repository,
        "images": [image.to_json() for image in images.images],
        "imagesDeleted": gone,
    }


def _show_objects(target: Wanted, found: collecting.Garbage) -> None:
    for key in found.keys[:_SHOWN]:
        print(key)
    if found.keys[_SHOWN:]:
        print(f"... and {len(found.keys) - _SHOWN} more (`--json` lists all)")
    print(
        f"{target.bucket}: nothing needs {output.counted(len(found.keys), 'object')}; {found.needed} are needed, by "
        f"what runs and {output.counted(len(found.kept), 'release')} to go back to"
    )


def _show_images(target: Wanted, images: image_garbage.ImageGarbage) -> None:
    for image in images.images[:_SHOWN]:
        print(f"{image.tag} ({image.size:,} bytes)")
    if images.images[_SHOWN:]:
        print(f"... and {len(images.images) - _SHOWN} more images")
    if images.images or images.others:
        print(
            f"{target.names.repository}: nothing needs {output.counted(len(images.images), 'image')} "
            f"({images.size:,} bytes); {images.others} stay"
        )

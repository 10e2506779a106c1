"""`amplify-delivery images [ENV...]`: build the container images that stack files name, for deployments from here."""

from __future__ import annotations

import argparse

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import sources
from amplify_delivery.delivery.project.images.building import check_builder, replace_folder
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import read_export
from amplify_delivery.export.images.layout import index_of
from amplify_delivery.stacks.config.absent import expect_project
from amplify_delivery.stacks.images import FOLDER

ABOUT = About(
    needs="files, Docker",
    text="""
Builds into the folder `container-images`, from which deployments on this machine take them. The pipeline builds its
own, in its stage Build.
""",
    examples=(
        ("amplify-delivery images", "of all environments"),
        ("amplify-delivery images dev", "of one"),
    ),
    pages=("containers",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "environment", nargs="*", metavar="ENV", help="environments, by their stack files; default: all of the project"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    expect_project(context.folder)
    environments = args.environment or context.project.stacks("backend")
    declared = sources.declared_images(context.folder, environments)
    if not declared:
        raise ConfigError(
            "no stack file names a container image",
            where=str(context.folder.resolve()),
            remedy="name them in `containerImages` (docs/containers.md)",
        )
    check_builder(declared, in_build=False)
    line = output.progress if args.json else output.line
    folder = context.folder / FOLDER
    replace_folder(
        folder,
        declared,
        context.folder,
        lambda: read_export(sources.project_export(context.folder, environments)[0]),
        line,
    )
    images = index_of(folder)
    if args.json:
        output.document({"folder": str(folder), "images": [vars(image) for image in images.values()]})
    else:
        print(f"{folder}: {output.counted(len(images), 'image')}; what is deployed from here takes them from there")
    return 0

"""`amplify-delivery publish ENV`: check an assembly and upload its objects to an environment's staging bucket."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.account import bootstrap_version
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import sources, stack_files
from amplify_delivery.export import render_root
from amplify_delivery.publishing import PublishTarget, publish
from amplify_delivery.stacks.access import environment_names, staging_bucket
from amplify_delivery.stacks.images import check_built
from amplify_delivery.stacks.inputs import as_configured, of_project, read_assembly

ABOUT = About(
    needs="AWS",
    text="""
Examines the rendered templates before anything is sent; what CloudFormation would refuse is listed, with exit code 3.
Then it uploads what is missing, 24 objects at a time. Keys are made from content, so an interrupted publish can
simply be repeated. `pulumi up`, `up` and `deploy` publish by themselves.
""",
    examples=(
        ("amplify-delivery publish prod", "what would be deployed"),
        ("amplify-delivery publish prod --from assembly", "another assembly, or export, of the app"),
    ),
    changes="objects were published",
    pages=(
        "deploying#publish",
        "linting",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the Pulumi stack")
    parser.add_argument(
        "--from",
        dest="folder",
        type=Path,
        metavar="DIR",
        help="folder of an assembly, or of an export; default: what would be deployed",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    config = stack_files.load(context.folder, args.environment)
    values = stack_files.values(context.folder, config)
    project = context.project
    if args.folder:
        loaded = of_project(sources.load(args.folder, values.secrets), project.app, args.folder)
        assembly = as_configured(loaded, config)
    else:
        assembly = read_assembly(config, context.folder, project.app)
    check_built(assembly, str(stack_files.path(context.folder, args.environment)))
    bootstrap_version.check_account(config, project)
    bucket = staging_bucket(project.app, config)
    root = render_root(assembly, values, bucket)
    names = environment_names(project.app, config)
    target = PublishTarget(bucket, config.account, config.region, config.profile, config.role_arn, names.repository)
    report = publish(assembly, [(root.object, root.body)], target, output.progress, config.ignored)
    if args.json:
        output.document({"bucket": bucket, "root": root.object.key, **report.to_json()})
        return 0
    uploaded = f"{output.counted(report.uploaded, 'object')} uploaded ({report.bytes:,} bytes)"
    print(f"{bucket}: {uploaded}, {report.present:,} there already")
    if assembly.images:
        images = report.images
        pushed = f"{output.counted(images.pushed, 'image')} pushed ({images.bytes:,} bytes)"
        print(f"{names.repository}: {pushed}, {images.present:,} there already")
    return 0

"""`delivery publish DIR`: check an assembly and upload its objects to an environment's staging bucket."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_export import render_root
from components.names import staging_bucket_name
from delivery import output, sources, stack_files
from publishing import PublishTarget, publish


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of an assembly, or of an export")
    stack_files.add_environment(parser)


def run(args: argparse.Namespace) -> int:
    config = stack_files.load(args.environment)
    values = stack_files.values(config)
    assembly = sources.load(args.folder, values.secrets)
    bucket = staging_bucket_name(assembly.project, config.environment, config.account, config.region)
    root = render_root(assembly, values, bucket)
    target = PublishTarget(bucket, config.account, config.region, config.profile, config.role_arn)
    report = publish(assembly, [(root.object, root.body)], target, output.progress)
    if args.json:
        output.document({"bucket": bucket, "root": root.object.key, **report.to_json()})
        return 0
    uploaded = f"{output.counted(report.uploaded, 'object')} uploaded ({report.bytes:,} bytes)"
    print(f"{bucket}: {uploaded}, {report.present:,} there already")
    return 0

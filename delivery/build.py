"""`delivery build`: what the pipeline's stage Build does with a checkout: its commands, then the assembly.

The commands stand in the pipeline's stack file and are read from the very checkout that is built. So a changed one
counts at once, and changes nothing of the pipeline.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_export import read_export
from components.documents.buildspecs import ASSEMBLY
from delivery import assemble, check, output, pipelines, shell, sources
from stacks.config import Project
from stacks.config.pipeline import Build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pipelines.add_stack(parser)


def run(args: argparse.Namespace) -> int:
    project = Project(Path())
    stack = pipelines.named(args.stack, project)
    seconds = _run_commands(project.pipeline(stack).build, f"build of {stack}", as_json=args.json)
    # Read again, and the environments' files only now: commands may write into the checkout, and what lies there
    # afterwards is what is delivered.
    folder, secrets = sources.project_export(project.pipeline(stack).environments)
    export, out = read_export(folder), Path(ASSEMBLY)
    if args.json:
        assembly = assemble.write(export, secrets, out)
        output.document({"stack": stack, "seconds": seconds, **assemble.described(assembly, out)})
        return 0
    code = check.report(export, secrets)
    if code == 0:
        assemble.report(assemble.write(export, secrets, out), out)
    return code


def _run_commands(build: Build, where: str, *, as_json: bool) -> float:
    """Run the commands; how long they took. Raises `DeployError` with their last lines."""
    if not build.commands:
        return 0.0
    # Without an end of its own: CodeBuild's project has one, and so has whatever else starts this command.
    ended = shell.run(build.commands, build.env, None, output.progress if as_json else output.line)
    if ended.failed:
        raise ended.error(ended.failed, where, "nothing was assembled; mend the cause, and build again")
    seconds = round(ended.seconds, 1)
    if not as_json:
        output.line(f"{where}: {output.counted(len(build.commands), 'command')} done in {seconds} s")
    return seconds

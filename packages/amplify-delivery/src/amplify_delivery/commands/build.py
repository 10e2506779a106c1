"""`amplify-delivery build`: what the pipeline's stage Build does with a checkout: its commands, the assembly, its
examination.

The commands stand in the pipeline's stack file and are read from the very checkout that is built. So a changed one
counts at once, and changes nothing of the pipeline.

What CloudFormation would refuse in any environment of the pipeline fails Build, not the environment's turn. The results
are kept (`amplify_delivery.publishing.examination.cache`): in the pipeline beside the assembly, so that PublishAssets
has nothing left to examine.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import ASSEMBLY, INSTALLING
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.printing import exports
from amplify_delivery.delivery.project import artifact_files, examination, pipelines, shell, sources, step_outputs
from amplify_delivery.delivery.project.images.building import Declared, build_into, check_builder
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import (
    Assembly,
    Export,
    ExportRefused,
    assemble,
    load_assembly,
    read_export,
    write_assembly,
)
from amplify_delivery.publishing.examination.cache import RESULTS_VARIABLE
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.pipeline import Build
from amplify_delivery.stacks.images import check_privileged, given_images
from amplify_delivery.stacks.inputs import of_project

ABOUT = About(
    needs="files, and what the commands need",
    text="""
Runs `build.commands` of the pipeline's stack file, does what `check` and `assemble --out assembly` do, and examines
what each environment of the pipeline would get, as `publish` does but without asking AWS. If a command fails, it ends
with 3 and nothing is assembled.
""",
    examples=(
        ("amplify-delivery build", "of the project's only pipeline"),
        ("amplify-delivery build --stack pipeline-eu", "of one of several"),
    ),
    pages=("building#build",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pipelines.add_stack(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    project = context.project
    if pipelines.none(args.stack, project, context.variables):
        return _without_pipeline(args, context)
    stack = pipelines.named(args.stack, project, context.variables)
    check_builder(_images(project, stack), in_build=True)
    seconds = _run_commands(project.pipeline(stack).build, f"build of {stack}", as_json=args.json)
    # Read again, and the environments' files only now: commands may write into the checkout, and what lies there
    # afterwards is what is delivered.
    config = project.pipeline(stack)
    # What is built here goes on to the pipelines that follow.
    chain = {name: project.pipeline(name) for name in project.chain(stack)}
    environments = tuple(e for each in chain.values() for e in each.environments)
    artifact_files.keep(context.folder, config.build.keep, str(project.file(stack)))
    steps = (step for each in chain.values() for stage in each.stages for step in stage.steps)
    for note in artifact_files.run_by_their_bit(context.folder, steps):
        output.progress(note)

    def check(assembly: Assembly) -> None:
        for name in chain:
            step_outputs.check(project, name, assembly)

    return _assemble(args, context, environments, {"stack": stack, "seconds": seconds}, check)


def _without_pipeline(args: argparse.Namespace, context: Context) -> int:
    """What a CI of the team's own has left of it: its commands are steps of its own."""
    project = context.project
    environments = tuple(n for n in project.stacks("backend") if project.environment(n).bootstrapped)
    if not environments:
        raise ConfigError(
            "there is no pipeline, and no environment that a CI delivers",
            where=str(context.folder.resolve()),
            remedy="make Pulumi.pipeline.yaml, or an environment with `bootstrapped: true` (docs/ci.md)",
        )
    check_builder(sources.declared_images(context.folder, environments), in_build=False)
    return _assemble(args, context, environments, {"stack": None, "seconds": 0.0}, lambda _: None)


def _assemble(
    args: argparse.Namespace,
    context: Context,
    environments: Sequence[str],
    found: Mapping[str, object],
    check: Callable[[Assembly], None],
) -> int:
    """The assembly and its examination; `check` looks at it before that."""
    project = context.project
    declared = sources.declared_images(context.folder, environments)
    folder, secrets = sources.project_export(context.folder, environments)
    export, out = read_export(folder), Path(ASSEMBLY)
    if args.json:
        assembly = _assembled(export, secrets, declared, project, out, output.progress)
        check(assembly)
        _examine(project, out, environments)
        output.document({**found, "examined": list(environments), **exports.described(assembly, out)})
        return 0
    try:
        assembly = _assembled(export, secrets, declared, project, out, output.line)
    except ExportRefused as error:
        return exports.findings(export, error.findings)
    exports.findings(export, assembly.findings)
    exports.assembly(assembly, out)
    check(assembly)
    _examine(project, out, environments)
    output.line(f"{out}: examined for {', '.join(environments)}: nothing that CloudFormation would refuse")
    return 0


def _images(project: Project, stack: str) -> Declared:
    """The container images of the pipeline's environments. Raises `ConfigError`, also for Docker that Build has not."""
    delivered = tuple(e for name in project.chain(stack) for e in project.pipeline(name).environments)
    declared = sources.declared_images(project.directory, delivered)
    check_privileged(project, stack, declared)
    return declared


def _assembled(  # noqa: PLR0917 - what an assembly is made of
    export: Export,
    secrets: Collection[tuple[str, str]],
    declared: Declared,
    project: Project,
    out: Path,
    line: Callable[[str], None],
) -> Assembly:
    """Build the images, assemble the export with them, and write the assembly."""
    with tempfile.TemporaryDirectory() as folder:
        layout = Path(folder)
        # What is wrong with the export is said before an image is built.
        assembly = assemble(export, secrets, given_images(declared, layout))
        if declared:
            build_into(layout, declared, project.directory, lambda: export, line)
            assembly = assemble(export, secrets, given_images(declared, layout))
        write_assembly(assembly, out)
    return assembly


def _examine(project: Project, out: Path, environments: Sequence[str]) -> None:
    """Examine what was written, as whatever publishes it will read it. It stays for whoever looks up a finding."""
    assembly = of_project(load_assembly(out), project.app, out)
    examination.for_environments(assembly, environments, project.directory, output.progress)


def _run_commands(build: Build, where: str, *, as_json: bool) -> float:
    """Run the commands; how long they took. Raises `RefusedError` with their last lines."""
    if not build.commands:
        return 0.0
    # Without an end of its own: CodeBuild's project has one, and so has whatever else starts this command.
    # Where results go is about the assembly below: commands that publish or examine something else, as tests do, and
    # in other folders, keep theirs elsewhere.
    line = output.progress if as_json else output.line
    ended = shell.run(build.commands, build.env, None, line, without=[RESULTS_VARIABLE])
    if ended.failed:
        remedy = "nothing was assembled; fix the cause, and build again"
        if any("No module named" in line for line in ended.last_lines):
            remedy = f"nothing was assembled; install what the project pins (`{INSTALLING}`), and build again"
        raise ended.error(RefusedError, ended.failed, where, remedy)
    seconds = round(ended.seconds, 1)
    if not as_json:
        output.line(f"{where}: {output.counted(len(build.commands), 'command')} done in {seconds} s")
    return seconds

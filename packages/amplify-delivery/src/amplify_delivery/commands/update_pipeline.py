"""`amplify-delivery update-pipeline`: bring the pipeline to what its stack file says, if it differs."""

from __future__ import annotations

import argparse
from dataclasses import replace

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.locking import waiting
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.pipeline import program_update, restart, self_update
from amplify_delivery.delivery.pipeline.self_update import COMMIT_VARIABLE
from amplify_delivery.delivery.printing.changes import told
from amplify_delivery.delivery.project import pipelines
from amplify_delivery.stacks.access import pipeline_names
from amplify_delivery.stacks.model import pipeline_model
from amplify_delivery.stacks.sources import source_digest

ABOUT = About(
    needs="AWS, Pulumi",
    text="""
Compares what the program is made from (code, requirements.lock, stack files) with what was applied last, which the
stack's output `sourceDigest` names: where that is the same and the last update succeeded, the engine is not run.
Otherwise it previews the pipeline's stack, and updates it if something differs. A changed CodePipeline starts again
with the newest commit, which contains whatever was cancelled by the change. Where triggers, a person or a schedule
start the pipeline, that commit may not have been released: there the command itself starts it with its own commit
(`COMMIT_ID`), then with those of executions that waited behind its own (`EXECUTION_ID`) and were cancelled; once
each, however often the command is repeated.

The digest of the definition that was applied last is the stack's output `definitionDigest`. If the pipeline differs
from its definition although that digest has not changed, the command refuses: applying it would start the pipeline,
and that this command, again and again. Somebody has then changed the pipeline by hand; `pulumi up -s pipeline` puts
it back.

An update that CodePipeline refuses because it cannot assume a role is tried again for a minute; then the error names
the environment whose account does not let the pipeline in, and the command.
""",
    examples=(
        ("amplify-delivery update-pipeline", "the project's only pipeline, with credentials of the tooling account"),
    ),
    changes="the engine had begun",
    pages=("pipeline",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pipelines.add_stack(parser)
    parser.add_argument(
        "--program",
        metavar="FOLDER",
        help="in the pipeline: the program that declares it, in another language (docs/other-languages.md)",
    )
    parser.add_argument("--program-stack", metavar="NAME", help="the Pulumi stack of that program")
    waiting.add_argument(parser, "the pipeline")


def run(args: argparse.Namespace, context: Context) -> int:
    project = context.project
    stack = pipelines.named(args.stack, project, context.variables)
    patience = waiting.Patience(args.wait, context.variables)
    if args.program:
        return _of_program(args, stack, context, patience)
    config = project.pipeline(stack)
    model = pipeline_model(project, project.app, stack, config)  # a mistake is told before anything slow begins
    engine = Engine(stack, context.folder.resolve(), output.progress)
    update = self_update.Update(stack, config, model, source_digest(context.folder), context)
    with holding(engine, "update-pipeline", context, patience):
        done = update.when_free(engine, patience)
    before = model.before.pipeline if model.before else None
    by_hand = restart.by_hand(model.names.pipeline, None, before)
    return _tell(args, stack, done, f"`{by_hand} --region {config.region}`")


def _of_program(args: argparse.Namespace, stack: str, context: Context, patience: waiting.Patience) -> int:
    """Of a pipeline that a program in another language declares."""
    project = context.project
    program = program_update.program_of(args.program, args.program_stack, context)
    config = project.pipeline(stack)
    there = replace(context, folder=context.folder / program.folder)
    program_update.put_plugin(there.folder)
    engine = Engine(program.stack, there.folder.resolve(), output.progress)
    update = program_update.ProgramUpdate(program, stack, config, project, there)
    with holding(engine, "update-pipeline", context, patience):
        done = update.when_free(engine, patience)
    pipeline = pipeline_names(project.app, stack, config).pipeline
    return _tell(args, stack, done, f"`{restart.by_hand(pipeline, None)} --region {config.region}`")


def _tell(args: argparse.Namespace, stack: str, done: self_update.Updated, starts: str) -> int:
    if args.json:
        output.document({"stack": stack, **done.to_json()})
        return 0
    if not done.updated:
        print(f"{stack}: nothing to change")
        return 0
    print(f"{stack}: {told(done.changes, 'outputs updated')}")
    if done.by_itself:
        print("the pipeline starts again, with the newest commit")
    elif done.restarts:
        for commit in done.started:
            print(f"the pipeline starts again, with commit {commit}")
        if not done.started:
            print(
                f"nothing was running, and ${COMMIT_VARIABLE} names no commit: the pipeline was not started. "
                f"{starts} starts it"
            )
    return 0

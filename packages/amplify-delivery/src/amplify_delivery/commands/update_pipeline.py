"""`delivery update-pipeline`: bring the pipeline to what its stack file says, if it differs."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.delivery import output
from amplify_delivery.delivery.engine import secrets_provider, waiting
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.pipeline import own_rights
from amplify_delivery.delivery.pipeline.late_rights import LateRights
from amplify_delivery.delivery.pipeline.self_update import (
    COMMIT_VARIABLE,
    DIGEST,
    EXECUTION_VARIABLE,
    SOURCE,
    Decision,
    Restart,
    bring,
    check_stores,
    decide,
    outputs_in,
)
from amplify_delivery.delivery.project import pipelines
from amplify_delivery.delivery.reports.changes import told
from amplify_delivery.errors import DeliveryError, LockedError, midway
from amplify_delivery.stacks.config import PipelineConfig, Project
from amplify_delivery.stacks.model import pipeline_model
from amplify_delivery.stacks.sources import source_digest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pipelines.add_stack(parser)
    waiting.add_argument(parser, "the pipeline")


def run(args: argparse.Namespace) -> int:
    project = Project(Path())
    stack = pipelines.named(args.stack, project)
    config = project.pipeline(stack)
    model = pipeline_model(project, project.app, stack, config)  # a mistake is told before anything slow begins
    engine, patience, late = Engine(stack, Path.cwd(), output.progress), waiting.Patience(args.wait), LateRights()
    while True:
        try:
            return _bring(args, stack, config, model, engine)
        except LockedError as error:
            if not patience.wait(error):
                raise
        except DeliveryError as error:
            # By hand, whoever runs this has rights that hang on neither alias nor tag.
            if not (os.environ.get(EXECUTION_VARIABLE) and late.wait(error)):
                raise


def _bring(args: argparse.Namespace, stack: str, config: PipelineConfig, model: PipelineModel, engine: Engine) -> int:
    state = engine.state()
    secrets_provider.check(stack, state, pipeline=True)
    check_stores(state.get("resources") or (), model, stack)
    applied, source = outputs_in(state), source_digest(Path())
    # The outputs alone do not tell: those of an update that has failed may be there as well.
    settled = not state.get("pending_operations") and engine.succeeded()
    if settled and applied.get(SOURCE) == source:
        # What an engine would find now is what somebody changed by hand, and that is for a person.
        decision, declared = Decision(update=False, restarts=False), applied.get(DIGEST)
    else:
        preview = engine.preview()
        declared = preview.outputs.get(DIGEST)
        if os.environ.get(EXECUTION_VARIABLE):  # by hand, whoever runs this has other rights
            own_rights.check(preview.steps, model, stack)
        decision = decide(preview.steps, declared, applied.get(DIGEST), stack)
        if not settled or applied.get(SOURCE) != preview.outputs.get(SOURCE):
            decision = replace(decision, update=True)
    again = Restart(config, model) if decision.restarts and model.tags_only else None
    changes = bring(engine, model) if decision.update else {}
    with midway():
        started = again.start(str(declared)) if again else ()
    if args.json:
        output.document(
            {"stack": stack, "updated": decision.update, "restarts": decision.restarts, DIGEST: declared}
            | {"changes": changes, "started": list(started)}
        )
        return 0
    if not decision.update:
        print(f"{stack}: nothing to change")
        return 0
    print(f"{stack}: {told(changes, 'outputs updated')}")
    if again:
        for commit in started:
            print(f"the pipeline starts again, with commit {commit}")
        if not started:
            print(f"what starts it are tags, and ${COMMIT_VARIABLE} names no commit: push a tag, or start it by hand")
    elif decision.restarts:
        print("the pipeline starts again, with the newest commit")
    return 0

"""The update of a pipeline that a program in another language declares: to what that program says in the built commit.

It is the engine's run of that program, with the state that its first `pulumi up` has made. Which pipeline it declares
is known from a preview: nothing else can tell what its expressions come to.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.pipeline.model import OtherProgram, PipelineModel
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.pipeline import own_rights
from amplify_delivery.delivery.pipeline.self_update import (
    EXECUTION_VARIABLE,
    Update,
    Updated,
    decide,
    settled,
    when_free,
)
from amplify_delivery.delivery.teardown import removal
from amplify_delivery.errors import ConfigError, DeliveryError, RefusedError
from amplify_delivery.stacks.config import PipelineConfig, Project
from amplify_delivery.stacks.config.reader import project_name, read_yaml
from amplify_delivery.stacks.model import pipeline_model
from amplify_delivery.stacks.packaged.declared import Declared, declared_by

PLUGIN = "pulumi-resource-amplify-delivery"
"""The package's executable."""
_MODULE = "amplify_delivery.stacks.packaged"
"""What it runs."""
_PACKAGE = "amplify-delivery"


def program_of(folder: str, stack: str, context: Context) -> OtherProgram:
    """The program that UpdatePipeline runs. Raises `ConfigError` where it is run by anybody else, who has `pulumi up`,
    and where the commit does not have it."""
    if not context.variables.get(EXECUTION_VARIABLE):
        raise ConfigError(
            "--program is what UpdatePipeline runs: it goes by what Build has left in the artifact",
            where=folder,
            remedy=f"`pulumi up {_of(folder, stack)}`",
        )
    if not (context.folder / folder / "Pulumi.yaml").is_file():
        raise ConfigError(
            f"the commit has no {folder}/Pulumi.yaml, the program that declares this pipeline",
            where=folder,
            remedy="commit the program in that folder of the project; or give it `program: FOLDER`, or "
            "`selfUpdate: false`, and run `pulumi up` by hand",
        )
    return OtherProgram(folder, project_name(context.folder / folder), stack)


def put_plugin(folder: Path) -> None:
    """Put the package's executable where the program's Pulumi.yaml has the engine look for it, if it is not there: an
    image that holds what is locked has it elsewhere."""
    plugins = (read_yaml(folder / "Pulumi.yaml").get("plugins") or {}).get("providers") or ()
    place = next((str(p["path"]) for p in plugins if p.get("name") == _PACKAGE and p.get("path")), None)
    if place is None or (folder / place / PLUGIN).exists():
        return
    executable = folder / place / PLUGIN
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {_MODULE} "$@"\n')
    executable.chmod(0o755)


@dataclass(frozen=True)
class ProgramUpdate:
    """The update of the pipeline `name` of `project`, which `program` declares. `config` is what was applied last, as
    Build has left it; of that only account and region count, for the commit's other files may be those of another."""

    program: OtherProgram
    name: str
    config: PipelineConfig
    project: Project
    context: Context
    """That of the program's folder."""

    def when_free(self, engine: Engine, patience: Patience) -> Updated:
        """Do it, once nobody else does. Raises `DeliveryError`s."""
        return when_free(lambda: self.once(engine), patience, inside=True)

    def once(self, engine: Engine) -> Updated:
        """Look, decide, and do it. Raises `DeliveryError`s, `LockedError` where somebody else changes the stack."""
        state, killed = settled(engine, self.program.stack, self.config, self.context)
        resources = state.get("resources") or ()
        try:
            preview = engine.preview()
        except DeliveryError as error:
            _check_stores(error, resources, self.program)
            raise
        declared = self._one(declared_by(step.type, step.inputs) for step in preview.steps)
        if declared is None:
            raise RefusedError(
                f"the program in {self.program.folder} declares no pipeline {self.name!r} any more",
                where=self.program.stack,
                remedy="nothing was changed. Put it back and push; or, to remove the pipeline, "
                f"`pulumi up {_of(self.program.folder, self.program.stack)}` by the tooling account's administrator",
            )
        config, model = self._read(declared)
        of = _of(self.program.folder, self.program.stack)
        own_rights.check(preview.steps, model, self.program.stack, of)
        applied = self._one(declared_by(str(r["type"]), r.get("inputs") or {}) for r in resources)
        last = applied.digest if applied else None
        decision = decide(preview.steps, declared.digest, last, self.program.stack, of)
        if killed or not engine.succeeded():
            decision = replace(decision, update=True)
        return Update(self.program.stack, config, model, "", self.context).carry_out(engine, decision, declared.digest)

    def _one(self, found: Iterable[Declared | None]) -> Declared | None:
        return next((declared for declared in found if declared and declared.name == self.name), None)

    def _read(self, declared: Declared) -> tuple[PipelineConfig, PipelineModel]:
        """What is declared, with the environments' own files as the commit has them."""
        # In the place of what Build put there, which is the definition's that was applied before.
        self.project.file(self.name).write_text(f"{declared.file}\n", encoding="utf-8")
        config = self.project.pipeline(self.name)
        return config, pipeline_model(self.project, self.project.app, self.name, config)


def _of(folder: str, stack: str) -> str:
    return f"-C {shlex.quote(folder)} -s {shlex.quote(stack)}"


def _check_stores(error: DeliveryError, resources: Iterable[Mapping[str, Any]], program: OtherProgram) -> None:
    """Raise `RefusedError` if what the engine says is that an artifact store would be deleted: what it advises is to
    lift the protection."""
    pipelines = (r for r in resources if declared_by(str(r["type"]), r.get("inputs") or {}))
    for name in [removal.name_of(pipeline) for pipeline in pipelines]:
        for region, store in removal.stores(resources, name).items():
            if any(str(resource["urn"]) in error.message for resource in store):
                raise RefusedError(
                    f"no environment lies in {region} any more, and an update does not delete the artifact bucket and "
                    "key there",
                    where=program.folder,
                    remedy=f"nothing was changed; keep them with `artifactRegions: [{region}]`, and push",
                ) from None

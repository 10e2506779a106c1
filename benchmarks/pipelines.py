"""Measure the declared pipeline as functions and environments grow: actions, projects, bytes, and every policy's size.

Nothing runs: the documents are made from stack files and an export, as `pulumi up` makes them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.naming import PROJECTS, PipelineNames
from amplify_delivery.components.documents.packing import INLINE_ROOM, MANAGED_ROOM, MAX_MANAGED
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.definition import MAX_ACTIONS_PER_STAGE, pipeline_properties
from amplify_delivery.components.documents.pipeline.model import ArtifactStore, EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.pipeline_documents import PipelineDocuments, pipeline_documents
from amplify_delivery.components.documents.pipeline.source_models import ConnectionSource
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Bake, Stage, Step
from amplify_delivery.components.documents.statements import RoleDocument, size
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, assemble, read_export
from amplify_delivery.stacks.access import environment_access
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.model import pipeline_model
from benchmarks import projects
from benchmarks.exports import small, with_functions

FUNCTIONS = (5, 20, 60, 120)
ENVIRONMENTS = (1, 10, 50, 90)
TARGETS = 3
"""Environments while functions grow: those of the peer's measurement."""


@dataclass(frozen=True)
class Declared:
    """Everything that a project declares for its pipeline: in the tooling account, and in each environment's."""

    model: PipelineModel
    pipeline: Mapping[str, Any]
    tooling: PipelineDocuments
    accounts: Sequence[AccountDocuments]

    @classmethod
    def of(cls, directory: Path, assembly: Assembly) -> Declared:
        """Read the stack files of `directory`. Raises `ConfigError` where `pulumi up` would refuse them."""
        project = Project(directory).once()
        model = with_stores(pipeline_model(project, assembly.project, projects.PIPELINE, project.pipeline("pipeline")))
        accounts = []
        for names in model.environments:
            name = names.environment
            account = project.account(f"{name}-account")
            access = environment_access(project, assembly.project, account, project.environment(name), assembly)
            accounts.append(account_documents(access))
        return cls(model, pipeline_properties(model), pipeline_documents(model), accounts)

    @property
    def actions(self) -> int:
        return sum(len(stage["Actions"]) for stage in self.pipeline["Stages"])

    @property
    def projects(self) -> int:
        return len(self.tooling.projects) + sum(len(account.projects) for account in self.accounts)

    @property
    def definition(self) -> int:
        """Bytes of the CodePipeline as CloudFormation's properties, without white space."""
        return size(self.pipeline)

    @property
    def everything(self) -> int:
        """The same of all that is declared in the tooling account: what the CDK's pipeline template holds."""
        region, environments = self.model.names.region, self.model.environments
        documents = [
            self.pipeline,
            *(vars(role) for role in self.tooling.roles),
            *(vars(policy) for policy in self.tooling.boundaries),
            *(vars(project) for project in self.tooling.projects),
            bucket_policy(self.model.names, region, environments),
            key_policy(self.model.names, region, environments),
        ]
        return len(json.dumps(documents, separators=(",", ":"), default=dict))  # of mappings that nobody may change

    def check(self) -> None:
        """Refuse what the component refuses before it declares anything."""
        check_pipeline(self.model, self.pipeline, self.tooling)
        for account in self.accounts:
            limits.check_roles(account.roles, (*account.policies, account.boundary))
            limits.check_projects(account.projects)


def check_pipeline(model: PipelineModel, properties: Mapping[str, Any], documents: PipelineDocuments) -> None:
    """Refuse what `DeliveryPipeline` refuses before it declares anything."""
    limits.check_model(model)
    limits.check_definition(properties)
    limits.check_roles(documents.roles, documents.boundaries)
    limits.check_projects(documents.projects)
    for region in model.regions:
        bucket, key = (build(model.names, region, model.environments) for build in (bucket_policy, key_policy))
        limits.check_resource_policies(bucket, key, region)


def with_stores(model: PipelineModel) -> PipelineModel:
    """With a key's ARN of the right length in each region: the real one is known once the key is made."""
    key = "key/00000000-0000-0000-0000-000000000000"
    stores = (
        ArtifactStore(region, model.names.artifact_bucket(region), model.names.arn("kms", key, region=region))
        for region in model.regions
    )
    return replace(model, stores=tuple(stores))


def _row(what: str, target: str, values: Iterable[object]) -> tuple[str, str, str]:
    return what, target, " / ".join(f"{v:,}" if isinstance(v, int) else str(v) for v in values)


def growth(work: Path) -> Iterator[tuple[str, str, str]]:
    """Actions, projects and bytes as functions, then environments, grow."""
    by_functions, objects = [], []
    for number in FUNCTIONS:
        assembly = assemble(read_export(with_functions(number, work / f"functions-{number}")))
        objects.append(len(assembly.objects))
        directory = projects.make(work / f"growth-{number}", assembly.project, TARGETS)
        by_functions.append(Declared.of(directory, assembly))
    head = f"pipeline of {TARGETS} environments, {' / '.join(map(str, FUNCTIONS))} functions"
    yield _row(f"{head}: objects of the assembly", "grows", objects)
    yield _row(f"{head}: actions", "constant", (d.actions for d in by_functions))
    yield _row(
        f"{head}: CodeBuild projects, of them in the tooling account",
        "constant",
        (f"{d.projects}, {len(d.tooling.projects)}" for d in by_functions),
    )
    yield _row(f"{head}: bytes of the pipeline's definition", "constant", (d.definition for d in by_functions))
    yield _row(
        f"{head}: bytes of all that is declared in the tooling account",
        "constant",
        (d.everything for d in by_functions),
    )
    found = list(_by_environments(work))
    head = f"pipeline of {' / '.join(map(str, ENVIRONMENTS))} environments"
    yield _row(f"{head}: stages", f"at most {limits.MAX_STAGES}", (len(d.pipeline["Stages"]) for d in found))
    yield _row(f"{head}: actions", f"at most {limits.MAX_ACTIONS}", (d.actions for d in found))
    yield _row(
        f"{head}: most actions of one stage",
        f"at most {MAX_ACTIONS_PER_STAGE}",
        (max(len(stage["Actions"]) for stage in d.pipeline["Stages"]) for d in found),
    )
    yield _row(
        f"{head}: CodeBuild projects of the tooling account", "constant", (len(d.tooling.projects) for d in found)
    )
    yield _row(f"{head}: CodeBuild projects of an environment", "constant", (_each(d) for d in found))
    yield _row(f"{head}: bytes of the pipeline's definition", "grows by a constant", (d.definition for d in found))
    yield _row(
        f"{head}: bytes of all that is declared in the tooling account",
        "grows by a constant",
        (d.everything for d in found),
    )
    yield _row(f"{head}: roles of the tooling account", "constant", (len(d.tooling.roles) for d in found))


def _each(declared: Declared) -> str:
    return " or ".join(str(n) for n in sorted(Counter(len(a.projects) for a in declared.accounts)))


def _by_environments(work: Path) -> Iterator[Declared]:
    """All environments in the pipeline's region, where the artifact policies grow fastest."""
    export = small("full")
    assembly = assemble(read_export(export))
    for number in ENVIRONMENTS:
        directory = work / f"environments-{number}"
        if not directory.exists():
            projects.make(directory, assembly.project, number)
        declared = Declared.of(directory, assembly)
        declared.check()
        yield declared


def sizes(work: Path) -> Iterator[tuple[str, str, str]]:
    """The size of every policy as environments grow, beside what IAM, S3 and KMS take; then where it ends."""
    found = list(_by_environments(work))
    head = f"{' / '.join(map(str, ENVIRONMENTS))} environments"
    inline, managed = f"at most {INLINE_ROOM:,} inline", f"at most {MANAGED_ROOM:,}"
    for number, role in enumerate(found[0].tooling.roles):
        yield _row(f"{head}: role {role.name}", inline, (_inline(d.tooling.roles[number]) for d in found))
    for number, policy in enumerate(found[0].tooling.boundaries):
        yield _row(f"{head}: {policy.name}", managed, (size(d.tooling.boundaries[number].document) for d in found))
    region = projects.REGION
    names = found[0].model.names
    policies = (
        ("artifact bucket's policy", bucket_policy, limits.MAX_BUCKET_POLICY),
        ("artifact key's policy", key_policy, limits.MAX_KEY_POLICY),
    )
    for what, build, most in policies:
        yield _row(
            f"{head}: {what}, all in one region",
            f"at most {most:,}",
            (size(build(names, region, d.model.environments)) for d in found),
        )
    for what in ("action", "execution", *PROJECTS):
        roles = [[_role(account, what) for account in d.accounts] for d in found]
        yield _row(f"{head}: an environment's {what} role", inline, (max(map(_inline, each)) for each in roles))
        counts = [max(len(role.managed_policies) for role in each) for each in roles]
        if any(counts):
            yield _row(f"{head}: an environment's {what} role, managed policies", f"at most {MAX_MANAGED}", counts)
    yield _row(
        f"{head}: largest managed policy of an environment",
        managed,
        (max(size(p.document) for a in d.accounts for p in a.policies) for d in found),
    )
    yield _row(
        f"{head}: an environment's boundary",
        managed,
        (max(size(a.boundary.document) for a in d.accounts) for d in found),
    )
    yield _row(
        f"{head}: largest trust policy of all roles",
        f"at most {limits.MAX_TRUST_POLICY:,}",
        (max(size(r.trust) for r in (*d.tooling.roles, *(r for a in d.accounts for r in a.roles))) for d in found),
    )
    yield from _ends()


def _inline(role: RoleDocument) -> int:
    return sum(size(policy) for policy in role.policies.values())


def _role(account: AccountDocuments, what: str) -> RoleDocument:
    if what in PROJECTS:
        return account.project_roles[PROJECTS.index(what)]
    return account.action_role if what == "action" and account.action_role else account.execution


@dataclass(frozen=True)
class _Shape:
    """How the stages of a pipeline look."""

    what: str
    wave: int
    stage: Stage


_TEST = Step(name="test", commands=("make test",))


def _stage(**parts: Any) -> Stage:
    return Stage(**{"name": "Prod", "environments": ("prod",), "approval": Approval(), **parts})


SHAPES = (
    _Shape("waves of 9 with approval, test step and bake time", 9, _stage(post=(_TEST,), bake=Bake(time=15))),
    _Shape("waves of 10 with approval", 10, _stage()),
    _Shape("waves of 16 with approval", 16, _stage()),
)
LETTERS = (8, 20)
"""Of the app's name, which is set twice in each role's ARN; an Amplify project has at most 20."""


def _ends() -> Iterator[tuple[str, str, str]]:
    """How many environments one pipeline holds, and what is said about one more."""
    for letters in LETTERS:
        for shape in SHAPES:
            number, said = 0, ""
            while not said and number < 400:
                number += 1
                said = refusal(model_of("a" * letters, number, shape))
            yield (
                f"app of {letters} letters, {shape.what}: most environments of one pipeline",
                "one more is refused, with how to split",
                f"{number - 1}; then: {said.partition(': ')[2]}",
            )


def model_of(app: str, number: int, shape: _Shape) -> PipelineModel:
    names = PipelineNames(app, projects.TOOLING, projects.REGION, projects.PIPELINE)
    refs = [EnvironmentRef(projects.name_of(n), projects.account_of(n), projects.REGION) for n in range(number)]
    stages = [
        shape.stage.model_copy(
            update={"name": f"Prod{at}", "environments": tuple(ref.name for ref in refs[at : at + shape.wave])}
        )
        for at in range(0, number, shape.wave)
    ]
    source = ConnectionSource(connection=projects.CONNECTION, repository="example/app")
    return with_stores(PipelineModel(names, source, tuple(stages), tuple(refs)))


def refusal(model: PipelineModel) -> str:
    """What is said against a pipeline; "" if nothing is."""
    try:
        check_pipeline(model, pipeline_properties(model), pipeline_documents(model))
    except ConfigError as error:
        return str(error).partition("\n")[0]
    return ""

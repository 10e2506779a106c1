"""Three environments, one pipeline, and some strangers: the world in which the trust table is decided."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

from amplify_delivery.components.documents import staging
from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.account.storage import (
    repository_policy,
    state_bucket_policy,
    state_key_policy,
)
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.model import ArtifactStore, EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.notifications import topic_policy
from amplify_delivery.components.documents.pipeline.pipeline_documents import PipelineDocuments, pipeline_documents
from amplify_delivery.components.documents.pipeline.source_models import ConnectionSource
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Bake, Stage, Step
from amplify_delivery.components.documents.statements import (
    Document,
    RoleDocument,
    Statement,
    allow,
    document,
    role_trust,
)
from amplify_delivery.components.documents.web_identity import github, gitlab, gitlab_subjects
from aws_rehearsal.policy import Principal, Request, Role, World, decide
from aws_rehearsal.policy.conditions import like

TOOLING, PREPROD, PROD, STRANGER = "111111111111", "222222222222", "333333333333", "999999999999"
APP, HOME, AWAY = "seriesapp", "us-east-1", "eu-west-1"

_EXPORT_TYPES = """
ApiGateway::Deployment ApiGateway::GatewayResponse ApiGateway::RestApi AppSync::ApiKey AppSync::DataSource
AppSync::FunctionConfiguration AppSync::GraphQLApi AppSync::GraphQLSchema AppSync::Resolver CloudFormation::Stack
Cognito::IdentityPool Cognito::IdentityPoolRoleAttachment Cognito::UserPool Cognito::UserPoolClient
Cognito::UserPoolGroup DynamoDB::Table IAM::ManagedPolicy IAM::Policy IAM::Role Lambda::Function Lambda::Permission
S3::Bucket S3::BucketPolicy
"""
EXPORT_TYPES = frozenset(f"AWS::{name}" for name in _EXPORT_TYPES.split()) | {
    "Custom::EmptyResource",
    "Custom::LambdaCallout",
}
"""The types of a real export with authentication, storage, a function, REST and GraphQL APIs (tests/exports/full)."""

PROGRAM_TYPES = frozenset(
    {"AWS::ApiGateway::RestApi", "AWS::IAM::Role", "AWS::Lambda::Function", "AWS::Logs::LogGroup"}
)

pipeline = PipelineNames(app=APP, account=TOOLING, region=HOME)
preprod = EnvironmentNames(app=APP, account=PREPROD, region=HOME, environment="preprod")
prod = EnvironmentNames(app=APP, account=PROD, region=AWAY, environment="prod")
canary = EnvironmentNames(app=APP, account=PROD, region=AWAY, environment="canary", former=True)
"""Its pipeline still comes in under the name of before."""
"""In the same account and region as prod: names alone keep them apart."""
ENVIRONMENTS = (preprod, prod, canary)

CI = {
    "prod": github(prod, "octo/shop", ("11", "22"), "main", ".github/workflows/backend-deploy.yml"),
    "preprod": gitlab("gitlab.com", gitlab_subjects("4711", "main", "staging")),
}
"""Whose jobs may come in beside the pipeline."""

INTRUDER = f"arn:aws:iam::{TOOLING}:role/intruder"
"""A role of the tooling account with every right but those on IAM."""
NAMESAKE = pipeline.role_arn().replace(TOOLING, STRANGER)
"""The role of another account's pipeline of the same name."""
NEIGHBOUR = f"arn:aws:iam::{PROD}:role/administrator"
"""An administrator of the production account."""
BACKEND = f"arn:aws:iam::{PROD}:role/amplify-{APP}-prod-function"
"""A role that the backend made, with every right, but within the boundary."""
OTHER_ACTION_ROLE = f"arn:aws:iam::444444444444:role/amplify-delivery/{APP}/env/other/{APP}-other-action"
"""An action role that trusts the pipeline, which does not deploy there."""
WELCOME = "arn:aws:iam::444444444444:role/welcome"
"""Some role somewhere that trusts the pipeline's role."""

FRIEND = f"arn:aws:iam::{TOOLING}:role/friend"
"""A role of the tooling account that trusts UpdatePipeline's role, by its ARN."""
OPEN_BUCKET = "arn:aws:s3:::open"
"""A stranger's bucket that takes what anybody brings."""
OPEN_KEY = f"arn:aws:kms:{HOME}:{STRANGER}:key/open"
OPEN_TOPIC = f"arn:aws:sns:{HOME}:{STRANGER}:open"
"""A stranger's key and topic, for anybody to use."""

EVERYTHING = document([allow("Everything", "*", "*")])


def stack_name(names: EnvironmentNames) -> str:
    return f"amplify-{APP}-{names.environment}-a8d05"


def access(names: EnvironmentNames, **changes: Any) -> EnvironmentAccess:
    """An environment's access as its account's file would give it."""
    standard = EnvironmentAccess(
        names=names,
        pipeline=pipeline,
        stack_name=stack_name(names),
        resource_types=EXPORT_TYPES,
        program_types=PROGRAM_TYPES,
        page_buckets=frozenset({f"pages-{names.environment}"}),
        tags={"user:Application": APP, "user:Stack": names.environment},
        neighbours=tuple(n for n in ENVIRONMENTS if n != names and n.account == names.account),
        state_key_arn=state_key(names),
        ci=CI.get(names.environment),
    )
    return replace(standard, **changes)


def pipeline_model(**changes: Any) -> PipelineModel:
    """PreProd with a test, then Prod and Canary after an approval."""

    standard = PipelineModel(
        names=pipeline,
        source=ConnectionSource(
            connection=f"arn:aws:codeconnections:{HOME}:{TOOLING}:connection/c", repository="owner/repository"
        ),
        stages=(
            Stage(name="PreProd", environments=("preprod",), post=(step("smoke"),)),
            Stage(
                name="Prod",
                environments=("prod", "canary"),
                approval=Approval(comment="Go?"),
                bake=Bake(time=30),
                on_failure="rollback",
            ),
        ),
        places=tuple(
            EnvironmentRef(names.environment, names.account, names.region, names.former) for names in ENVIRONMENTS
        ),
        stores=tuple(ArtifactStore(r, pipeline.artifact_bucket(r), artifact_key(r)) for r in (HOME, AWAY)),
    )
    return replace(standard, **changes)


def step(name: str) -> Step:
    return Step(name=name, commands=("make",))


def artifact_key(region: str) -> str:
    return pipeline.arn("kms", "key/artifacts", region=region)


def state_key(names: EnvironmentNames) -> str:
    return names.arn("kms", f"key/state-{names.environment}")


def staging_key(names: EnvironmentNames) -> str:
    return names.arn("kms", f"key/staging-{names.environment}")


def tooling_state_key() -> str:
    return pipeline.arn("kms", "key/state")


@cache
def accounts() -> dict[str, AccountDocuments]:
    return {names.environment: account_documents(access(names)) for names in ENVIRONMENTS}


@cache
def tooling() -> PipelineDocuments:
    return pipeline_documents(pipeline_model())


Named = dict[str, Document]


@cache
def declared() -> Named:
    """Every declared document by a name: `role NAME trust`, `role NAME policy POLICY`, `boundary NAME`, ..."""
    found: Named = {}

    def add_role(role: RoleDocument) -> None:
        found[f"role {role.name} trust"] = role.trust
        for name, policy in role.policies.items():
            found[f"role {role.name} policy {name}"] = policy

    for documents in accounts().values():
        for role in documents.roles:
            add_role(role)
        for policy in documents.policies:
            found[f"policy {policy.name}"] = policy.document
        found[f"boundary {documents.boundary.name}"] = documents.boundary.document
    for role in tooling().roles:
        add_role(role)
    for policy in tooling().boundaries:
        found[f"boundary {policy.name}"] = policy.document
    for policy in tooling().policies:
        found[f"policy {policy.name}"] = policy.document
    for region in (HOME, AWAY):
        found[f"bucket policy {region}"] = bucket_policy(pipeline, region, ENVIRONMENTS)
        found[f"key policy {region}"] = key_policy(pipeline, region, ENVIRONMENTS)
    found["bucket policy state"] = state_bucket_policy(prod)
    found["key policy state"] = state_key_policy(prod)
    found["repository policy"] = repository_policy(prod)
    found["bucket policy staging"] = staging.bucket_policy(prod.staging_bucket, prod.region)
    found["key policy staging"] = staging.key_policy(prod.account, prod.region)
    found["topic policy"] = topic_policy(pipeline)
    return found


def build_world(
    documents: Named, administrators: frozenset[str] = frozenset(), unbound: frozenset[str] = frozenset()
) -> World:
    """The world of these documents.

    Roles in `administrators` have every right as well, within their boundary; roles in `unbound` have no boundary.
    """
    roles = {
        INTRUDER: Role(INTRUDER, role_trust(INTRUDER), (document([allow("Most", _most(), "*")]),)),
        NAMESAKE: Role(NAMESAKE, role_trust(NAMESAKE), (EVERYTHING,)),
        NEIGHBOUR: Role(NEIGHBOUR, role_trust(NEIGHBOUR), (EVERYTHING,)),
        OTHER_ACTION_ROLE: Role(OTHER_ACTION_ROLE, role_trust(pipeline.role_arn())),
        WELCOME: Role(WELCOME, role_trust(pipeline.role_arn())),
        FRIEND: Role(FRIEND, document([allow("Friend", "sts:AssumeRole", principal=pipeline.role_arn("update"))])),
    }
    boundary_of = {boundary_arn: documents[f"boundary {name}"] for boundary_arn, name in _boundaries()}
    roles[BACKEND] = Role(BACKEND, role_trust(BACKEND), (EVERYTHING,), boundary_of[prod.boundary_arn])
    attached = (*(p for d in accounts().values() for p in d.policies), *tooling().policies)
    managed = {policy.arn: f"policy {policy.name}" for policy in attached}
    for declared_role in (*(r for d in accounts().values() for r in d.roles), *tooling().roles):
        policies = [documents[f"role {declared_role.name} policy {name}"] for name in declared_role.policies]
        policies += [documents[managed[arn]] for arn in declared_role.managed_policies]
        if declared_role.arn in administrators:
            policies.append(EVERYTHING)
        bound = declared_role.boundary and declared_role.arn not in unbound
        boundary = boundary_of[str(declared_role.boundary)] if bound else None
        trust = documents[f"role {declared_role.name} trust"]
        roles[declared_role.arn] = Role(declared_role.arn, trust, tuple(policies), boundary)
    resource_policies = {tooling_state_key(): _account_key(TOOLING)}
    resource_policies |= {foreign_key(account): _account_key(account) for account in (TOOLING, PREPROD, PROD)}
    resource_policies |= {customers_key(place): _account_key(place.account) for place in (prod, preprod, pipeline)}
    resource_policies[OPEN_BUCKET] = document([allow("Anybody", "s3:*", f"{OPEN_BUCKET}/*", principal="*")])
    for arn, action in ((OPEN_KEY, "kms:*"), (OPEN_TOPIC, "sns:*")):
        resource_policies[arn] = document([allow("Anybody", action, "*", principal="*")])
    owners = {pipeline.bucket_arn(pipeline.state_bucket): TOOLING, OPEN_BUCKET: STRANGER}
    for region in (HOME, AWAY):
        bucket = pipeline.bucket_arn(pipeline.artifact_bucket(region))
        resource_policies[bucket] = documents[f"bucket policy {region}"]
        resource_policies[artifact_key(region)] = documents[f"key policy {region}"]
        owners[bucket] = TOOLING
    for names in ENVIRONMENTS:
        resource_policies[state_key(names)] = (
            documents["key policy state"] if names == prod else state_key_policy(names)
        )
        if names == prod:
            resource_policies[names.bucket_arn(names.state_bucket)] = documents["bucket policy state"]
            resource_policies[names.arn("ecr", f"repository/{names.repository}")] = documents["repository policy"]
            resource_policies[names.bucket_arn(names.staging_bucket)] = documents["bucket policy staging"]
            resource_policies[staging_key(names)] = documents["key policy staging"]
        for bucket_name in (names.state_bucket, names.staging_bucket):
            owners[names.bucket_arn(bucket_name)] = names.account
    resource_policies[pipeline.arn("sns", pipeline.topic)] = documents["topic policy"]
    return World(roles, resource_policies, owners)


def is_allowed(world: World, principal: str, action: str, resource: str, context: dict[str, Any]) -> bool:
    return decide(world, Request(Principal(principal), action, resource, context)).allowed


def customers_key(place: EnvironmentNames | PipelineNames) -> str:
    """A key of the account, in its region, that somebody has made for secrets."""
    return place.arn("kms", "key/customers")


def foreign_key(account: str) -> str:
    """A key of the account that is nobody's business here."""
    return f"arn:aws:kms:ap-south-1:{account}:key/foreign"


@cache
def identity_statements() -> list[tuple[str, Statement]]:
    """Role and statement of everything that is allowed to a role of prod or of the tooling account."""
    found = []
    managed = {p.arn: p.document for p in (*accounts()["prod"].policies, *tooling().policies)}
    for role in (*accounts()["prod"].roles, *tooling().roles):
        for policy in (*role.policies.values(), *(managed[arn] for arn in role.managed_policies)):
            found += [(role.arn, s) for s in policy["Statement"] if s["Effect"] == "Allow"]
    return found


def satisfying(conditions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A context in which these conditions hold."""
    found: dict[str, Any] = {}
    for operator, keys in conditions.items():
        for key, expected in keys.items():
            value = (expected if isinstance(expected, str) else expected[0]).replace("*", "x")
            if "Not" not in operator:
                found[key] = (value,) if operator.startswith("For") else value
    return found


@cache
def known_resource(pattern: str) -> str:
    """A resource that the pattern matches: one with a policy of its own if there is one."""
    world = build_world(declared())
    fitting = (arn for arn in world.resource_policies if like(arn, pattern))
    return next(fitting, pattern.replace("*", "x"))


def _most() -> list[str]:
    return ["cloudformation:*", "codebuild:*", "codepipeline:*", "kms:*", "s3:*", "sts:*"]


def _loaded(text: str) -> Document:
    found = json.loads(text)
    return {"Version": found["Version"], "Statement": found["Statement"]}


def _account_key(account: str) -> Document:
    return document([allow("Account", "kms:*", "*", principal={"AWS": f"arn:aws:iam::{account}:root"})])


def _boundaries() -> list[tuple[str, str]]:
    return [(d.boundary.arn, d.boundary.name) for d in accounts().values()] + [
        (policy.arn, policy.name) for policy in tooling().boundaries
    ]

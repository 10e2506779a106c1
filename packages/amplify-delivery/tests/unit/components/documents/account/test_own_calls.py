"""Every call of AWS that the product makes, by the role that it is made with: the declared documents allow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from amplify_delivery.commands import build, deploy, plan, publish, start, step, update_pipeline
from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type
from amplify_delivery.components.documents.statements import RoleDocument, allow, document
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed import classic, existing
from amplify_delivery.export.assembling.store import FOLDERS
from amplify_delivery.export.manifests import CONTENT_FOLDERS
from amplify_delivery.publishing import announcing, credentials, stack_state
from amplify_delivery.stacks import backend
from amplify_delivery.stacks import pipeline as pipeline_stack
from aws_rehearsal.policy import Principal, Request, Role, World, decide
from unit.components.documents.account.own_calls import ACTIONS, NO_OPERATIONS, code
from unit.components.documents.world import (
    APP,
    CI,
    PROD,
    access,
    pipeline,
    pipeline_model,
    prod,
    stack_name,
    staging_key,
    state_key,
)
from unit.rows import each

# One process reads the product's code, and makes the world.
pytestmark = pytest.mark.xdist_group("own-calls")

SERVICES = (
    *("account", "apigatewayv2", "appsync", "cloudcontrol", "cloudformation", "cloudwatch", "codebuild", "codecommit"),
    *("codeconnections", "codepipeline", "codestar-notifications", "cognito-idp", "dynamodb", "ec2", "ecr", "iam"),
    *("kms", "lambda", "logs", "s3", "secretsmanager", "service-quotas", "sns", "ssm", "sts"),
)
"""Those of which our code has clients."""
ANYBODY: Mapping[Callable[..., Any], str] = {
    credentials.provider_session: "a role that a stack file names is for whoever wrote it there",
    existing.ask_there: "what a killed run was making: below, type by type",
    stack_state.check_names: "of names that may not be listed CloudFormation tells which are taken",
    announcing.announce: "who may not write goes on: it is no publisher",
}
"""Where no role is followed, and why."""


@dataclass(frozen=True)
class Caller:
    """A role: what of our code runs with it, what it names in each call, and which it does not make."""

    arn: str
    begins: tuple[Callable[..., Any], ...]
    named: Mapping[str, tuple[str, ...]]
    """By action: the resources; `*` for an action that knows none."""
    left: Mapping[str, str]
    """By action that can be reached: why it is not made with this role, or may be denied."""


ROOT = prod.arn("cloudformation", f"stack/{stack_name(prod)}/x")
NESTED = prod.arn("cloudformation", f"stack/{stack_name(prod)}-apiapp-1A2B3C/x")
THROUGH_S3 = {"kms:ViaService": f"s3.{prod.region}.amazonaws.com", "kms:CallerAccount": PROD}
SECRET = prod.arn("secretsmanager", f"secret:{stack_name(prod)}/authapp/hostedUIProviderCreds-1A2B3C")
BOTH, ANY = (ROOT, NESTED), ("*",)
STAGED, STATES = prod.bucket_arn(prod.staging_bucket), prod.bucket_arn(prod.state_bucket)
VERSION, TYPES = (prod.arn("ssm", f"parameter{name}") for name in (prod.version_parameter, prod.types_parameter))
IMAGES, DEPLOYS = prod.arn("ecr", f"repository/{prod.repository}"), prod.project_arn("deploy")
AUDIT = prod.arn("logs", f"log-group:{prod.audit_log_group}:log-stream:")
STATE_FILES = (f"{STATES}/leases/app/prod.json", f"{STATES}/.pulumi/stacks/app/prod.json")
TOOLS = pipeline.bucket_arn(pipeline.state_bucket)
AUTH_ROLES = tuple(prod.iam_arn("role", "/", f"{stack_name(prod)}-{role}") for role in ("authRole", "unauthRole"))
_LOOKS = {
    "cloudformation:DescribeStackDriftDetectionStatus": ANY,
    "cloudformation:DescribeStackResourceDrifts": BOTH,
    "cloudformation:DescribeStacks": BOTH,
    "cloudformation:DetectStackDrift": BOTH,
    "cloudformation:GetStackPolicy": (ROOT,),
    "cloudformation:GetTemplate": BOTH,
    "cloudformation:ListExports": ANY,
    "cloudformation:ListStackResources": BOTH,
    "cloudformation:ListStacks": ANY,
    "codebuild:BatchGetBuilds": (DEPLOYS,),
    "cognito-idp:DescribeUserPool": (prod.arn("cognito-idp", f"userpool/{prod.region}_AbCdEfGh1"),),
    "ecr:DescribeImageScanFindings": (IMAGES,),
    "iam:GetRolePolicy": AUTH_ROLES,
    "lambda:GetFunction": (prod.arn("lambda", "function:resize-prod"),),
    "s3:ListBucket": (STAGED, STATES),
    "ssm:GetParameter": (VERSION, TYPES),
}
"""What plan and deploy look at."""
_STAGED = tuple(f"{STAGED}/{folder}/x" for folder in CONTENT_FOLDERS)
_MANY = {"ssm:GetParameters": "for many accounts at once: `bootstrap` and previews"}
_LEASE = "the lease is held by who deploys"
_COPIES = "whoever copies a table's items is told before what `deployRights` needs (copy_checks.check_rights)"
CALLERS = {
    "publish": Caller(
        prod.project_role_arn("publish"),
        (publish.run,),
        {
            "ecr:BatchGetImage": (IMAGES,),
            "ecr:GetAuthorizationToken": ANY,
            "s3:GetObject": _STAGED,
            "s3:ListBucket": (STAGED,),
            "s3:PutObject": _STAGED,
            "ssm:GetParameter": (VERSION,),
        },
        _MANY,
    ),
    "plan": Caller(
        prod.project_role_arn("plan"),
        (plan.run,),
        {
            **_LOOKS,
            "logs:CreateLogStream": (f"{AUDIT}plan/x",),
            "logs:PutLogEvents": (f"{AUDIT}plan/x",),
            "s3:GetObject": (*_STAGED, *STATE_FILES, f"{STATES}/plans/x.json", "arn:aws:s3:::pages-prod/index.html"),
            "s3:PutObject": (f"{STATES}/plans/x.json",),
        },
        {**_MANY, "logs:FilterLogEvents": "what was deployed is for who deploys", "s3:DeleteObject": _LEASE},
    ),
    "deploy": Caller(
        prod.project_role_arn("deploy"),
        (deploy.run, backend.program),
        {
            **_LOOKS,
            "cloudformation:ContinueUpdateRollback": (ROOT,),
            "cloudformation:DeleteStack": (ROOT,),
            "cloudformation:DescribeStackEvents": BOTH,
            "cloudformation:DescribeStackResource": BOTH,
            "cloudformation:RollbackStack": (ROOT,),
            "cloudformation:UpdateStack": (ROOT,),
            "cloudformation:UpdateTerminationProtection": (ROOT,),
            "dynamodb:DescribeTable": (prod.arn("dynamodb", "table/Todo-abc-prod"),),
            "ecr:BatchGetImage": (IMAGES,),
            "iam:GetRole": AUTH_ROLES,
            "iam:UpdateAssumeRolePolicy": AUTH_ROLES,
            "logs:CreateLogStream": (f"{AUDIT}deploy/x",),
            "logs:FilterLogEvents": (f"{AUDIT}deploy/x",),
            "logs:PutLogEvents": (f"{AUDIT}deploy/x",),
            "s3:DeleteObject": STATE_FILES,
            "s3:GetObject": (*_STAGED, *STATE_FILES, f"{STATES}/plans/x.json", "arn:aws:s3:::pages-prod/index.html"),
            # Between two updates: the templates of those between (`_index_updates`).
            "s3:PutObject": (*STATE_FILES, f"{STATES}/outputs/prod.json", f"{STAGED}/{FOLDERS['template']}/x"),
            **dict.fromkeys(("secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret"), (SECRET,)),
        },
        {
            **_MANY,
            **dict.fromkeys(("dynamodb:BatchWriteItem", "dynamodb:DescribeTimeToLive", "dynamodb:Scan"), _COPIES),
            "dynamodb:GetResourcePolicy": _COPIES,
            "ecr:GetAuthorizationToken": "a bootstrapped environment's images are pushed by PublishAssets",
        },
    ),
    "step": Caller(
        prod.project_role_arn("check"),
        (step.run,),
        {
            "cloudwatch:DescribeAlarms": ANY,
            "s3:GetObject": (f"{STATES}/outputs/prod.json", f"{STATES}/outputs/prod.client-config.json"),
            "ssm:GetParameter": (VERSION,),
        },
        {
            **_MANY,
            "cloudformation:DescribeStacks": "a step has what the deployment left in the state bucket",
            "cloudformation:ListStackResources": "the same",
        },
    ),
    "update": Caller(
        pipeline.role_arn("update"),
        (update_pipeline.run, pipeline_stack.program),
        {
            "codebuild:BatchGetBuilds": (pipeline.project_arn("update"),),
            "codepipeline:GetPipeline": (pipeline.pipeline_arn,),
            "codepipeline:ListPipelineExecutions": (pipeline.pipeline_arn,),
            "codepipeline:StartPipelineExecution": (pipeline.pipeline_arn,),
            **dict.fromkeys(
                ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
                tuple(f"{TOOLS}/{key}" for key in (".pulumi/stacks/x.json", f"leases/{APP}/{pipeline.name}.json")),
            ),
            "s3:ListBucket": (TOOLS,),
        },
        {
            **_MANY,
            "codepipeline:GetPipelineExecution": "of a pipeline that follows another one: HandedOn",
            "ssm:GetParameter": "a pipeline's account has no bootstrap version",
        },
    ),
    "build": Caller(pipeline.role_arn("build"), (build.run,), {}, {}),
    **{
        f"CI, {what}": Caller(
            prod.ci_role_arn(what),
            (start.run,),
            {
                "codebuild:BatchGetBuilds": tuple(prod.project_arn(project) for project in projects),
                "codebuild:StartBuild": tuple(prod.project_arn(project) for project in projects),
                **({"s3:PutObject": (f"{STAGED}/ci/x.zip",)} if what == "plan" else {}),
            },
            {
                **_MANY,
                "ssm:GetParameter": "asked by the builds",
                "sts:AssumeRoleWithWebIdentity": "asked with a token, by nobody yet",
                **({} if what == "plan" else {"s3:PutObject": "what is deployed was put there to be planned"}),
            },
        )
        for what, projects in (("plan", ("publish", "plan", "check")), ("deploy", ("deploy", "check")))
    },
}
"""Each role that runs our commands. Of who comes with her own rights (a developer, an administrator) docs/rights.md
has the policies (`unit.stacks.registered.test_people`)."""


@cache
def world() -> World:
    """With images, a key of the staging area and a CI: all on that a role has rights for."""
    return world_of(access(prod, images=True, staging_key=True, staging_key_arn=staging_key(prod), ci=CI["prod"]))


def world_of(access: EnvironmentAccess) -> World:
    documents, tooling = account_documents(access), pipeline_documents(pipeline_model())
    managed = {policy.arn: policy.document for policy in (*documents.policies, *tooling.policies)}
    bounds = {policy.arn: policy.document for policy in (documents.boundary, *tooling.boundaries)}

    def role(declared: RoleDocument) -> Role:
        policies = (*declared.policies.values(), *(managed[arn] for arn in declared.managed_policies))
        return Role(declared.arn, declared.trust, policies, bounds.get(declared.boundary or ""))

    account = document([allow("Account", "kms:*", "*", principal=prod.root_arn)])
    return World(
        {declared.arn: role(declared) for declared in (*documents.roles, *tooling.roles)},
        dict.fromkeys((state_key(prod), staging_key(prod)), account),
    )


def may(world: World, role: str, action: str, resource: str, keys: Mapping[str, Any] | None = None) -> bool:
    context = {"aws:RequestedRegion": prod.region, **(keys or {})}
    return decide(world, Request(Principal(role), action, resource, context)).allowed


def found(begins: Iterable[Callable[..., Any]], but: Iterable[Callable[..., Any]] = ANYBODY) -> frozenset[str]:
    """The actions of what can be reached from these, but for what needs no right."""
    names = code().reachable(map(named, begins), {named(function) for function in but})
    actions = {action for operation in code().operations(names) for action in ACTIONS[operation]}
    return frozenset(actions - {"sts:GetCallerIdentity"})


def named(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


OF_SERVICES = {
    prod.execution_role_arn: "CloudFormation: its handlers' calls (`functional.enforcement.test_execution_exports`)",
    prod.action_role_arn: "CodePipeline starts builds with it (`test_documented`)",
    pipeline.role_arn(): "CodePipeline's own (`test_documented`)",
    pipeline.role_arn("source"): "CodePipeline reads the source with it (`test_documented`)",
    pipeline.role_arn("build-action"): "CodePipeline starts Build with it",
    pipeline.role_arn("update-action"): "CodePipeline starts UpdatePipeline with it",
    pipeline.role_arn("trigger"): "EventBridge starts the pipeline with it",
}
"""Roles that no code of ours runs with, and whose they are."""


def test_every_declared_role_is_somebodys() -> None:
    """One more role is one of these, or its calls are read from the code."""
    others = {arn for arn in world().roles if arn not in OF_SERVICES}
    assert others == {caller.arn for caller in CALLERS.values()}
    assert OF_SERVICES.keys() <= world().roles.keys()


@each((name, caller) for name, caller in CALLERS.items())
def test_every_call_is_named(name: str, caller: Caller) -> None:
    assert found(caller.begins) == caller.named.keys() | caller.left.keys()
    assert not caller.named.keys() & caller.left.keys()


@each(
    (name, action, resource)
    for name, caller in CALLERS.items()
    for action, resources in caller.named.items()
    for resource in resources
)
def test_every_call_is_allowed_on_what_it_names(name: str, action: str, resource: str) -> None:
    assert may(world(), CALLERS[name].arn, action, resource)


@each(
    (name, key, action)
    for name, key, actions in (
        ("publish", staging_key(prod), ("kms:Decrypt", "kms:GenerateDataKey")),
        ("plan", staging_key(prod), ("kms:Decrypt",)),
        ("plan", state_key(prod), ("kms:Decrypt", "kms:GenerateDataKey")),
        ("deploy", staging_key(prod), ("kms:Decrypt", "kms:GenerateDataKey")),
        ("deploy", state_key(prod), ("kms:Decrypt", "kms:GenerateDataKey")),
        ("step", state_key(prod), ("kms:Decrypt",)),
        ("CI, plan", staging_key(prod), ("kms:GenerateDataKey",)),
    )
    for action in actions
)
def test_what_s3_asks_of_a_key_for_the_caller(name: str, key: str, action: str) -> None:
    assert may(world(), CALLERS[name].arn, action, key, THROUGH_S3)


ASKED_OF = {
    "aws-native:apigatewayv2:Api": f"arn:aws:apigateway:{prod.region}::/apis",
    "aws-native:apigatewayv2:Integration": f"arn:aws:apigateway:{prod.region}::/apis/a1b2/integrations",
    "aws-native:apigatewayv2:Route": f"arn:aws:apigateway:{prod.region}::/apis/a1b2/routes",
    "aws-native:apigatewayv2:Stage": f"arn:aws:apigateway:{prod.region}::/apis/a1b2/stages",
    "aws-native:codepipeline:Pipeline": prod.arn("codepipeline", f"{prod.prefix}-x"),
    "aws-native:iam:Role": prod.iam_arn("role", "/", f"{prod.prefix}-x"),
    "aws-native:lambda:Function": prod.arn("lambda", f"function:{prod.prefix}-x"),
    "aws-native:lambda:Permission": prod.arn("lambda", f"function:{prod.prefix}-x"),
    "aws-native:logs:LogGroup": "*",
    "aws:codebuild/project:Project": prod.arn("codebuild", f"project/{prod.prefix}-x"),
    "aws:ecr/repository:Repository": prod.arn("ecr", f"repository/{prod.prefix}-x"),
    "aws:iam/policy:Policy": "*",
    "aws:iam/role:Role": prod.iam_arn("role", "/", f"{prod.prefix}-x"),
    "aws:kms/alias:Alias": "*",
    "aws:kms/key:Key": "*",
    "aws:s3/bucket:Bucket": f"arn:aws:s3:::{prod.prefix}-app-x",
    "aws:secretsmanager/secret:Secret": prod.arn("secretsmanager", f"secret:{prod.prefix}-x-AbCdEf"),
    "aws:ssm/parameter:Parameter": prod.arn("ssm", f"parameter/{prod.prefix}-x"),
}
"""What is looked for after a run that was killed, of a program's own resources, by the name that it has to have."""
DENIED_IS_AN_ANSWER = {
    "kms:DescribeKey",
    "s3:ListAllMyBuckets",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
}
"""Where these may not be made, less is known."""
NOT_BY_A_PROGRAM = {
    "aws:cloudformation/stack:Stack": "the root stack: above",
    "aws:codestarnotifications/notificationRule:NotificationRule": "a pipeline's; no type of CloudFormation's table",
}


@each((type_,) for type_ in sorted(existing.ASKERS.keys() - NOT_BY_A_PROGRAM.keys()))
def test_what_a_killed_run_has_left_is_asked_with_the_rights_of_who_comes_next(type_: str) -> None:
    """Plan comes first: were it denied, no release would get past it."""
    of_program = frozenset({str(cloudformation_type(type_))})
    there = world_of(access(prod, program_types=of_program))
    for what in ("plan", "deploy"):
        for action in sorted(asked_by(type_) - DENIED_IS_AN_ANSWER):
            assert may(there, prod.project_role_arn(what), action, ASKED_OF[type_]), f"{what}: {action}"


def asked_by(type_: str) -> frozenset[str]:
    """The actions that the asker of a type needs."""
    asker = classic.ASKERS.get(type_, existing.ASKERS[type_])
    if "<locals>" in asker.__qualname__:  # a part of an API
        return frozenset({"apigateway:GET"})
    actions = found([asker], [Account])
    services = {action.partition(":")[0] for action in actions}
    service = ASKED_OF[type_].split(":")[2] if ASKED_OF[type_] != "*" else ""
    return frozenset(a for a in actions if service not in services or a.startswith(f"{service}:"))


def test_no_operation_is_unknown() -> None:
    """What our code calls is in the table: a new one has to be given its action, and a role."""
    session = get_session()
    of_aws = {xform_name(o) for name in SERVICES for o in session.get_service_model(name).operation_names}
    assert code().words() & of_aws - ACTIONS.keys() - NO_OPERATIONS.keys() == set()
    assert ACTIONS.keys() - code().operations(code().every()) == set(), "nobody calls these any more"

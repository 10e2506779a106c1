"""Who previews, refreshes, makes or changes a resource has the rights for what the providers call for it.

The calls are facts (`packages/amplify-delivery/src/amplify_delivery/components/documents/rights/provider_calls.json`,
and CloudFormation's handlers for `aws-native`); the resources are what the programs really declare, and so are the
roles, with their boundaries and the keys' policies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import CodeCommitSource
from amplify_delivery.components.documents.rights import provider_calls
from amplify_delivery.components.documents.rights.boundary import ROLE_MAKING
from amplify_delivery.components.documents.rights.handler_table import table
from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type
from amplify_delivery.components.documents.rights.types import program_actions
from amplify_delivery.components.documents.rights.unscoped import NOT_GRANTED, UNSCOPED_READS, UNSCOPED_WRITES
from amplify_delivery.delivery.engine.killed import classic, existing
from amplify_delivery.delivery.pipeline.own_rights import not_its_own
from amplify_delivery.delivery.planning import ProgramStep
from aws_rehearsal.policy import Principal, Request, Role, World, decide
from unit.components.recorder import Registered
from unit.stacks.projects import APP, HOME, TOOLING
from unit.stacks.registered.test_every_declared_document import recordings

PIPELINES = ("connection", "codecommit", "s3", "github-token")
KEY, ROLE, POLICY = "aws:kms/key:Key", "aws-native:iam:Role", "aws:iam/policy:Policy"
CLASSIC_ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
CHANGES = ("create", "update", "delete")

NEW_REGION = frozenset(
    {
        "aws:kms/alias:Alias",
        KEY,
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
    }
)
"""What a push may make: the artifact store of a region that the pipeline did not deploy to before."""
TOLD = frozenset(
    {
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:codestarnotifications/notificationRule:NotificationRule",
        "aws:sns/topic:Topic",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
    }
)
"""What a push may make and delete: who is told, and when the pipeline starts."""
PUSHED = (NEW_REGION - {"aws:kms/alias:Alias"}) | TOLD | {"aws:codebuild/project:Project"}
"""What a push may change in place, tags included. Of boundaries and roles: the tags, and the list of action roles."""
IAM_TAGS = frozenset(f"iam:{verb}{kind}" for verb in ("Tag", "Untag") for kind in ("Role", "Policy"))
BOUNDARY_STAYS = frozenset({"iam:DeleteRolePermissionsBoundary"})
"""Denied on purpose: the handler of a role would call it if the program took the boundary away."""
NATIVE_CHANGES: Mapping[str, frozenset[str]] = {
    "AWS::CodePipeline::Pipeline": frozenset(
        f"codepipeline:{verb}"
        for verb in ("GetPipeline", "GetPipelineState", "StartPipelineExecution", "UpdatePipeline")
    ),
    "AWS::Logs::LogGroup": frozenset(
        f"logs:{verb}" for verb in ("DescribeLogGroups", "PutRetentionPolicy", "TagResource", "UntagResource")
    ),
}
"""Of the update handlers' calls those that a push can bring about."""
UNSCOPED = (UNSCOPED_READS | set(UNSCOPED_WRITES)) - {"sns:GetSubscriptionAttributes", "sns:Unsubscribe"}
"""What IAM is asked about without a resource. The reference counts reading and ending a subscription among it, but
SNS's own refusals name the topic ("not authorized to perform: SNS:Unsubscribe on resource: arn:aws:sns:...")."""
CLOUD_CONTROL = {
    "create": ("CreateResource", "GetResourceRequestStatus"),
    "read": ("GetResource",),
    "update": ("GetResource", "GetResourceRequestStatus", "UpdateResource"),
    "delete": ("DeleteResource", "GetResourceRequestStatus"),
}
"""What `aws-native` itself calls."""


@dataclass(frozen=True)
class Asked:
    """One call for one declared resource, as IAM is asked about it."""

    what: str
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Declared:
    """A declared resource, and where it lies."""

    resource: Registered
    account: str
    region: str

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.resource.inputs

    @property
    def type(self) -> str:
        return self.resource.type

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"

    def asked(self, operation: str, actions: Iterable[str]) -> Iterator[Asked]:
        for action in sorted(actions):
            context = {"aws:RequestedRegion": self.region, **self._context(operation, action)}
            for resource in ["*"] if action in UNSCOPED else self._arns(action):
                yield Asked(f"{operation} {self.resource.name} {self.type}", action, resource, context)

    def _arns(self, action: str) -> list[str]:
        given = {key: str(value) for key, value in self.inputs.items() if isinstance(value, str)}
        name = given.get("name", "")
        service, module = action.partition(":")[0], self.type.split(":")[1].partition("/")[0]
        if service == "s3":
            bucket = f"arn:aws:s3:::{given['bucket']}"
            return [f"{bucket}/{given['key']}"] if "Object" in self.type and "Bucket" not in action else [bucket]
        if service == "iam":
            if self.type in {ROLE_POLICY, ATTACHMENT}:
                return [f"arn:aws:iam::{self.account}:role/amplify-delivery/{APP}/pipeline/pipeline/{given['role']}"]
            kind, called = ("policy", name) if self.type == POLICY else ("role", given.get("roleName", name))
            return [f"arn:aws:iam::{self.account}:{kind}{given.get('path', '/')}{called}"]
        if service == "kms":
            key = self.arn("kms", f"key/{self.resource.name}")
            return [self.arn("kms", name), key] if module == "kms" and name else [key]
        if service == "logs":
            # "Amazon Resource Names" in the CloudWatch Logs user guide: with `:*` for some actions, without for others.
            group = self.arn("logs", f"log-group:{given['logGroupName']}")
            return [group, f"{group}:*"]
        if service == "apigateway":
            return [f"arn:aws:apigateway:{self.region}::/apis/a1b2c3"]
        return [self.arn(service, rest) for rest in self._rest(service, given, name)]

    def _rest(self, service: str, given: Mapping[str, str], name: str) -> list[str]:
        return {
            "cloudformation": [f"stack/{name}/1"],
            "codebuild": [f"project/{name}"],
            "codepipeline": [f"webhook:{name}" if self.type.endswith("Webhook") else name],
            "codestar-notifications": ["notificationrule/1"],
            "ecr": [f"repository/{given.get('repository', name)}"],
            "events": [f"rule/{given.get('rule', name)}"],
            "lambda": [f"function:{APP}-preprod-hello"],
            "secretsmanager": [f"secret:{name}-AbCdEf"],
            "sns": [name or topic_name()],
            "ssm": [f"parameter{name}"],
        }[service]

    def _context(self, operation: str, action: str) -> dict[str, Any]:
        own = {"amplify-delivery:app": APP, "amplify-delivery:pipeline": f"{APP}/pipeline"}
        has = {f"aws:ResourceTag/{key}": value for key, value in own.items()}
        if operation == "create" and action in {"kms:CreateKey", "kms:TagResource"}:
            return {**{f"aws:RequestTag/{key}": value for key, value in own.items()}, "aws:TagKeys": tuple(own)}
        if action in {"kms:TagResource", "kms:UntagResource"}:
            return {**has, "kms:ResourceAliases": (f"alias/{APP}-pipeline-artifacts",), "aws:TagKeys": ("team",)}
        if action.startswith("kms:"):
            return has  # no alias: it comes after a new key, and is seen late
        if action.startswith("codestar-notifications:"):
            return {**has, "codestar-notifications:NotificationsForResource": pipeline_arn()}
        if action == "sns:Subscribe":
            return {"sns:Protocol": self.inputs["protocol"]}
        if action in IAM_TAGS:
            return {"aws:TagKeys": ("team",)}
        if action in {"cloudformation:CreateStack", "cloudformation:UpdateStack"}:
            return {"cloudformation:RoleArn": self.inputs["iamRoleArn"]}
        if action in _BOUNDED:
            return {"iam:PermissionsBoundary": self.inputs.get("permissionsBoundary", "")}
        return {}


_BOUNDED = frozenset(ROLE_MAKING) | {"iam:UpdateAssumeRolePolicy"}
"""Actions on a role that tell IAM its boundary."""


def pipeline_arn() -> str:
    (pipeline,) = recordings()["pipeline from connection"][0].all("aws-native:codepipeline:Pipeline")
    return f"arn:aws:codepipeline:{HOME}:{TOOLING}:{pipeline.inputs['name']}"


def topic_name() -> str:
    (topic,) = recordings()["pipeline from connection"][0].all("aws:sns/topic:Topic")
    return str(topic.inputs["name"])


def declared(program: str) -> list[Declared]:
    """The resources of a program that a provider makes; the stores of further regions lie there."""
    recording, account = recordings()[program]
    found = []
    for resource in recording.resources:
        if resource.type.startswith(("aws:", "aws-native:")):
            region = next((r for r in ("eu-west-1",) if resource.name.endswith(r)), HOME)
            found.append(Declared(resource, account, region))
    return found


def reads(resource: Declared) -> Iterator[Asked]:
    if resource.type.startswith("aws-native:"):
        yield from resource.asked("read", _handler(resource.type, "read") | _control("read"))
    else:
        yield from resource.asked("read", provider_calls.actions(provider_calls.calls(resource.type, "read")))


def _handler(token: str, kind: str) -> frozenset[str]:
    if token.endswith(":Webhook"):
        return frozenset({"codepipeline:ListWebhooks"})
    name = cloudformation_type(token)
    assert name, token
    # What a handler calls in other services is for options that the programs do not use: a VPC, a key, a delivery.
    service = {"ApiGatewayV2": "apigateway"}.get(name.split("::")[1], name.split("::")[1].lower())
    return (
        frozenset(action for action in table()[name][kind] if action.startswith(f"{service}:"))
        - BOUNDARY_STAYS
        - NOT_GRANTED.keys()
    )


def _control(operation: str) -> frozenset[str]:
    return frozenset(f"cloudformation:{verb}" for verb in CLOUD_CONTROL[operation])


def changes(resource: Declared, operations: Iterable[str]) -> Iterator[Asked]:
    for operation in operations:
        if resource.type.startswith("aws-native:"):
            yield from resource.asked(operation, _handler(resource.type, "change") | _control(operation))
        else:
            yield from resource.asked(operation, provider_calls.actions(provider_calls.calls(resource.type, operation)))


def pushed(resource: Declared) -> Iterator[Asked]:
    """What UpdatePipeline may have to make or change for a push."""
    name = cloudformation_type(resource.type)
    if resource.type.startswith("aws-native:"):
        actions = NATIVE_CHANGES.get(str(name), frozenset())
        if actions:
            yield from resource.asked("update", actions | _control("update"))
        return
    for operation, kinds in (("create", NEW_REGION | TOLD), ("update", PUSHED), ("delete", TOLD)):
        if resource.type in kinds:
            yield from resource.asked(operation, provider_calls.actions(provider_calls.calls(resource.type, operation)))
    if resource.type in {CLASSIC_ROLE, POLICY}:
        calls = provider_calls.calls(resource.type, "update")
        yield from resource.asked("update", (calls & IAM_TAGS) | provider_calls.calls(resource.type, "read"))
    if resource.type == ROLE_POLICY and resource.inputs["role"] == f"{APP}-pipeline":
        yield from resource.asked("update", provider_calls.calls(resource.type, "update"))
    tagging = {KEY: "kms:TagResource", "aws:sns/topic:Topic": "sns:TagResource"}
    if resource.type in tagging:
        yield from resource.asked("create", [tagging[resource.type]])  # of the new one, with its tags


@cache
def world(*programs: str) -> World:
    """The roles that these programs declare, with all their policies, and the policies of their keys."""
    roles, resource_policies = {}, {}
    for program in programs:
        recording, account = recordings()[program]
        managed = {
            f"arn:aws:iam::{account}:policy{p.inputs['path']}{p.inputs['name']}": json.loads(p.inputs["policy"])
            for p in recording.all(POLICY)
        }
        for role in recording.all(ROLE):
            given = role.inputs
            arn = f"arn:aws:iam::{account}:role{given.get('path', '/')}{given['roleName']}"
            policies = [policy["policyDocument"] for policy in given.get("policies", ())]
            policies += [managed[policy] for policy in given.get("managedPolicyArns", ()) if policy in managed]
            boundary = managed.get(given.get("permissionsBoundary", ""))
            roles[arn] = Role(arn, given["assumeRolePolicyDocument"], tuple(policies), boundary)
        for role in recording.all(CLASSIC_ROLE):
            arn = f"arn:aws:iam::{account}:role{role.inputs['path']}{role.inputs['name']}"
            own = [p for p in recording.all(ROLE_POLICY) if p.inputs["role"] == role.inputs["name"]]
            attached = [a for a in recording.all(ATTACHMENT) if a.inputs["role"] == role.inputs["name"]]
            policies = [json.loads(policy.inputs["policy"]) for policy in own]
            policies += [managed[each.inputs["policyArn"]] for each in attached]
            boundary = managed.get(role.inputs.get("permissionsBoundary", ""))
            roles[arn] = Role(arn, json.loads(role.inputs["assumeRolePolicy"]), tuple(policies), boundary)
        for resource in declared(program):
            if resource.type == KEY:
                key = resource.arn("kms", f"key/{resource.resource.name}")
                resource_policies[key] = json.loads(resource.inputs["policy"])
    return World(roles, resource_policies)


def refused(where: World, role: str, asked: Iterable[Asked]) -> list[str]:
    """What IAM would refuse, a line for each."""
    (arn,) = [arn for arn in where.roles if arn.endswith(f"/{role}")]
    found = []
    count = 0
    for each in asked:
        count += 1
        if not decide(where, Request(Principal(arn), each.action, each.resource, dict(each.context))).allowed:
            found.append(f"{each.what}: {each.action} on {each.resource}")
    assert count, "nothing was asked"
    return sorted(set(found))


@pytest.mark.parametrize("source", PIPELINES)
def test_update_pipeline_refreshes_all_that_its_program_declares(source: str) -> None:
    program = f"pipeline from {source}"
    asked = [a for resource in declared(program) for a in reads(resource)]
    assert refused(world(program), f"{APP}-pipeline-update", asked) == []


@pytest.mark.parametrize("source", PIPELINES)
def test_update_pipeline_makes_and_changes_what_a_push_can_bring(source: str) -> None:
    program = f"pipeline from {source}"
    asked = [a for resource in declared(program) for a in pushed(resource)]
    assert refused(world(program), f"{APP}-pipeline-update", asked) == []


def retagged(resource: Declared) -> Iterator[Asked]:
    """What another tag of the pipeline's means for a resource that is there: `team` is set, or taken away."""
    if resource.type.startswith("aws-native:"):
        found = _handler(resource.type, "change") if not resource.type.endswith(":Webhook") else frozenset()
    else:
        found = provider_calls.actions(provider_calls.calls(resource.type, "update"))
    for asked in resource.asked("retag", (a for a in found if re.search(r":(Un)?[Tt]ag[A-Z]|BucketTagging$", a))):
        context = {key: value for key, value in asked.context.items() if not key.startswith("aws:RequestTag/")}
        if ":Untag" not in asked.action:
            context["aws:RequestTag/team"] = "x"
        if asked.action.startswith("kms:"):
            context["kms:ResourceAliases"] = (f"alias/{APP}-pipeline-artifacts",)
        yield replace(asked, context={**context, "aws:TagKeys": ("team",)})


@pytest.mark.parametrize("source", PIPELINES)
def test_update_pipeline_changes_the_tags_of_what_is_there(source: str) -> None:
    program = f"pipeline from {source}"
    asked = [a for resource in declared(program) for a in retagged(resource)]
    assert {"events:TagResource", "iam:UntagPolicy", "kms:TagResource"} <= {a.action for a in asked}
    assert refused(world(program), f"{APP}-pipeline-update", asked) == []


def test_plan_refreshes_the_backend_and_what_its_program_adds() -> None:
    secret, version = secrets()
    asked = [a for resource in (*declared("environment"), secret) for a in reads(resource)]
    asked += version.asked("read", provider_calls.actions(provider_calls.calls(version.type, "readWriteOnly")))
    assert refused(world("account"), f"{APP}-preprod-plan", asked) == []


def secrets() -> list[Declared]:
    """A secret parameter of the backend, which the recorded environment has none of."""
    (stack,) = [r for r in declared("environment") if r.type == "aws:cloudformation/stack:Stack"]
    named = replace(stack.resource, inputs={"name": f"{stack.inputs['name']}/auth/secret"})
    types = ("aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion")
    return [replace(stack, resource=replace(named, type=kind)) for kind in types]


def test_deploy_makes_changes_and_deletes_them() -> None:
    made = [*declared("environment"), *secrets()]
    asked = [a for resource in made for a in (*reads(resource), *changes(resource, CHANGES))]
    for operation in ("createWriteOnly", "readWriteOnly", "deleteWriteOnly"):
        asked += made[-1].asked(operation, provider_calls.actions(provider_calls.calls(made[-1].type, operation)))
    assert refused(world("account"), f"{APP}-preprod-deploy", asked) == []


LOOKS: Mapping[str, str] = {
    "aws-native:apigatewayv2:Api": "apigateway:GET",
    "aws-native:apigatewayv2:Integration": "apigateway:GET",
    "aws-native:apigatewayv2:Route": "apigateway:GET",
    "aws-native:apigatewayv2:Stage": "apigateway:GET",
    "aws-native:iam:Role": "iam:GetRole",
    "aws-native:lambda:Function": "lambda:GetFunction",
    "aws-native:lambda:Permission": "lambda:GetPolicy",
    "aws-native:logs:LogGroup": "logs:DescribeLogGroups",
    "aws:cloudformation/stack:Stack": "cloudformation:DescribeStacks",
    "aws:s3/bucket:Bucket": "s3:ListBucket",
    "aws:secretsmanager/secret:Secret": "secretsmanager:DescribeSecret",
}
"""What is called to find out whether a killed run has made a resource (`delivery.engine.existing`)."""


@pytest.mark.parametrize("role", ["plan", "deploy"])
def test_what_a_killed_run_has_made_may_be_looked_for(role: str) -> None:
    of_others = {*classic.ASKERS, "aws-native:codepipeline:Pipeline"}  # an account's and a pipeline's
    assert LOOKS.keys() == existing.ASKERS.keys() - of_others
    secret, _ = secrets()
    made = [r for r in (*declared("environment"), secret) if r.type in LOOKS]
    asked = [a for resource in made for a in resource.asked("look for", [LOOKS[resource.type]])]
    # APIs have no names by which they could be asked for: all are listed, and then the parts of one.
    gateway = f"arn:aws:apigateway:{HOME}::/apis"
    lists = [gateway, *(f"{gateway}/a1b2c3/{part}" for part in ("integrations", "routes", "stages"))]
    asked += [Asked("list", "apigateway:GET", resource) for resource in lists]
    asked.append(Asked("wait", "cloudformation:ListResourceRequests", "*", {"aws:RequestedRegion": HOME}))
    # A bootstrapped environment has its staging area from its account's stack.
    assert {r.type for r in made} == LOOKS.keys() - {"aws:s3/bucket:Bucket"}
    assert refused(world("account"), f"{APP}-preprod-{role}", asked) == []


PIPELINE_LOOKS: Mapping[str, str] = {
    "aws-native:codepipeline:Pipeline": "codepipeline:GetPipeline",
    "aws:codestarnotifications/notificationRule:NotificationRule": "codestar-notifications:DescribeNotificationRule",
    "aws:kms/key:Key": "kms:DescribeKey",
    "aws:s3/bucket:Bucket": "s3:ListBucket",
}
"""The same of what UpdatePipeline may make; it makes no role and no project."""


def test_what_a_killed_update_of_the_pipeline_has_made_may_be_looked_for() -> None:
    program = f"pipeline from {next(iter(PIPELINES))}"
    made = [r for r in declared(program) if r.type in PIPELINE_LOOKS]
    assert {r.type for r in made} == PIPELINE_LOOKS.keys()
    asked = [a for resource in made for a in resource.asked("look for", [PIPELINE_LOOKS[resource.type]])]
    lists = ("codestar-notifications:ListNotificationRules", "kms:ListAliases", "kms:ListKeys")
    asked += [Asked("list", action, "*") for action in lists]
    assert refused(world(program), f"{APP}-pipeline-update", asked) == []


def test_every_classic_type_of_a_program_has_its_calls_written_down() -> None:
    types = {r.type for recording, _ in recordings().values() for r in recording.resources}
    assert {t for t in types if t.startswith("aws:")} <= provider_calls.types()


@pytest.mark.parametrize("token", sorted(provider_calls.types()))
def test_rights_for_a_programs_type_are_those_of_the_real_calls(token: str) -> None:
    """`programTypes` says CloudFormation's name; the program may make it with either provider."""
    name = provider_calls._facts()["types"][token].get("cloudformation")
    assert name == cloudformation_type(token)
    if name is None:
        return
    for kind, operations in (("read", ("read",)), ("change", provider_calls.OPERATIONS)):
        wanted = {a for o in operations for a in provider_calls.actions(provider_calls.calls(token, o))}
        assert wanted <= program_actions([name, "AWS::KMS::Key"], kind), kind


@pytest.mark.parametrize("source", PIPELINES)
def test_what_update_pipeline_does_not_hold_back_it_has_the_rights_for(source: str) -> None:
    """`own_rights` names what is for a person before an update begins: AWS has nothing left to refuse."""
    program = f"pipeline from {source}"
    names = PipelineNames(APP, TOOLING, HOME)
    model = PipelineModel(names, CodeCommitSource(type="codecommit", repository="app"), (), ())
    judged = set()
    for resource in declared(program):
        if not resource.type.startswith("aws:"):
            continue
        for operation in CHANGES:
            calls = provider_calls.calls(resource.type, operation)
            if resource.type in {CLASSIC_ROLE, POLICY} and operation == "update":
                calls &= IAM_TAGS  # with tags alone it lets them pass
            step = ProgramStep(resource.resource.urn, resource.type, operation)
            if not calls or not_its_own([step], model):
                continue
            judged.add((resource.type, operation))
            asked = resource.asked(operation, provider_calls.actions(calls))
            assert refused(world(program), f"{APP}-pipeline-update", asked) == [], (resource.type, operation)
    assert {(KEY, "create"), (ROLE_POLICY, "update"), ("aws:sns/topic:Topic", "delete")} <= judged
    assert not {(KEY, "delete"), (CLASSIC_ROLE, "create"), (ROLE_POLICY, "delete")} & judged

"""What AWS would refuse, refused before anything is declared: every problem at once, each with a way out.

"Quotas in AWS CodePipeline", "IAM and AWS STS quotas", "Quotas for AWS CodeBuild", "Bucket policies" (20 KB), "Key
policies" (32 KB), and the lengths in CodePipeline's API reference.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from amplify_delivery.components.documents.packing import INLINE_ROOM, MANAGED_ROOM, MAX_MANAGED
from amplify_delivery.components.documents.pipeline.buildspecs import MAX_INLINE
from amplify_delivery.components.documents.pipeline.definition import MAX_ACTIONS_PER_STAGE
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.rights.prepared import MAX_PARAMETER
from amplify_delivery.components.documents.statements import PolicyDocument, ProjectDocument, RoleDocument, size
from amplify_delivery.errors import ConfigError

MAX_STAGES = 50
MAX_ACTIONS = 500
MAX_CONFIGURATION_VALUE = 1_000
MAX_RULE_VALUE = 10_000
MAX_BUCKET_POLICY = 20 * 1024
MAX_KEY_POLICY = 32 * 1024
MAX_TRUST_POLICY = 2_048

_SPLIT = (
    "move the last waves into a pipeline that follows this one: a second pipeline file with these `stages` and "
    "`source: {type: pipeline, pipeline: NAME}` (docs/many-environments.md)"
)
_ORGANIZATION = "name your organization (`organization: o-...`) in the place of its accounts"
_NAME = re.compile(r"[A-Za-z0-9.@\-_]{1,100}")


def check_model(model: PipelineModel) -> None:
    """Refuse a model whose artifact stores are not those of its actions. Raises `ConfigError`. All else about a model
    its own classes have checked."""
    _raise(_model_problems(model), f"pipeline {model.names.name}")


def check_definition(properties: Mapping[str, Any]) -> None:
    """Refuse a pipeline that is over one of CodePipeline's limits. Raises `ConfigError` with every problem."""
    _raise(_definition_problems(properties), f"pipeline {properties['Name']}")


def check_roles(roles: Iterable[RoleDocument], policies: Iterable[PolicyDocument] = ()) -> None:
    """Refuse roles and policies that are larger than IAM takes."""
    _raise((*_role_problems(roles), *_policy_problems(policies)), "roles")


def check_projects(projects: Iterable[ProjectDocument]) -> None:
    """Refuse projects whose buildspec or times CodeBuild does not take."""
    _raise(_project_problems(projects), "CodeBuild projects")


def check_parameter(name: str, value: str) -> None:
    """Refuse a value that no standard parameter of SSM holds."""
    problems = [
        f"the record of types has {len(value)} characters, but SSM takes {MAX_PARAMETER}: deploy fewer kinds of "
        "resources, or give `deployRights` in fewer services"
    ]
    _raise(problems if len(value) > MAX_PARAMETER else [], name)


def check_resource_policies(bucket: Mapping[str, Any], key: Mapping[str, Any], region: str) -> None:
    """Refuse the policies of an artifact bucket and key that are larger than S3 and KMS take."""
    problems = [
        f"the {what} is {size(policy)} bytes, over {limit}: {_ORGANIZATION}, or {_SPLIT}"
        for what, policy, limit in (
            ("artifact bucket's policy", bucket, MAX_BUCKET_POLICY),
            ("artifact key's policy", key, MAX_KEY_POLICY),
        )
        if size(policy) > limit
    ]
    _raise(problems, f"artifacts in {region}")


def _raise(problems: Iterable[str], where: str) -> None:
    found = list(problems)
    if found:
        raise ConfigError("; ".join(found), where=where, remedy="nothing was changed")


def _model_problems(model: PipelineModel) -> Iterator[str]:
    wanted, given = set(model.regions), {store.region for store in model.stores}
    if wanted != given:
        yield f"there are artifact stores for {', '.join(sorted(given))}, but actions in {', '.join(sorted(wanted))}"


def _definition_problems(properties: Mapping[str, Any]) -> Iterator[str]:
    stages = properties["Stages"]
    if len(stages) > MAX_STAGES:
        yield f"{len(stages)} stages, but CodePipeline takes {MAX_STAGES}: put environments into waves, or {_SPLIT}"
    total = sum(len(stage["Actions"]) for stage in stages)
    if total > MAX_ACTIONS:
        yield f"{total} actions, but CodePipeline takes {MAX_ACTIONS}: {_SPLIT}"
    for name, times in Counter(stage["Name"] for stage in stages).items():
        if times > 1:
            yield f"{times} stages are named {name}"
    for stage in stages:
        actions = stage["Actions"]
        if len(actions) > MAX_ACTIONS_PER_STAGE:
            yield (
                f"stage {stage['Name']} has {len(actions)} actions, but CodePipeline takes {MAX_ACTIONS_PER_STAGE}: "
                "split its wave into two stages"
            )
        for name, times in Counter(action["Name"] for action in actions).items():
            if times > 1:
                yield f"stage {stage['Name']} has {times} actions named {name}"
        for name in (stage["Name"], *(action["Name"] for action in actions)):
            if not _NAME.fullmatch(name):
                yield f"{name!r} is not a valid name for CodePipeline: up to 100 letters, digits and . @ - _"
        yield from _value_problems(stage)


def _value_problems(stage: Mapping[str, Any]) -> Iterator[str]:
    for action in stage["Actions"]:
        for key, value in action.get("Configuration", {}).items():
            if len(str(value)) > MAX_CONFIGURATION_VALUE:
                where = f"{stage['Name']}, {action['Name']}, {key}"
                # What an approver reads names every environment of the wave.
                remedy = ": split its wave, or shorten the comment" if key == "CustomData" else ""
                yield f"{where}: {len(str(value))} characters, but CodePipeline takes {MAX_CONFIGURATION_VALUE}{remedy}"
    for condition in stage.get("BeforeEntry", {}).get("Conditions", []):
        for rule in condition["Rules"]:
            for key, value in rule["Configuration"].items():
                if len(value) > MAX_RULE_VALUE:
                    yield f"{stage['Name']}, {rule['Name']}, {key}: over {MAX_RULE_VALUE} characters: split its wave"


def _role_problems(roles: Iterable[RoleDocument]) -> Iterator[str]:
    for role in roles:
        inline = sum(size(policy) for policy in role.policies.values())
        if inline > INLINE_ROOM:
            yield f"the policies of role {role.name} have {inline} characters, but IAM takes {INLINE_ROOM}: {_SPLIT}"
        if size(role.trust) > MAX_TRUST_POLICY:
            yield f"the trust policy of role {role.name} has {size(role.trust)} characters, over {MAX_TRUST_POLICY}"
        if len(role.managed_policies) > MAX_MANAGED:
            yield (
                f"role {role.name} needs {len(role.managed_policies)} managed policies, but IAM takes {MAX_MANAGED}: "
                "deploy fewer kinds of resources with it, or have the quota raised to 20"
            )


def _policy_problems(policies: Iterable[PolicyDocument]) -> Iterator[str]:
    for policy in policies:
        if size(policy.document) > MANAGED_ROOM:
            yield f"policy {policy.name} has {size(policy.document)} characters, but IAM takes {MANAGED_ROOM}"


def _project_problems(projects: Iterable[ProjectDocument]) -> Iterator[str]:
    for project in projects:
        if len(project.buildspec) > MAX_INLINE:
            yield (
                f"the buildspec of {project.name} has {len(project.buildspec)} characters, but CodeBuild takes "
                f"{MAX_INLINE}: put the commands into a script"
            )
        if not 5 <= project.timeout_minutes <= 2_160:
            yield f"{project.name} must time out after 5 minutes to 36 hours, not {project.timeout_minutes} minutes"
        json.loads(project.buildspec)

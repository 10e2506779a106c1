"""Asks AWS for what an account's or a pipeline's program makes with the classic provider, by its name.

Its ids are those that the provider sets (terraform-provider-aws: name of a role, ARN of a policy or project).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.engine.killed.native import Asker, absent, one
from amplify_delivery.delivery.engine.killed.pending import Answer, Foreign, Gone, Operation, There, same
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing


def _role(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name, found = str(operation.inputs.get("name")), dict[str, Any]()
    if absent(lambda: found.update(account.client("iam").get_role(RoleName=name)["Role"]), "NoSuchEntity"):
        return Gone()
    return _ours(operation, found, There(name, made=found.get("CreateDate")))


def _policy(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    """Listed, since its ARN needs the partition: those of its path."""
    name, path = operation.inputs.get("name"), str(operation.inputs.get("path") or "/")
    pages = account.client("iam").get_paginator("list_policies").paginate(Scope="Local", PathPrefix=path)
    found = [p for page in pages for p in page["Policies"] if p["PolicyName"] == name and p["Path"] == path]
    return There(found[0]["Arn"], {"arn": found[0]["Arn"]}, found[0].get("CreateDate")) if found else Gone()


def _project(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    names = [str(operation.inputs.get("name"))]
    found = account.client("codebuild").batch_get_projects(names=names)["projects"]
    if not found:
        return Gone()
    arn = str(found[0]["arn"])
    return _ours(operation, found[0], There(arn, {"arn": arn}, found[0].get("created")))


def _alias(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name = str(operation.inputs.get("name"))
    pages = account.client("kms").get_paginator("list_aliases").paginate()
    found = [a for page in pages for a in page["Aliases"] if a["AliasName"] == name]
    if not found:
        return Gone()
    target = str(operation.inputs.get("targetKeyId") or "").rpartition("/")[2]
    if target and found[0].get("TargetKeyId") != target:
        return Foreign(f"the alias {name} that is there is another key's")
    return There(name, made=found[0].get("CreationDate"))


def _key(account: Account, operation: Operation, known: frozenset[str]) -> Answer:
    """Keys have no names: ours is the one with the description that it was to have, which nobody deletes and which the
    state does not hold. Of a key that may not be looked at is none known, and it is none of ours."""
    kms, wanted = account.client("kms"), operation.inputs.get("description")
    found = []
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            with suppressing(*ACCESS_DENIED):
                told = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
                if wanted and told.get("Description") == wanted and told.get("KeyState") == "Enabled":
                    found.append(told)
    answer = one([str(told["KeyId"]) for told in found], known)
    if not isinstance(answer, There):
        return answer
    own = next(told for told in found if told["KeyId"] == answer.id)
    return There(answer.id, {"arn": own["Arn"], "keyId": answer.id}, own.get("CreationDate"))


def _parameter(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name, found = str(operation.inputs.get("name")), dict[str, Any]()
    ssm = account.client("ssm")
    if absent(lambda: found.update(ssm.get_parameter(Name=name)["Parameter"]), "ParameterNotFound"):
        return Gone()
    sent = {"Type": operation.inputs.get("type"), "Value": operation.inputs.get("insecureValue")}
    if not same({key: value for key, value in sent.items() if value is not None}, found):
        return Foreign(f"the parameter {name} that is there has another value: not its own")
    # What nobody has changed since was made then.
    return There(name, {"arn": str(found.get("ARN") or "")}, found.get("LastModifiedDate"))


def _repository(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    """The names of our own hold app and environment."""
    name, found = str(operation.inputs.get("name")), dict[str, Any]()
    ecr = account.client("ecr")

    def look() -> None:
        found.update(ecr.describe_repositories(repositoryNames=[name])["repositories"][0])

    if absent(look, "RepositoryNotFoundException"):
        return Gone()
    outputs = {"arn": "repositoryArn", "registryId": "registryId", "repositoryUrl": "repositoryUri"}
    return There(name, {output: found.get(told) for output, told in outputs.items()}, found.get("createdAt"))


def _notification_rule(account: Account, operation: Operation, known: frozenset[str]) -> Answer:
    """Listed by what it is about; a rule's name is told of each one only."""
    client, inputs = account.client("codestar-notifications"), operation.inputs
    about = [{"Name": "RESOURCE", "Value": str(inputs.get("resource"))}]
    pages = client.get_paginator("list_notification_rules").paginate(Filters=about)
    arns = [rule["Arn"] for page in pages for rule in page["NotificationRules"]]
    named = [arn for arn in arns if client.describe_notification_rule(Arn=arn).get("Name") == inputs.get("name")]
    answer = one(named, known)
    return There(answer.id, {"arn": answer.id}) if isinstance(answer, There) else answer


def _ours(operation: Operation, found: Mapping[str, Any], there: There) -> Answer:
    """By the description, which says what it is for."""
    told = found.get("Description") or found.get("description")
    if same(operation.inputs.get("description") or None, told or None):
        return there
    return Foreign(f"what is there under the name of {operation.what} has another description: not its own")


ASKERS: Mapping[str, Asker] = {
    "aws:codebuild/project:Project": _project,
    "aws:codestarnotifications/notificationRule:NotificationRule": _notification_rule,
    "aws:ecr/repository:Repository": _repository,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:ssm/parameter:Parameter": _parameter,
}
"""By Pulumi type."""

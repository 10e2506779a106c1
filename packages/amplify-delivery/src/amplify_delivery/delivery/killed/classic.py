"""Asks AWS for what an account's or a pipeline's program makes with the classic provider, by its name.

Its ids are those that the provider sets (terraform-provider-aws: name of a role, ARN of a policy or project).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.killed.native import Asker, absent
from amplify_delivery.delivery.killed.pending import Answer, Foreign, Gone, Operation, There, same


def _role(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name, found = str(operation.inputs.get("name")), dict[str, Any]()
    if absent(lambda: found.update(account.client("iam").get_role(RoleName=name)["Role"]), "NoSuchEntity"):
        return Gone()
    return _ours(operation, found, There(name))


def _policy(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    """Listed, since its ARN needs the partition: those of its path."""
    name, path = operation.inputs.get("name"), str(operation.inputs.get("path") or "/")
    pages = account.client("iam").get_paginator("list_policies").paginate(Scope="Local", PathPrefix=path)
    arns = [p["Arn"] for page in pages for p in page["Policies"] if p["PolicyName"] == name and p["Path"] == path]
    return There(arns[0], {"arn": arns[0]}) if arns else Gone()


def _project(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    names = [str(operation.inputs.get("name"))]
    found = account.client("codebuild").batch_get_projects(names=names)["projects"]
    return _ours(operation, found[0], There(found[0]["arn"], {"arn": found[0]["arn"]})) if found else Gone()


def _alias(account: Account, operation: Operation, _: frozenset[str]) -> Answer:
    name = str(operation.inputs.get("name"))
    pages = account.client("kms").get_paginator("list_aliases").paginate()
    found = [a for page in pages for a in page["Aliases"] if a["AliasName"] == name]
    if not found:
        return Gone()
    target = str(operation.inputs.get("targetKeyId")).rpartition("/")[2]
    if found[0].get("TargetKeyId") != target:
        return Foreign(f"the alias {name} that is there is another key's")
    return There(name)


def _ours(operation: Operation, found: Mapping[str, Any], there: There) -> Answer:
    """By the description, which says what it is for."""
    told = found.get("Description") or found.get("description")
    if same(operation.inputs.get("description") or None, told or None):
        return there
    return Foreign(f"what is there under the name of {operation.what} has another description: not its own")


ASKERS: Mapping[str, Asker] = {
    "aws:codebuild/project:Project": _project,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:kms/alias:Alias": _alias,
}
"""By Pulumi type."""

"""The roles of real exports against the declared documents: the account lets CloudFormation make each of them with the
environment's boundary, and not otherwise; and within that boundary each keeps the rights that the export gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.rights.types import execution_statements
from amplify_delivery.components.documents.statements import allow, document, role_trust
from amplify_delivery.export import EnvironmentValues, render_root
from amplify_delivery.stacks.access import resource_types
from aws_rehearsal.policy import Principal, Request, Role, World, decide
from aws_rehearsal.policy.evaluator import statements_of, verdict_of
from unit.export.assembling.reference_resolver import Deployed
from unit.export.assembling.same_resources import BUCKET, CREDENTIALS, DELIVERABLE, EXPIRES, as_assembled
from unit.export.conftest import kept_assembly, large_export  # noqa: F401 - a fixture
from unit.export.mutations import EXPORTS, apply, copy_export

ACCOUNT, REGION = "333333333333", "eu-west-1"
PLACEHOLDER = re.compile(r"<(root/[\w/]+)(\.Arn)?>")
"""How the tests' resolver shows what only exists once deployed."""


@dataclass(frozen=True)
class Backend:
    """An export as it would be deployed to a bootstrapped environment."""

    access: EnvironmentAccess
    documents: AccountDocuments
    deployed: Deployed

    @property
    def roles(self) -> dict[str, str]:
        """The ARN of each role, by its path."""
        paths = [path for path, (kind, _) in self.deployed.resources.items() if kind == "AWS::IAM::Role"]
        return {path: self.access.names.iam_arn("role", "/", self.name(path)) for path in paths}

    def name(self, path: str) -> str:
        """A role's name: the template's, or what CloudFormation makes up (STACK-LOGICALID-RANDOM, 64 characters)."""
        given = self.deployed.resources[path][1].get("RoleName")
        if given is None:
            return f"{self.access.stack_name[:24]}-{path.rpartition('/')[2][:26]}-1A2B3C4D5E6F"
        given = given.replace("<root/AuthRole>", self.name("root/AuthRole")) if "/AuthRole>" in given else given
        given = re.sub(r"<root/\w+/UserPool>", f"{REGION}_aB3dE6gH9", given)
        return re.sub("<[^>]*>", "abcdefghijklmnopqrstuvwxyz", given)

    def known(self, value: Any) -> Any:
        """The value with ARNs and names of the roles in place of their placeholders."""
        roles = self.roles

        def shown(found: re.Match[str]) -> str:
            arn = roles.get(found[1])
            return found[0] if arn is None else arn if found[2] else arn.rpartition("/")[2]

        text = PLACEHOLDER.sub(shown, json.dumps(value))
        # A nested stack's own ARN.
        mine = f"{self.access.names.arn('cloudformation', f'stack/{self.access.stack_name}')}-"
        return json.loads(re.sub(r"arn:aws:cloudformation:[\w-]+:\d+:stack/root/", mine, text))

    def statements(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every statement that a policy of the export gives to its roles, with the policy's path."""
        for path, (kind, properties) in self.deployed.resources.items():
            inline = properties.get("Policies", []) if kind == "AWS::IAM::Role" else []
            own = [properties] if kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy") else []
            for policy in (*inline, *own):
                for statement in listed(policy["PolicyDocument"]["Statement"]):
                    yield path, self.known(statement)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@cache
def backend(folder: Path, secrets: frozenset[tuple[str, str]] = frozenset()) -> Backend:
    assembly = kept_assembly(folder, secrets)
    names = EnvironmentNames(assembly.project, ACCOUNT, REGION, "prod")
    values = EnvironmentValues("prod", EXPIRES, "12345", secrets=secrets, permissions_boundary=names.boundary_arn)
    root = render_root(assembly, values, BUCKET)
    access = EnvironmentAccess(
        names,
        PipelineNames(assembly.project, "111111111111", "us-east-1"),
        root.stack_name,
        resource_types(assembly),
        tags=root.tags,
    )
    return Backend(access, account_documents(access), as_assembled(assembly, root))


def world_of(found: Backend, *others: Role) -> tuple[World, Principal]:
    """The world of the account's execution role, and that role."""
    declared = found.documents.execution
    managed = {policy.arn: policy.document for policy in found.documents.policies}
    policies = (*declared.policies.values(), *(managed[arn] for arn in declared.managed_policies))
    execution = Role(declared.arn, declared.trust, policies)
    return World({role.arn: role for role in (execution, *others)}), Principal(declared.arn)


def check(found: Backend) -> None:
    """What holds for every export."""
    world, execution = world_of(found)
    own = {"iam:PermissionsBoundary": found.access.names.boundary_arn}
    other = {"iam:PermissionsBoundary": found.access.names.boundary_arn.replace("-boundary", "-lax")}

    def may(action: str, resource: str, context: Mapping[str, str]) -> bool:
        return decide(world, Request(execution, action, resource, context)).allowed

    for path, arn in found.roles.items():
        properties = found.deployed.resources[path][1]
        carried = {"iam:PermissionsBoundary": properties["PermissionsBoundary"]}
        assert may("iam:CreateRole", arn, carried), f"{path}: {arn}"
        assert may("iam:PutRolePermissionsBoundary", arn, carried), f"{path}: {arn}"
        assert may("iam:PutRolePolicy", arn, own), f"{path}: {arn}"
        assert may("iam:DeleteRole", arn, {}), f"{path}: {arn}"
        for action in ("iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"):
            assert not may(action, arn, {}), f"{path}: {action} without a boundary"
            assert not may(action, arn, other), f"{path}: {action} with another one"
        assert not may("iam:DeleteRolePermissionsBoundary", arn, own), path
        trusted = [s.get("Principal", {}) for s in properties["AssumeRolePolicyDocument"]["Statement"]]
        for service in (s for principal in trusted for s in listed(principal.get("Service", []))):
            assert may("iam:PassRole", arn, {"iam:PassedToService": service}), f"{path} to {service}"

    limit = statements_of([found.documents.boundary.document])
    asked = 0
    for path, statement in found.statements():
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            resources = listed(statement["Resource"])
            if action == "iam:PassRole" and resources == ["*"]:
                resources = list(found.roles.values())  # any role: of that, the backend's own are left
            for resource in resources:
                asked += 1
                left = verdict_of(limit, Request(execution, action, resource), {})
                assert left == "allow", f"{path}: the boundary takes away {action} on {resource}"
    assert asked > 5


@pytest.mark.parametrize("name", DELIVERABLE)
def test_the_account_admits_each_role_with_its_boundary_which_takes_nothing_away(name: str) -> None:
    check(backend(EXPORTS[name]))


@pytest.mark.large
@pytest.mark.parametrize(("name", "secrets"), [("kitchen", CREDENTIALS), ("large", frozenset())])
def test_the_same_for_large_exports(
    name: str,
    secrets: frozenset[tuple[str, str]],
    large_export: Callable[[str], Path],  # noqa: F811
) -> None:
    check(backend(large_export(name), secrets))


def test_under_the_boundary_the_exports_own_lambda_rewrites_the_two_auth_roles_and_no_other() -> None:
    found = backend(EXPORTS["full"])
    roles = found.roles
    arn = roles["root/UpdateRolesWithIDPFunctionRole"]
    own = [dict(s) for path, s in found.statements() if path == "root/UpdateRolesWithIDPFunctionRole"]
    limit = found.documents.boundary.document
    given = World({arn: Role(arn, role_trust(arn), (document(own),), limit)})
    greedy = World({arn: Role(arn, role_trust(arn), (document([allow("All", "*", "*")]),), limit)})
    rewrite = "iam:UpdateAssumeRolePolicy"
    for path, target in roles.items():
        auth = path in ("root/AuthRole", "root/UnauthRole")
        assert decide(given, Request(Principal(arn), rewrite, target)).allowed == auth, path
        assert decide(greedy, Request(Principal(arn), rewrite, target)).allowed == auth, path
    for action in ("iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:CreateUser"):
        assert not decide(greedy, Request(Principal(arn), action, arn)).allowed


def test_a_serverless_function_needs_what_the_transform_makes(tmp_path: Path) -> None:
    folder = copy_export("full", tmp_path / "export")
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "a.b", "Runtime": "nodejs22.x"}}
    apply(folder, [["set", "function/helloFn/helloFn-cloudformation-template.json", "/Resources/More", function]])
    execution = execution_statements(backend(folder).access)
    actions = {a for s in execution if s["Effect"] == "Allow" for a in listed(s["Action"])}
    assert {"lambda:CreateFunction", "iam:CreateRole", "events:PutRule"} <= actions
    (expansion,) = [s for s in execution if "cloudformation:CreateChangeSet" in listed(s["Action"])]
    assert expansion["Resource"].endswith(":aws:transform/Serverless-2016-10-31")

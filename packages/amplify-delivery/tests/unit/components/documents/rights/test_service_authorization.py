"""Every declared statement against what AWS publishes: actions that exist, on resources that they know, under condition
keys that hold for them. A right for what is not there is noise, and a denial with a misspelt name denies nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from amplify_delivery.components.documents.account import action_role
from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.account.organization import protect_pipeline_role
from amplify_delivery.components.documents.rights import boundary, handler_table, stack_actions, unscoped
from amplify_delivery.components.documents.rights.types import EXTRA, known_types, statements_for
from amplify_delivery.components.documents.statements import document
from unit.components.documents import world as w
from unit.components.documents.pipeline import test_options
from unit.components.documents.rights.service_authorization import Service, services
from unit.rows import hold

Named = list[tuple[str, Mapping[str, Any]]]

KNOWN_FORMS = {
    "appsync": ("arn:*:appsync:*:*:/v1/apis/*",),
    "codestar-connections": ("arn:*:codeconnections:*:*:connection/*",),
    "apigateway": ("arn:*:apigateway:*::/apis",),
}
"""ARNs that the reference does not list: what AppSync's own refusals name; connections of either name are used under
both prefixes of actions (Developer Tools console guide); API Gateway's second version has a page apart."""
NEWER = {"kinesis:UpdateStreamRecordDistributionStrategy": "kinesis:AddTagsToStream"}
"""Actions that cfn-lint's list has already, each with one that knows as much."""

GLOBAL = re.compile(
    r"aws:(CalledVia|PrincipalArn|PrincipalAccount|PrincipalOrgID|RequestedRegion|ResourceAccount|SecureTransport"
    r"|SourceAccount|SourceArn|TagKeys)",
    re.IGNORECASE,
)
"""Keys that every request has or may have ("AWS global condition context keys" in the IAM user guide)."""


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


@cache
def statements() -> Named:
    """Every statement of identity policies and boundaries, with a name: the world's, the options', all known types'."""
    documents = dict(w.declared())
    for name, option in test_options.options().items():
        documents |= {f"{name}: {key}": doc for key, doc in option.documents.items()}
    documents["every type"] = document(statements_for(w.access(w.prod), known_types()))
    containers = w.access(w.prod, resource_types=known_types(), images=True, staging_key=True)
    for policy in (account_documents(containers).boundary, *account_documents(containers).policies):
        documents[f"everything: {policy.name}"] = policy.document
    documents["organization"] = protect_pipeline_role(w.pipeline, [w.NEIGHBOUR])
    return [
        (f"{name} {statement.get('Sid', index)}", statement)
        for name, found in documents.items()
        for index, statement in enumerate(found["Statement"])
    ]


def of_identities() -> Named:
    """Those of documents that have one without principals: those of resources name principals."""
    identities = {_document(name) for name, statement in statements() if "Principal" not in statement}
    return [(name, statement) for name, statement in statements() if _document(name) in identities]


def _document(statement: str) -> str:
    return statement.rsplit(" ", 1)[0]


@cache
def existing(pattern: str) -> list[tuple[str, Service, str]]:
    """The published actions that `pattern` means: service, its page, name."""
    service, _, name = NEWER.get(pattern, pattern).partition(":")
    page = services()[service]
    expression = re.compile(
        "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in name), re.IGNORECASE
    )
    return [(service, page, action) for action in page.actions if expression.fullmatch(action)]


def spelt(actions: Any) -> Iterator[str]:
    yield from (a for a in listed(actions) if a != "*")


@cache
def meet(first: str, second: str) -> bool:
    """Whether some text matches both patterns of `*` and `?`."""
    if not first or not second:
        return not (first or second).strip("*")
    if first[0] == "*":
        return meet(first[1:], second) or meet(first, second[1:])
    if second[0] == "*":
        return meet(first, second[1:]) or meet(first[1:], second)
    return (first[0] == second[0] or "?" in (first[0], second[0])) and meet(first[1:], second[1:])


def fits(resource: str, form: str) -> bool:
    """Whether an ARN, or a pattern of some, may be one of that form. Part by part: a `*` of ours stays in its part."""
    mine, theirs = resource.split(":", 5), form.split(":", 5)
    return len(mine) == len(theirs) == 6 and all(meet(a, b) for a, b in zip(mine, theirs, strict=True))


def test_every_action_exists_as_it_is_spelt() -> None:
    def exist(_: str, statement: Mapping[str, Any]) -> None:
        for action in (*spelt(statement.get("Action")), *spelt(statement.get("NotAction"))):
            found = existing(action)
            assert found, f"there is no {action}"
            if "*" not in action and "?" not in action and action not in NEWER:
                assert action.partition(":")[2] in {n for _, _, n in found}, f"{action} is spelt otherwise"

    hold(exist, statements())


@pytest.mark.parametrize(
    "actions",
    [
        boundary.ROLE_MAKING,
        boundary.OTHER_IDENTITIES,
        boundary.IAM_CHANGES,
        stack_actions.STACK_READS,
        stack_actions.DRIFT_DETECTIONS,
        (stack_actions.DRIFT_STATUS,),
        stack_actions.EXECUTIONS,
        (action_role.START, action_role.STOP, action_role.READ),
        tuple(unscoped.UNSCOPED_WRITES),
        tuple(sorted(unscoped.UNSCOPED_READS)),
        tuple(a for actions in EXTRA.values() for a in actions),
    ],
)
def test_the_lists_name_actions_that_exist(actions: tuple[str, ...]) -> None:
    assert [a for a in actions if not existing(a)] == []


def test_what_resource_schemas_list_exists_or_is_left_out() -> None:
    """Schemas of CloudFormation name actions of old, or by the API's name; a policy would carry them for nothing."""
    wanted = {a for rights in handler_table.table().values() for a in (*rights["change"], *rights["read"])}
    assert sorted(a for a in wanted if not existing(a)) == []


def test_services_that_the_boundary_names_exist() -> None:
    for service in (*boundary.RUNTIME_SERVICES, *boundary.PIPELINE_SERVICES):
        assert services()[service].actions


def useless(action: str, resources: list[str]) -> bool:
    """Whether an action knows none of these resources, so that it is never allowed or denied by them."""
    return not any(
        any(fits(resource, form) for form in _forms(service, page, name) for resource in resources)
        for service, page, name in existing(action)
    )


def _forms(service: str, page: Service, action: str) -> Iterator[str]:
    yield from (page.arns[kind] for kind in page.actions[action])
    yield from KNOWN_FORMS.get(service, ())


def test_every_action_knows_one_of_its_resources() -> None:
    assert {where: found for where, statement in of_identities() if (found := useless_actions(statement))} == {}


def useless_actions(statement: Mapping[str, Any]) -> list[str]:
    resources = listed(statement.get("Resource"))
    if "*" in resources or "NotResource" in statement:
        return []
    return [a for a in spelt(statement["Action"]) if useless(a, resources)]


def test_every_resource_is_known_to_one_of_its_actions() -> None:
    assert {where: found for where, statement in of_identities() if (found := unknown_resources(statement))} == {}


def unknown_resources(statement: Mapping[str, Any]) -> list[str]:
    actions = listed(statement.get("Action"))
    if "*" in actions:
        named = [r for r in listed(statement.get("Resource")) if r != "*"]
        return [r for r in named if not any(fits(r, form) for form in services()[r.split(":")[2]].arns.values())]
    resources = [r for r in (*listed(statement.get("Resource")), *listed(statement.get("NotResource"))) if r != "*"]
    return [r for r in resources if all(useless(a, [r]) for a in actions)]


def holds(key: str, action: str) -> bool:
    """Whether a condition key is known for an action, or for a resource type that it knows."""

    def same(known: str) -> bool:
        # aws:ResourceTag/${TagKey}, s3:RequestObjectTag/<key>
        form = re.sub(
            r"\\\$\\\{[^}]*\}|<[^>]*>|\\\$\{[^}]*\}", ".+", re.escape(known).replace("\\<", "<").replace("\\>", ">")
        )
        return re.fullmatch(form, key, re.IGNORECASE) is not None

    if GLOBAL.fullmatch(key):
        return True
    return any(
        any(
            map(
                same,
                (
                    *page.keys[name],
                    *(k for t, keys in page.actions[name].items() for k in (*keys, *page.resource_keys[t])),
                ),
            )
        )
        for _, page, name in existing(action)
    )


def test_every_condition_key_holds_for_every_action() -> None:
    """Under `...IfExists`, for some of them: of the others it asks nothing."""
    assert {where: found for where, statement in of_identities() if (found := dict(vain_keys(statement)))} == {}


def vain_keys(statement: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Condition keys, with the statement's actions that do not know them."""
    for operator, block in statement.get("Condition", {}).items():
        for key in block:
            unknown = [a for a in spelt(statement["Action"]) if not holds(key, a)]
            some = operator.endswith("IfExists") and len(unknown) < len(listed(statement["Action"]))
            if unknown and not some:
                yield key, unknown


@pytest.mark.parametrize(
    ("action", "resource", "fit"),
    [
        ("s3:PutObject", "arn:aws:s3:::b/*", True),
        ("s3:PutObject", "arn:aws:s3:::b", False),
        ("s3:ListBucket", "arn:aws:s3:::b", True),
        ("iam:PassRole", "arn:aws:iam::1:policy/x", False),
        ("cloudformation:ListStacks", "arn:aws:cloudformation:eu-west-1:1:stack/x/*", False),
    ],
)
def test_the_comparison_tells_them_apart(action: str, resource: str, *, fit: bool) -> None:
    assert useless(action, [resource]) is not fit


def test_the_comparison_of_keys_tells_them_apart() -> None:
    assert holds("iam:PermissionsBoundary", "iam:PutRolePolicy")
    assert not holds("iam:PermissionsBoundary", "iam:PassRole")
    assert holds("aws:ResourceTag/a", "kms:Decrypt")
    assert not holds("aws:ResourceTag/a", "s3:GetAccountPublicAccessBlock")
    assert not existing("s3:GetObjcet")


NAMES_ONLY = {"iam:UpdateGroup", "iam:UpdateUser"}
"""What gives another name or path to an identity that is there, and no right."""


def test_every_way_to_another_identity_is_denied() -> None:
    """Of users, groups, providers of identities and delegations: whatever makes one, or opens one that is there."""
    kinds = {"delegation-request", "group", "oidc-provider", "saml-provider", "user"}
    opens = re.compile("Accept|Add|Associate|Attach|Create|Put|Reset|Send|Update|Upload")
    ways = {f"iam:{n}" for n, of in services()["iam"].actions.items() if opens.match(n) and kinds & of.keys()}
    assert len(ways) > 20
    denied = {action for pattern in boundary.OTHER_IDENTITIES for action in _named(pattern)}
    assert ways - denied == NAMES_ONLY
    assert {a for a in denied - ways if "Delegation" not in a} == set(), "what opens nothing needs no room"


def _named(pattern: str) -> set[str]:
    return {f"{service}:{name}" for service, _, name in existing(pattern)}

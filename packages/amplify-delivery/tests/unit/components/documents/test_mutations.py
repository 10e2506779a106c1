"""Loosen any declared statement, and a row of the trust table fails: so the table says all that the documents say."""

import re
from functools import cache

import pytest

from aws_rehearsal.policy.conditions import like
from aws_rehearsal.policy.evaluator import World
from unit.components.documents import world as w
from unit.components.documents.mutations import Mutation, listed, loosened
from unit.components.documents.trust_table import Row, answered_otherwise, rows


def _chosen(name: str) -> bool:
    """One environment of three: they are made by the same functions."""
    return "preprod" not in name and "canary" not in name


DOCUMENTS = sorted(filter(_chosen, w.declared()))


@cache
def mutations() -> list[Mutation]:
    return [m for name in DOCUMENTS for m in loosened(name, w.declared()[name])]


HARMLESS = {
    r"OnlyThisRole for everybody": "the condition still names the one role",
    r"-prod-\S+ policy build: Artifact(Bucket|Key)? with whole services": "the tooling account allows reading only",
    r"policy build: ArtifactKey without StringEquals kms:ViaService": "the key's policy asks for it as well",
    r"pipeline-boundary: (ActionRoles|OwnActions) with whole services": "roles trust for sts:AssumeRole only",
    r"bucket policy \S+ EnvironmentsRead on every resource": "a bucket's policy reaches no other bucket",
    r"topic policy: Notifications on every resource": "a topic's policy reaches no other topic",
    r"policy \S+ Environments(Read|Decrypt) for everybody": "the condition still names the project roles",
    r"policy pipeline: ActionRoles with whole services": "an action role trusts for sts:AssumeRole only",
    r"NestedStacks (on every resource|without StringEquals)": "the denials still name the one role and the one service",
}
"""Mutations that loosen nothing by themselves, with what still holds."""


def _harmless(mutation: Mutation) -> bool:
    return any(re.search(pattern, mutation.id) for pattern in HARMLESS)


BOUND = frozenset(role.arn for role in w.tooling().roles if role.boundary)


@cache
def _table() -> list[Row]:
    return rows()


@cache
def _as_declared(administrators: frozenset[str], unbound: frozenset[str]) -> World:
    return w.build_world(w.declared(), administrators, unbound)


def failing(mutation: Mutation, concerned: list[Row]) -> Row | None:
    """The first of the rows that the loosened document breaks.

    A role's own policies have to be right without its boundary too; so they are judged without it.
    """
    changed = mutation.loosened is not w.declared()[mutation.document]
    documents = {**w.declared(), mutation.document: mutation.loosened}

    def world(administrators: frozenset[str] = frozenset(), unbound: frozenset[str] = frozenset()) -> World:
        return w.build_world(documents, administrators, unbound) if changed else _as_declared(administrators, unbound)

    attached = {f"policy {policy.name}" for policy in w.tooling().policies}
    boundless = mutation.document in attached or (
        mutation.document.startswith("role") and " policy " in mutation.document
    )
    plain = world(unbound=BOUND if boundless else frozenset())
    for row in _without_boundaries(concerned) if boundless else concerned:
        if w.is_allowed(plain, row.principal, row.action, row.resource, row.context) is not row.allowed:
            return row
    for principal in sorted({row.principal for row in concerned if row.always and row.principal.startswith("arn:")}):
        almighty = world(frozenset({principal}))
        for row in concerned:
            mine = row.always and row.principal == principal
            if mine and w.is_allowed(almighty, row.principal, row.action, row.resource, row.context):
                return row
    return None


def noticed(mutation: Mutation) -> bool:
    """Whether a row fails. Asked are those about what the changed statements say: on others they have no effect."""
    declared, now = (document["Statement"] for document in (w.declared()[mutation.document], mutation.loosened))
    changed = [s for s in (*declared, *now) if s not in declared or s not in now]
    actions = {action for statement in changed for action in listed(statement["Action"])}

    @cache
    def said(asked: str) -> bool:
        return any(like(asked, action, ignore_case=True) for action in actions)

    return failing(mutation, [row for row in _concerned(mutation.document) if said(row.action)]) is not None


@cache
def _concerned(document: str) -> list[Row]:
    return [row for row in _table() if _concerns(document, row)]


def _concerns(document: str, row: Row) -> bool:
    """Whether a row can depend on a document: by its role, its resource, or its boundary."""
    kind, name = document.split(" ", maxsplit=1)[0], document.split(" ")[1]
    if kind == "role":
        return row.principal.endswith(f"/{name}") or row.resource.endswith(f"/{name}")
    if kind == "policy":
        return row.principal.endswith("/" + name.rsplit("-", 1)[0])
    if name.endswith("prod-boundary"):
        return row.principal == w.BACKEND
    if kind == "boundary":
        return row.principal in BOUND
    return any(service in row.resource for service in (":ecr:", ":kms:", ":s3:::", ":sns:"))


def _without_boundaries(concerned: list[Row]) -> list[Row]:
    """The rows that hold without a boundary too: all but those of a role that lets one in by itself."""
    return [row for row in concerned if row.resource != w.FRIEND]


def test_the_table_holds_without_the_boundaries_of_the_tooling_account() -> None:
    """But for a role that lets one in by itself: only the boundary keeps from that."""
    concerned = _without_boundaries([row for row in _table() if row.principal in BOUND])
    assert len(concerned) > 400
    assert answered_otherwise(w.build_world(w.declared(), unbound=BOUND), concerned) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_as_it_is_declared_breaks_no_row(document: str) -> None:
    """Else any loosened one would seem to be noticed."""
    assert failing(Mutation(document, "unchanged", w.declared()[document]), _concerned(document)) is None


def test_there_are_enough() -> None:
    assert len(mutations()) >= 200


def test_no_exception_is_left_over() -> None:
    assert [p for p in HARMLESS if not any(re.search(p, mutation.id) for mutation in mutations())] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_loosened_statement_breaks_a_row(document: str) -> None:
    own = [mutation for mutation in mutations() if mutation.document == document]
    unnoticed = [m.id for m in own if not _harmless(m) and not noticed(m)]
    assert unnoticed == [], "no row of the table fails"
    harmful = [m.id for m in own if _harmless(m) and noticed(m)]
    assert harmful == [], "no more harmless: take it off the list"

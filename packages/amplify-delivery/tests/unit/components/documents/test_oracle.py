"""Our evaluator against another one: the local AWS's, written by somebody else from the same documentation."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.policy.evaluator import World, _bucket
from aws_rehearsal.setup import tools
from aws_rehearsal_tests.absent import fetched
from unit.components.documents import world as w
from unit.components.documents.mutations import loosened
from unit.components.documents.trust_table import Row, rows

BATCH = Path(__file__).with_name("oracle_batch.py")


@pytest.fixture(scope="module")
def python() -> Path:
    with fetched("other evaluator, which is part of the local AWS"):
        return tools().local_aws_python


def comparable(row: Row) -> bool:
    """Without what the other evaluator does not model: services and tokens as principals, and a role that lets one in
    by naming it in its own trust policy."""
    token = row.action == "sts:AssumeRoleWithWebIdentity"
    return row.principal.startswith("arn:") and row.resource != w.FRIEND and not token


def case(world: World, row: Row) -> dict[str, Any]:
    role = world.roles[row.principal]
    trusted = world.roles.get(row.resource) if row.action == "sts:AssumeRole" else None
    policy = world.resource_policies.get(row.resource) or world.resource_policies.get(_bucket(row.resource))
    own = row.principal.split(":")[4]
    owner = own if row.resource == "*" else row.resource.split(":")[4]
    return {
        "principal": row.principal,
        "action": row.action,
        "resource": row.resource,
        "context": row.context,
        "policies": role.policies,
        "boundary": role.boundary,
        "trust": trusted.trust if trusted else None,
        "resource_policy": policy,
        "owner": owner or world.owners.get(_bucket(row.resource), own),
    }


def ask(python: Path, cases: list[dict[str, Any]]) -> list[bool]:
    """What the other evaluator answers. A document that many cases share is sent once, they name its number."""
    numbers: dict[int, int] = {}
    documents: list[Any] = []

    def number(document: Any) -> int | None:
        if document is None:
            return None
        if id(document) not in numbers:
            numbers[id(document)] = len(documents)
            documents.append(document)
        return numbers[id(document)]

    short = [
        {
            **case,
            "policies": [number(policy) for policy in case["policies"]],
            **{part: number(case[part]) for part in ("boundary", "trust", "resource_policy")},
        }
        for case in cases
    ]
    given = json.dumps({"documents": documents, "cases": short})
    done = subprocess.run([python, BATCH], input=given, capture_output=True, text=True, check=True)
    found: list[bool] = json.loads(done.stdout)
    return found


@pytest.mark.processes
def test_both_evaluators_agree_on_the_table(python: Path) -> None:
    table = [row for row in rows() if comparable(row)]
    assert len(table) > 1_500
    world = w.build_world(w.declared())
    answers = ask(python, [case(world, row) for row in table])
    differing = [
        row.id
        for row, theirs in zip(table, answers, strict=True)
        if theirs != w.is_allowed(world, row.principal, row.action, row.resource, row.context)
    ]
    assert differing == []


@pytest.mark.processes
def test_both_evaluators_agree_on_loosened_documents(python: Path) -> None:
    """Every 15th loosened document, so that conditions and patterns are also compared where they let somebody in."""
    table = [row for row in rows() if comparable(row)]
    mutations = [m for name, doc in w.declared().items() for m in loosened(name, doc)][::15]
    cases, ours, ids = [], [], []
    for mutation in mutations:
        world = w.build_world({**w.declared(), mutation.document: mutation.loosened})
        name = mutation.document.split(" ")[1]
        for row in table:
            if row.principal.endswith(name) or row.resource.endswith(name):
                cases.append(case(world, row))
                ours.append(w.is_allowed(world, row.principal, row.action, row.resource, row.context))
                ids.append(f"{mutation.id} / {row.id}")
    assert len(cases) > 1_000
    differing = [i for i, our, theirs in zip(ids, ours, ask(python, cases), strict=True) if our != theirs]
    assert differing == []

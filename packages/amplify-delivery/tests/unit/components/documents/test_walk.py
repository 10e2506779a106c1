"""What holds for every declared document: form, size, and nothing that a reviewer would have to ask about."""

import json
from collections.abc import Iterator

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.rights.unscoped import UNSCOPED_READS, UNSCOPED_WRITES
from amplify_delivery.components.documents.statements import Document, Statement, scalar_or_list, to_json
from unit.components.documents import world as w
from unit.rows import each

DOCUMENTS = sorted(w.declared())
READ_VERBS = ("BatchGet", "Describe", "Get", "List", "Detect", "Estimate", "Validate")


def _allowed(name: str) -> Iterator[Statement]:
    yield from (s for s in w.declared()[name]["Statement"] if s["Effect"] == "Allow")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@each([(n,) for n in DOCUMENTS if not n.startswith(("boundary", "key policy"))])
def test_no_write_reaches_every_resource_unless_it_knows_none(name: str) -> None:
    for statement in _allowed(name):
        if statement.get("Resource") != "*":
            continue
        for action in _listed(statement["Action"]):
            if action in UNSCOPED_WRITES:
                region, tag = "aws:RequestedRegion", "aws:RequestTag/"
                assert any(key in json.dumps(statement.get("Condition", {})) for key in (region, tag)), action
            else:
                assert action in UNSCOPED_READS or action.split(":")[1].startswith(READ_VERBS), action


@each([(n,) for n in DOCUMENTS])
def test_no_administrator_and_no_wildcard_of_services(name: str) -> None:
    for statement in _allowed(name):
        for action in _listed(statement["Action"]):
            service, _, verb = action.partition(":")
            assert service and "*" not in service and verb
            if verb == "*":
                assert name.startswith(("boundary", "key policy")), action
            assert not (service in {"iam", "sts", "organizations", "account"} and "*" in verb), action


# The topic's is the documented one, without a condition: nothing says which one the service would meet.
@each([(n,) for n in DOCUMENTS if n != "topic policy" and ("trust" in n or "policy" in n.split()[1:2])])
def test_no_account_is_trusted_without_a_condition(name: str) -> None:
    for statement in _allowed(name):
        principal = statement.get("Principal")
        assert principal != "*"
        if principal and not (name.startswith("key policy") and statement["Sid"] == "Administration"):
            assert statement.get("Condition"), f"{name} {statement['Sid']}"


@each([(n,) for n in DOCUMENTS])
def test_canonical_form(name: str) -> None:
    document: Document = w.declared()[name]
    assert list(document) == ["Version", "Statement"]
    sids = [s["Sid"] for s in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    for statement in document["Statement"]:
        elements = [statement.get(e) for e in ("Action", "Resource", "NotResource")]
        elements += [v for keys in statement.get("Condition", {}).values() for v in keys.values()]
        principal = statement.get("Principal")
        elements += list(principal.values()) if isinstance(principal, dict) else []
        for element in (e for e in elements if e is not None):
            assert element == scalar_or_list(element)
        for arn in _listed(statement.get("Resource", "*")):
            assert arn == "*" or arn.count(":") >= 5, arn


@each([(n,) for n in DOCUMENTS])
def test_no_unique_id_of_a_role_and_no_placeholder(name: str) -> None:
    text = to_json(w.declared()[name])
    assert "AROA" not in text
    assert "${" not in text


def test_sizes_are_within_iams() -> None:
    for documents in w.accounts().values():
        limits.check_roles(documents.roles, (*documents.policies, documents.boundary))
        limits.check_projects(documents.projects)
    limits.check_roles(w.tooling().roles, (*w.tooling().boundaries, *w.tooling().policies))
    limits.check_projects(w.tooling().projects)


def test_a_second_time_gives_the_same_documents() -> None:
    once = {name: to_json(document) for name, document in w.declared().items()}
    for cached in (w.declared, w.accounts, w.tooling):
        cached.cache_clear()
    assert {name: to_json(document) for name, document in w.declared().items()} == once

"""What Amplify's migration to Gen 2 has moved out of a backend is never made again."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import pytest

from amplify_delivery.changes.amplify import gen2
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.planning import plan_backend
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.model import STACK_TYPE
from unit.delivery.planning.stacks_of import changed, stacks_of, without

AUTH = next(path for path in stacks_of("full").templates if path and path[0].startswith("auth"))[0]
POOL = f"{AUTH}/UserPool"
HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle", "Properties": {}}


def published(key: str) -> bytes | None:
    """What was delivered lies in the staging bucket."""
    templates = {path: canonical(body) for path, body in stacks_of("full").templates.items()}
    found = {stacks_of("full").delivered_key(path): body for path, body in templates.items()}
    return found.get(key)


def check(deployed: Stacks, wanted: Stacks | None = None) -> None:
    wanted = wanted or stacks_of("full")
    gen2.check(deployed, plan_backend(deployed, wanted), published, "amplify-full-dev-12345")


def test_what_was_moved_into_gen_2_is_refused() -> None:
    with pytest.raises(RefusedError, match="moves them into stacks") as caught:
        check(without(stacks_of("full"), POOL))
    assert f"{POOL} (AWS::Cognito::UserPool)" in caught.value.message
    assert "--rollback" in caught.value.remedy
    assert not caught.value.changed


def test_a_stack_that_was_emptied_is_known_by_its_placeholder() -> None:
    def emptied(template: dict[str, Any]) -> None:
        template["Resources"] = {gen2.PLACEHOLDER: HANDLE}

    # As `amplify push` has made it: no key tells what it was delivered with.
    with pytest.raises(RefusedError, match="UserPoolClient"):
        check(pushed(changed(stacks_of("full"), AUTH, emptied)))


def pushed(stacks: Stacks) -> Stacks:
    """With addresses that are not made from contents."""
    templates = {path: copy.deepcopy(dict(body)) for path, body in stacks.templates.items()}
    for template in templates.values():
        for name, item in template["Resources"].items():
            if item["Type"] == STACK_TYPE:
                item["Properties"]["TemplateURL"] = f"https://s3.amazonaws.com/bucket/{name}.json"
    return Stacks(templates, {k: v for k, v in stacks.parameters.items() if k != "RootTemplateKey"})


def prepared(stacks: Stacks) -> Stacks:
    """As `lock` and `retain` leave it: everything is kept."""
    templates = {path: copy.deepcopy(dict(body)) for path, body in stacks.templates.items()}
    for template in templates.values():
        for item in template["Resources"].values():
            if item["Type"] != STACK_TYPE:
                item |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return Stacks(templates, stacks.parameters)


def test_what_was_moved_out_of_a_prepared_backend_is_refused() -> None:
    """Nothing else tells of it in one that `amplify push` has made: the stack still holds its roles."""
    with pytest.raises(RefusedError, match="moves them into stacks"):
        check(prepared(pushed(without(stacks_of("full"), POOL))))


def test_a_backend_whose_migration_was_rolled_back_is_delivered_again() -> None:
    found, wanted = prepared(pushed(stacks_of("full"))), stacks_of("full")
    check(found)
    (note,) = gen2.notes(found, plan_backend(found, wanted))
    assert "If the migration goes on, don't deploy" in note
    assert gen2.notes(found, ()) == ()
    assert gen2.notes(wanted, plan_backend(found, wanted)) == gen2.notes(None, plan_backend(None, wanted)) == ()


def test_what_a_release_adds_is_added() -> None:
    delivered = without(stacks_of("full"), POOL)
    # The release before had none: the key is that of the template without it.
    check(rekeyed(delivered))
    check(pushed(stacks_of("full")))
    check(stacks_of("full"), without(stacks_of("full"), POOL))


def test_what_somebody_has_removed_by_hand_and_that_holds_nothing_is_made_again() -> None:
    """A deployment brings back what was changed by hand."""
    check(without(stacks_of("full"), f"{AUTH}/UserPoolClient"))


def test_what_a_release_adds_to_a_stack_that_was_changed_by_hand_is_added() -> None:
    def by_hand(template: dict[str, Any]) -> None:
        template["Description"] = "mine"

    wanted = rekeyed(stacks_of("full"))
    check(changed(rekeyed(without(stacks_of("full"), POOL)), AUTH, by_hand), wanted)
    # Nor is anything known of a template that is not published any more.
    gen2.check(without(stacks_of("full"), POOL), plan_backend(without(stacks_of("full"), POOL), wanted), nothing, "")


def nothing(_: str) -> None:
    """Nothing is published any more."""


def rekeyed(stacks: Stacks) -> Stacks:
    """With the keys of the templates that it has."""
    key = f"templates/{hashlib.sha256(canonical(stacks.templates[AUTH,])).hexdigest()}.json"

    def address(template: dict[str, Any]) -> None:
        template["Resources"][AUTH]["Properties"]["TemplateURL"] = f"https://s3.amazonaws.com/b/{key}"

    found = changed(stacks, "", address)
    root = f"templates/{hashlib.sha256(canonical(found.templates[()])).hexdigest()}.json"
    return Stacks(found.templates, {**found.parameters, "RootTemplateKey": root})


def test_nothing_is_known_of_what_is_not_there() -> None:
    gen2.check(None, plan_backend(None, stacks_of("full")), published, "")

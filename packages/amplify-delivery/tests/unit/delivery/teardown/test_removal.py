"""What of a stack's state is removed and what stays, decided without the engine."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.bootstrap.account_stacks import check_places
from amplify_delivery.delivery.teardown import removal
from amplify_delivery.delivery.teardown.removal import ALIAS, BUCKET, KEY, LOG_GROUP, REPOSITORY, Holder
from amplify_delivery.errors import ConfigError

NAMES = EnvironmentNames("app", "222222222222", "eu-west-1", "preprod")
STACK = "pulumi:pulumi:Stack"
PLACE, STAGING = "amplify-delivery:index:TargetAccount", "amplify-delivery:index:StagingArea"
POLICY, ROLE, PIPELINE = "aws:s3/bucketPolicy:BucketPolicy", "aws-native:iam:Role", "aws-native:codepipeline:Pipeline"


def urn(types: str, name: str) -> str:
    return f"urn:pulumi:stack::app::{types}::{name}"


ROOT, PROVIDER = urn(STACK, "app-stack"), urn("pulumi:providers:aws", "aws-eu-west-1")


def resource(types: str, name: str, *needs: str, parent: str = ROOT, **more: Any) -> dict[str, Any]:
    """A resource as the engine writes it; `types` are its parents' and its own."""
    return {
        "urn": urn(types, name),
        "type": types.rpartition("$")[2],
        "id": f"id of {name}",
        "parent": parent,
        "provider": f"{PROVIDER}::0b3c",
        "dependencies": list(needs),
        **more,
    }


def place(environment: str, names: EnvironmentNames) -> list[dict[str, Any]]:
    """An environment's place, as its account's stack makes it."""
    own = urn(PLACE, environment)
    staging = urn(f"{PLACE}${STAGING}", f"{environment}-staging")
    state = urn(f"{PLACE}${BUCKET}", f"{environment}-state")
    return [
        resource(PLACE, environment, id="", provider=""),
        resource(f"{PLACE}${STAGING}", f"{environment}-staging", parent=own),
        resource(f"{PLACE}${STAGING}${BUCKET}", f"{environment}-staging", parent=staging),
        resource(f"{PLACE}${KEY}", f"{environment}-state", parent=own),
        resource(f"{PLACE}${ALIAS}", f"{environment}-state", urn(f"{PLACE}${KEY}", f"{environment}-state"), parent=own),
        resource(f"{PLACE}${BUCKET}", f"{environment}-state", parent=own, outputs={"region": "eu-west-1"}),
        resource(f"{PLACE}${POLICY}", f"{environment}-state", state, parent=own),
        resource(f"{PLACE}${LOG_GROUP}", names.audit_log_group.strip("/"), parent=own),
        resource(f"{PLACE}${LOG_GROUP}", f"aws/codebuild/app-{environment}-plan", parent=own),
        resource(f"{PLACE}${REPOSITORY}", names.repository, parent=own),
        resource(f"{PLACE}${ROLE}", f"app-{environment}-plan", parent=own),
    ]


def account() -> list[dict[str, Any]]:
    engine = [resource(STACK, "app-stack", parent=""), resource("pulumi:providers:aws", "aws-eu-west-1", provider="")]
    other = EnvironmentNames("app", "222222222222", "eu-west-1", "qa")
    return [*engine, *place("preprod", NAMES), *place("qa", other)]


def short(resources: Iterable[removal.Resource]) -> set[str]:
    return {f"{r['type'].rpartition(':')[2]} {removal.name_of(r)}" for r in resources}


def test_what_cannot_be_made_again_stays_with_what_belongs_to_it() -> None:
    assert short(removal.irreplaceable(account(), NAMES)) == {
        "Bucket preprod-state",
        "BucketPolicy preprod-state",
        "Key preprod-state",
        "Alias preprod-state",
        "LogGroup amplify-delivery/app/preprod/audit",
        "Repository app/preprod",
    }


def test_what_is_kept_is_listed_with_a_reason() -> None:
    listed = removal.kept(account(), NAMES)
    assert {k.type for k in listed} == {BUCKET, KEY, ALIAS, LOG_GROUP, REPOSITORY}
    assert {k.environment for k in listed} == {"preprod"}
    bucket = next(k for k in listed if k.type == BUCKET)
    assert bucket.physical_id == "id of preprod-state"
    assert bucket.why == "the engine's state of preprod, its plans and outputs, and their earlier versions"


def test_what_the_engine_needs_for_what_stays_stays() -> None:
    resources = account()
    going = removal.all_but(resources, removal.irreplaceable(resources, NAMES))
    names = short(going)
    assert names.isdisjoint({"Stack app-stack", "aws aws-eu-west-1", "TargetAccount preprod", "Key preprod-state"})
    assert {"StagingArea preprod-staging", "Bucket preprod-staging", "Role app-preprod-plan"} < names
    assert {"TargetAccount qa", "Bucket qa-state", "BucketPolicy qa-state"} < names
    assert len(going) + len(
        removal.closure(resources, [r["urn"] for r in removal.irreplaceable(resources, NAMES)])
    ) == (len(resources))


def test_nothing_that_stays_needs_what_goes() -> None:
    resources = account()
    going = removal.all_but(resources, [*removal.irreplaceable(resources, NAMES), *removal.staged(resources)])
    left = [r for r in resources if r not in going]
    assert not [r for r in left if r in removal.dependents(resources, going)]


def test_every_way_to_need_another_resource_counts() -> None:
    kept = {
        "urn": "kept",
        "parent": "parent",
        "provider": "urn::with::colons::provider-id",
        "dependencies": ["dependency"],
        "propertyDependencies": {"a": ["property"], "b": None},
        "deletedWith": "holder",
    }
    deeper = {"urn": "dependency", "parent": "grandparent"}
    assert removal.closure([kept, deeper], ["kept"]) == {
        *("kept", "parent", "urn::with::colons", "dependency", "property", "holder", "grandparent")
    }


def test_environments_of_an_accounts_stack() -> None:
    assert removal.environments_in(account()) == ("preprod", "qa")


def test_an_environment_that_the_file_does_not_name_any_more_is_no_reason_to_take_its_roles() -> None:
    project: Any = SimpleNamespace(file=lambda stack: f"Pulumi.{stack}.yaml")
    config: Any = SimpleNamespace(environments=("preprod", "qa"))
    check_places(project, "acc", config, account())
    config.environments = ("preprod",)
    with pytest.raises(ConfigError, match="was bootstrapped for qa too, which this file does not name") as caught:
        check_places(project, "acc", config, account())
    assert "`amplify-delivery destroy qa`" in caught.value.remedy
    assert "`pulumi up -s acc` shows what goes" in caught.value.remedy


def test_holders_are_emptied_where_they_lie() -> None:
    assert Holder(BUCKET, "id of preprod-state", "eu-west-1") in removal.holders(account(), "us-east-1")
    assert Holder(REPOSITORY, "id of app/qa", "us-east-1") in removal.holders(account(), "us-east-1")
    assert {h.type for h in removal.holders(account(), "us-east-1")} == {BUCKET, REPOSITORY}


# --- a pipeline ------------------------------------------------------------------------------------------------------


def pipeline(*regions: str) -> list[dict[str, Any]]:
    component = "amplify-delivery:index:DeliveryPipeline"
    found = [resource(component, "pipeline")]
    for region in regions:
        store = [resource(f"{component}${t}", f"pipeline-{region}") for t in (KEY, ALIAS, BUCKET, POLICY)]
        found += store
    buckets = [r["urn"] for r in found if r["type"] == BUCKET]
    found.append(resource(f"{component}${ROLE}", "app-pipeline-build"))
    found.append(resource(f"{component}${PIPELINE}", "pipeline", *buckets[:1]))
    return found


def test_artifact_stores_by_region() -> None:
    stores = removal.stores(pipeline("us-east-1", "eu-west-1"), "pipeline")
    assert {region: len(store) for region, store in stores.items()} == {"eu-west-1": 4, "us-east-1": 4}


def test_a_store_whose_bucket_is_gone_already_is_still_one() -> None:
    left = [r for r in pipeline("us-east-1") if r["type"] not in (BUCKET, POLICY)]
    assert [r["type"] for r in removal.stores(left, "pipeline")["us-east-1"]] == [KEY, ALIAS]


def test_who_needs_a_store() -> None:
    resources = pipeline("us-east-1", "eu-west-1")
    stores = removal.stores(resources, "pipeline")
    assert short(removal.dependents(resources, stores["us-east-1"])) == {"Pipeline pipeline"}
    assert removal.dependents(resources, stores["eu-west-1"]) == ()

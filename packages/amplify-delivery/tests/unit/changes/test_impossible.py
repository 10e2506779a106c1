"""What AWS cannot do of a plan: found beforehand, and nothing else."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.impossible import Impossible, check, impossible
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, ReplaceResource
from amplify_delivery.errors import DeployError
from unit.archives import unpacked
from unit.delivery.planning.stacks_of import changed, stacks_of, stacks_of_export, with_resource
from unit.export.categories import with_interactions
from unit.export.mutations import copy_export

TODAY = date(2026, 6, 1)
TABLE = "apiseriesapp/Todo/TodoTable"
POOL = "authseriesappauth/UserPool"
FUNCTION = "functionhelloFn/LambdaFunction"
OLD = stacks_of("todo-series/v4")
FULL = stacks_of("full")
IAM = stacks_of("iam")


def found(new: Stacks, old: Stacks | None = OLD, today: date = TODAY) -> list[tuple[str, str]]:
    return [(i.id, i.place) for i in impossible(plan_backend(old, new), old, new, today)]


def index(name: str, key: str = "id", kind: str = "ALL") -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": kind},
    }


def with_indexes(*indexes: dict[str, Any]) -> Stacks:
    return with_resource(OLD, TABLE, GlobalSecondaryIndexes=list(indexes))


@pytest.mark.parametrize("name", ["v2", "v3", "v4"])
def test_real_re_exports_are_possible(name: str) -> None:
    new = stacks_of(f"todo-series/{name}")
    assert found(new, stacks_of("todo-series/v1")) == []
    assert found(new, None) == []


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ([], ["a"], False),
        (["a"], [], False),
        ([], ["a", "b"], True),
        (["a", "b"], [], True),
        (["a"], ["b"], True),
        (["a", "b"], ["b", "a"], False),
        (["a"], ["a", "b"], False),
    ],
)
def test_one_index_per_update(old: list[str], new: list[str], refused: bool) -> None:
    steps = found(with_indexes(*map(index, new)), with_indexes(*map(index, old)))
    assert steps == ([("AD741", TABLE)] if refused else [])


def test_an_index_that_is_there_keeps_its_keys() -> None:
    was = with_indexes(index("a"))
    assert found(with_indexes(index("a", "other")), was) == [("AD741", TABLE)]
    assert found(with_indexes(index("a", kind="KEYS_ONLY")), was) == [("AD741", TABLE)]
    throughput = {**index("a"), "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
    assert found(with_indexes(throughput), was) == []


def test_the_order_of_what_an_index_projects_says_nothing() -> None:
    projecting = [{"ProjectionType": "INCLUDE", "NonKeyAttributes": names} for names in (["a", "b"], ["b", "a"])]
    was, becomes = (with_indexes({**index("a"), "Projection": projection}) for projection in projecting)
    assert found(becomes, was) == []


def test_the_order_of_local_indexes_says_nothing() -> None:
    def local(*names: str) -> Stacks:
        return with_resource(OLD, TABLE, LocalSecondaryIndexes=[index(name) for name in names])

    assert found(local("a", "b"), local("b", "a")) == []
    assert found(local(), OLD) == [], "no list is an empty one"
    assert found(local("a", "b"), local("a")) == [("AD743", TABLE)]


def test_a_default_that_is_written_down_makes_no_new_api() -> None:
    api = next("/".join(p) for p, r in OLD.resolved.resources.items() if r.type == "AWS::AppSync::GraphQLApi")
    said = with_resource(OLD, api, Visibility="GLOBAL", ApiType="GRAPHQL")
    assert not [s for s in plan_backend(OLD, said) if isinstance(s, ReplaceResource)]
    private = plan_backend(OLD, with_resource(OLD, api, Visibility="PRIVATE"))
    assert api in {s.place for s in private if isinstance(s, ReplaceResource)}


def attribute(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Required": True, "Mutable": True, **more}


def with_schema(*attributes: dict[str, Any]) -> Stacks:
    return with_resource(OLD, POOL, Schema=list(attributes))


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ([attribute("email"), attribute("family_name")], "requires cannot be changed: family_name"),
        ([attribute("email"), attribute("nickname", Required=False)], "requires cannot be changed: nickname"),
        ([attribute("email", Required=False)], "cannot be changed: email"),
        ([attribute("email", Mutable=False)], "cannot be changed: email"),
        ([], "cannot be removed: email"),
        ([attribute("email"), attribute("team", Required=False)], ""),
        ([attribute("email"), {"Name": "team"}], ""),
        ([attribute("email", AttributeDataType="String", Mutable="true")], ""),
    ],
)
def test_the_attributes_of_a_pool(new: list[dict[str, Any]], says: str) -> None:
    was, will = with_schema(attribute("email")), with_schema(*new)
    several = impossible(plan_backend(was, will), was, will, TODAY)
    assert [i.id for i in several] == (["AD742"] if says else [])
    assert all(says in i.message and i.place == POOL for i in several)


@pytest.mark.parametrize(
    "change", [{"UsernameAttributes": ["phone_number"]}, {"UsernameConfiguration": {"CaseSensitive": True}}]
)
def test_how_users_sign_in_is_set_once(change: dict[str, Any]) -> None:
    assert found(with_resource(OLD, POOL, **change)) == [("AD742", POOL)]


def test_a_name_of_its_own_and_a_replacement() -> None:
    keys = [{"AttributeName": "other", "KeyType": "HASH"}]
    assert found(with_resource(OLD, TABLE, KeySchema=keys)) == [("AD743", TABLE)]
    assert found(with_resource(OLD, TABLE, KeySchema=keys, TableName="another")) == []
    assert found(with_resource(OLD, TABLE, KeySchema=keys, TableName=None)) == []
    # The name is made from the API's id, and the API is replaced too: nothing is in the way of the new table.
    unnamed = with_resource(OLD, TABLE, TableName=None)
    assert found(with_resource(unnamed, TABLE, KeySchema=keys), unnamed) == []


def test_another_type_under_the_same_id() -> None:
    assert found(with_resource(OLD, TABLE, Type="AWS::SNS::Topic")) == [("AD746", TABLE)]


def test_a_nested_stack_is_a_type_too() -> None:
    model = tuple(TABLE.split("/")[:2])
    topic = with_resource(OLD, "/".join(model), Type="AWS::SNS::Topic", Properties={})
    without = Stacks({p: t for p, t in topic.templates.items() if p[:2] != model}, OLD.parameters)
    assert ("AD746", "/".join(model)) in found(without)
    assert ("AD746", "/".join(model)) in found(OLD, without)


@pytest.mark.parametrize(("runtime", "refused"), [("nodejs12.x", True), ("nodejs22.x", False), ("unheard.of", False)])
def test_an_old_runtime_is_for_what_is_deployed(runtime: str, refused: bool) -> None:
    new = with_resource(FULL, FUNCTION, Runtime=runtime)
    assert found(new, None) == ([("AD745", FUNCTION)] if refused else [])
    assert found(new, FULL) == []


def test_a_runtime_is_old_from_a_day_on() -> None:
    new = with_resource(FULL, FUNCTION, Runtime="nodejs12.x")
    assert found(new, None, date(2023, 3, 30)) == []
    assert found(new, None, date(2023, 3, 31)) == [("AD745", FUNCTION)]


BOT = "interactionslex7c1d/LambdaFunctionOutputs7c1d"


@pytest.fixture(scope="module")
def with_bot(tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    return stacks_of_export(with_interactions(copy_export("iam", tmp_path_factory.mktemp("bot") / "export")))


def test_a_bot_of_lex_v1_stays_as_it_is(with_bot: Stacks) -> None:
    assert found(with_bot, None) == found(with_bot, IAM) == [("AD751", BOT)]
    assert found(with_bot, None, date(2025, 9, 14)) == []
    assert found(with_bot, with_bot) == found(IAM, with_bot) == []
    assert found(with_resource(with_bot, BOT, lexRegion="us-west-2"), with_bot) == [("AD751", BOT)]
    assert found(with_resource(with_bot, BOT, DeletionPolicy="Retain"), with_bot) == [], "its function is not called"


APP = "functionhelloFn/App"


def with_app(**given: str) -> Stacks:
    """Analytics, as far as it matters: the custom resource that makes an app of Pinpoint."""
    callout = {"Type": "Custom::LambdaCallout", "Properties": {"ServiceToken": {"Ref": "LambdaFunction"}, **given}}
    return changed(FULL, "functionhelloFn", lambda t: t["Resources"].update(App=callout))


def test_the_function_of_analytics_answers_no_update() -> None:
    was = with_app(appName="shop-dev", pingPointRegion="us-east-1", region="us-east-1")
    assert found(was, FULL) == found(was, was) == found(FULL, was) == []
    assert found(with_resource(was, APP, appName="store-dev"), was) == [("AD752", APP)]
    assert found(with_resource(was, APP, DeletionPolicy="RetainExceptOnCreate"), was) == []
    older = with_app(appName="shop-dev")
    assert found(was, older) == [("AD752", APP)], "the template of an older CLI has fewer properties (amplify-cli 6602)"
    (step,) = (s for s in plan_backend(older, was) if isinstance(s, ReplaceResource))
    assert (step.place, step.loss) == (APP, "endpoints and campaigns")


CLIENT = "authseriesappauth/UserPoolClient"


def with_oauth(**metadata: str) -> Stacks:
    """The app clients' callbacks as Amplify's CLI set them before version 12 (amplify-cli 12442)."""
    given = {
        "ServiceToken": {"Fn::GetAtt": ["OAuthCustomResource", "Arn"]},
        "hostedUIProviderMeta": "[]",
        "oAuthMetadata": str(metadata or "{}"),
        "webClientId": {"Ref": "UserPoolClientWeb"},
        "nativeClientId": {"Ref": "UserPoolClient"},
        "userPoolId": {"Ref": "UserPool"},
    }
    callout = {"Type": "Custom::LambdaCallout", "Properties": given}
    return changed(OLD, "authseriesappauth", lambda t: t["Resources"].update(OAuthCustomResourceInputs=callout))


def test_an_app_client_whose_callbacks_a_custom_resource_has_set_stays_as_it_is() -> None:
    was = with_oauth()
    assert found(was) == found(was, was) == found(OLD, was) == []
    assert found(with_resource(OLD, CLIENT, RefreshTokenValidity=60)) == [], "nothing has set anything"
    (refused,) = impossible(
        plan_backend(was, new := with_resource(was, CLIENT, RefreshTokenValidity=60)), was, new, TODAY
    )
    assert (refused.id, refused.place) == ("AD754", CLIENT)
    assert "OAuthCustomResourceInputs" in refused.message
    assert "'parameters.authseriesappauth.oAuthMetadata'" in refused.remedy
    runs_again = with_resource(with_oauth(CallbackURLs="https://example.com/"), CLIENT, RefreshTokenValidity=60)
    assert found(runs_again, was) == []
    own = {"AllowedOAuthFlows": ["code"], "CallbackURLs": ["https://example.com/"]}
    assert found(with_resource(was, CLIENT, **own), was) == [], "the client says them itself"
    assert found(with_resource(was, POOL, EmailVerificationMessage="Your code: {####}"), was) == []


def test_a_real_exports_analytics_is_known() -> None:
    archive = Path(os.environ.get("AMPLIFY_DELIVERY_CASES", "/nonexistent"), "hosting-bucket.tar.gz")
    if not archive.is_file():
        pytest.skip("no hosting-bucket.tar.gz: set AMPLIFY_DELIVERY_CASES to the folder of the cases")
    stacks = stacks_of_export(next(unpacked(archive).rglob("amplify-export-manifest.json")).parent)
    callout = "analyticsmiscpin/PinpointFunctionOutputs"
    assert found(with_resource(stacks, callout, appName="other"), stacks) == [("AD752", callout)]
    assert found(stacks, None) == found(stacks, stacks) == []


@pytest.mark.parametrize(("count", "refused"), [(2499, False), (2500, True)])
def test_the_most_resources_of_one_operation(count: int, refused: bool) -> None:
    steps = [AddResource(("nested", f"R{n}"), "AWS::SNS::Topic", "") for n in range(count)]
    ids = [i.id for i in impossible(steps, None, OLD, TODAY)]
    assert ids == (["AD744"] if refused else []), "a nested stack is a resource too"


def test_what_is_overruled_does_not_count() -> None:
    new = with_indexes(index("a"), index("b"))
    assert impossible(plan_backend(OLD, new), OLD, new, TODAY, ["AD741"]) == ()


def test_the_error_names_all_and_how_to_go_on() -> None:
    check([], "dev")
    with pytest.raises(DeployError) as refused:
        check(
            [Impossible("AD741", "a/b", "is not possible", "do it twice"), Impossible("AD744", "", "many", "part")],
            "dev",
        )
    assert refused.value.message == "AWS cannot do this:\n  AD741 a/b: is not possible\n  AD744 many"
    assert refused.value.remedy.startswith("nothing was changed. do it twice; part")
    assert "AD741, AD744" in refused.value.remedy


def test_what_no_schema_says_replaces_all_the_same() -> None:
    """The User Guide says it: of local indexes, of edited attributes of a table's keys, of an API's visibility."""
    types = [{"AttributeName": "id", "AttributeType": "N"}]
    local = [{"IndexName": "l", "KeySchema": [], "Projection": {"ProjectionType": "ALL"}}]
    assert found(with_resource(OLD, TABLE, AttributeDefinitions=types))[0][0] == "AD743"
    assert found(with_resource(OLD, TABLE, LocalSecondaryIndexes=local))[0][0] == "AD743"
    steps = plan_backend(OLD, with_resource(OLD, "apiseriesapp/GraphQLAPI", Visibility="PRIVATE"))
    lost = {s.place for s in steps if isinstance(s, ReplaceResource) and s.certain and s.loss}
    assert lost == {TABLE, "apiseriesapp/TodoList/TodoListTable"}


def test_what_belongs_to_something_that_is_replaced_keeps_its_name() -> None:
    """Tables, resolvers and sources of an API that CloudFormation makes anew are other ones by that."""
    steps = plan_backend(OLD, new := with_resource(OLD, "apiseriesapp/GraphQLAPI", Visibility="PRIVATE"))
    replaced = {s.type for s in steps if isinstance(s, ReplaceResource)}
    assert {"AWS::AppSync::DataSource", "AWS::AppSync::Resolver", "AWS::DynamoDB::Table"} <= replaced
    assert found(new) == []


def test_a_search_domain_may_be_replaced() -> None:
    def put(version: str) -> Stacks:
        item = {"Type": "AWS::Elasticsearch::Domain", "Properties": {"ElasticsearchVersion": version}}
        return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"].update(Domain=item))

    (step,) = plan_backend(put("7.10"), put("OpenSearch_2.11"))
    assert isinstance(step, ReplaceResource)
    assert (step.certain, step.loss) == (False, "search index")


PINPOINT = {"ServiceToken": "arn", "region": "us-east-1", "pingPointRegion": "us-east-1", "appName": "app-dev"}
FENCES = {"ServiceToken": "arn", "region": "us-east-1", "collectionName": "fences-dev", "env": "dev"}


FACES = {"ServiceToken": "arn", "region": "us-east-1", "collectionId": "faces-dev", "bucketName": "bucket-dev"}


def with_callout(properties: dict[str, Any] | None) -> Stacks:
    item = {"Callout": {"Type": "Custom::LambdaCallout", "Properties": properties}} if properties else {}
    return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"].update(item))


@pytest.mark.parametrize(
    ("was", "becomes", "loss"),
    [
        (PINPOINT, None, "endpoints and campaigns"),
        (PINPOINT, {**PINPOINT, "pingPointRegion": "us-west-2"}, "endpoints and campaigns"),
        (FENCES, None, "geofences"),
        (FENCES, {**FENCES, "collectionName": "others-dev"}, "geofences"),
        (FENCES, {**FENCES, "env": "prod"}, ""),
        (FACES, None, "faces"),
        # The bucket only: the function finds its collection there, and is then told to delete that very one.
        (FACES, {**FACES, "bucketName": "other-dev"}, "faces"),
        ({"ServiceToken": "arn", "mapName": "map"}, None, ""),
    ],
)
def test_a_custom_resource_of_amplifys_holds_what_its_function_makes(
    was: dict[str, Any], becomes: dict[str, Any] | None, loss: str
) -> None:
    """The functions of Pinpoint and of a collection of faces answer every update with another physical id, and then
    delete what there is."""
    (step,) = plan_backend(with_callout(was), with_callout(becomes))
    assert step.loss == loss

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from amplify_delivery.components import amplify_backend
from amplify_delivery.components.amplify_backend import AmplifyBackend
from amplify_delivery.components.backend.arguments import Terminable
from amplify_delivery.components.backend.contents import Contents
from amplify_delivery.errors import PublishError
from amplify_delivery.export import assemble, read_export
from amplify_delivery.export.assembly import BucketFile
from amplify_delivery.stacks.backend import outputs
from unit.components.backends import BUCKET, DELIVERABLE, Published, assembly_of, deploy, folder, rendered
from unit.components.recorder import STACK, UNKNOWN
from unit.export.categories import add
from unit.export.mutations import apply, linked_export

COMPONENT = "amplify-delivery:index:AmplifyBackend"
SECRET, VERSION = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion"
KEY = ("authfullappauth", "smsVerificationMessage")


@pytest.mark.parametrize(
    "export", DELIVERABLE, ids=lambda f: f"{f.parent.name}-{f.name.removeprefix('amplify-export-')}"
)
def test_each_export_is_one_root_stack(export: Path) -> None:
    assembly = assembly_of(export)
    root = rendered(assembly)
    recording = deploy(assembly, root)
    stack = recording.one(STACK)
    assert stack.inputs == {
        "name": root.stack_name,
        "templateUrl": f"https://s3.eu-west-1.amazonaws.com/{BUCKET}/{root.object.key}",
        "parameters": dict(root.parameters),
        "capabilities": ["CAPABILITY_NAMED_IAM"],
        "onFailure": "DELETE",
        "tags": dict(root.tags),
    }
    assert stack.provider.endswith("::aws::aws-id")
    assert recording.outputs_of(COMPONENT) == {
        "stack_name": root.stack_name,
        "stack_id": "backend-id",
        "template_key": root.object.key,
        "outputs": {"StackName": root.stack_name},
        "nested_outputs": _nested(root),
    }


def _nested(root: Any) -> dict[str, dict[str, str]]:
    result: dict[str, dict[str, str]] = {}
    for nested, output in root.outputs:
        result.setdefault(nested, {})[output] = f"{nested}.{output}"
    return result


@pytest.fixture(scope="module")
def todo() -> Any:
    return assembly_of(folder("mytodoapp"))


def test_the_root_stack_is_protected_and_has_hours_not_minutes(todo: Any) -> None:
    request = deploy(todo, rendered(todo)).one(STACK).request
    assert request.protect
    assert (request.customTimeouts.create, request.customTimeouts.update, request.customTimeouts.delete) == ("3h",) * 3
    assert not deploy(todo, rendered(todo), protect=False).one(STACK).request.protect


def test_what_holds_no_data_is_not_protected(todo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend of functions: a plain `pulumi destroy` takes it down."""
    monkeypatch.setattr(amplify_backend, "contents", lambda _: Contents(stateful=False, transforms=False))
    assert not deploy(todo, rendered(todo)).one(STACK).request.protect


def test_under_mocks_no_termination_protection_is_turned_off(todo: Any) -> None:
    """Else a team's own tests of `protect: false` call AWS."""
    asked: list[Any] = []
    terminable = Terminable(lambda _: False, lambda *given: asked.append(given))
    assert not deploy(todo, rendered(todo), protect=False, terminable=terminable).one(STACK).request.protect
    assert asked == []


@pytest.mark.parametrize(
    ("wanted", "instead", "protected", "turned_off"),
    [(True, False, True, 0), (None, False, False, 0), (False, False, False, 1), (False, True, False, 0)],
)
def test_the_engine_protects_what_cloudformation_keeps(
    todo: Any, monkeypatch: pytest.MonkeyPatch, *, wanted: bool | None, instead: bool, protected: bool, turned_off: int
) -> None:
    """A plain destroy of one that CloudFormation alone keeps would forget it. On the way to the root, what it gives up
    is there still."""
    off: list[str] = []
    monkeypatch.setattr(amplify_backend, "may_be_deleted", lambda *_: off.append("off"))
    terminable, root = Terminable(lambda _: wanted, lambda *_: None), rendered(todo)
    recording = deploy(todo, root, protect=False, terminable=terminable, instead=root if instead else None)
    assert bool(recording.one(STACK).request.protect) is protected
    assert len(off) == turned_off


def test_the_api_keys_date_stays_unless_it_is_configured(todo: Any) -> None:
    stack = deploy(todo, rendered(todo)).one(STACK)
    assert "parameters.ApiKeyExpires" in stack.request.ignoreChanges
    # The engine drops an ignored property that the state has not: the root must have sent it from the beginning.
    assert "ApiKeyExpires" in stack.inputs["parameters"]
    moving = deploy(todo, rendered(todo), keep_api_key_expiry=False).one(STACK).request
    assert "parameters.ApiKeyExpires" not in moving.ignoreChanges
    # Whatever the date does: a stack that was not made here lacks these, and would be replaced for them.
    for request in (stack.request, moving):
        assert {"onFailure", "disableRollback", "timeoutInMinutes"} <= set(request.ignoreChanges)
        # Set by whoever watches the account's stacks: the provider would send an empty list, which takes them away.
        assert "notificationArns" in request.ignoreChanges


def test_an_adopted_root_is_imported_as_it_runs_and_protected(todo: Any) -> None:
    arn = f"arn:aws:cloudformation:eu-west-1:012345678901:stack/{rendered(todo).stack_name}/1"
    recording = deploy(todo, rendered(todo), adopted=arn, protect=False)
    request = recording.one(STACK).request
    assert request.importId == arn
    assert request.protect
    assert recording.one(STACK).inputs.keys() - {"name"} <= set(request.ignoreChanges)
    # The engine drops an ignored property that is new, and this one is: all or nothing.
    assert "parameters.ApiKeyExpires" not in request.ignoreChanges
    assert not deploy(todo, rendered(todo)).one(STACK).request.importId


def test_nothing_is_made_for_the_secrets_of_what_is_adopted() -> None:
    assembly = assembly_of(folder("fullapp"))
    root = rendered(assembly, secrets=frozenset({KEY}))
    types = {r.type for r in deploy(assembly, root, adopted="arn", secrets={KEY: "hush"}).resources}
    assert not types & {SECRET, VERSION}
    assert types & {STACK}


def test_an_execution_role_and_a_macro_reach_cloudformation(todo: Any) -> None:
    with_macro = replace(todo, root_template={**todo.root_template, "Transform": "AWS::LanguageExtensions"})
    role = "arn:aws:iam::012345678901:role/execution"
    stack = deploy(with_macro, rendered(todo), execution_role_arn=role).one(STACK)
    assert stack.inputs["capabilities"] == ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert stack.inputs["iamRoleArn"] == role


def test_a_changed_stack_name_is_refused_even_without_protection(todo: Any) -> None:
    first = {"backend-identity": {"output": {"the root stack's name": "amplify-mytodoapp-old-5af8b"}}}
    for preview in (True, False):
        with pytest.raises(pulumi.RunError, match="amplify-mytodoapp-old-5af8b") as caught:
            deploy(todo, rendered(todo), protect=False, states=first, preview=preview)
        assert "another backend is another Pulumi stack" in str(caught.value)


# --- publishing -----------------------------------------------------------------------------------------------------


def test_publishing_waits_for_a_create_or_an_update(todo: Any) -> None:
    root, published = rendered(todo), Published()
    recording = deploy(todo, root, publisher=published)
    hooks = recording.one(STACK).request.hooks
    assert list(hooks.before_create) == list(hooks.before_update) == ["backend-publish"]
    assert not hooks.before_delete  # with one, a plain `pulumi destroy` would fail
    assert published == []
    recording.run_hook("backend-publish")
    assert published == [(todo, root)]


def test_a_change_is_asked_for_before_it_is_published(todo: Any) -> None:
    root, asked = rendered(todo), []
    recording = deploy(todo, root, may_change=lambda *given: asked.append(given))
    request = recording.one(STACK).request
    assert (
        list(request.hooks.before_create) == list(request.hooks.before_update) == ["backend-check", "backend-publish"]
    )
    # Else a replacement would begin with the deletion, before anybody is asked.
    assert request.deleteBeforeReplaceDefined
    assert not request.deleteBeforeReplace
    assert asked == []  # under mocks nothing is asked of AWS
    recording.run_hook("backend-check")
    assert asked == [(root, True)]


def test_publishing_does_not_stop_the_programs_event_loop(todo: Any) -> None:
    threads = []
    recording = deploy(todo, rendered(todo), publisher=lambda *_: threads.append(threading.current_thread()))
    recording.run_hook("backend-publish")
    assert threads != [threading.main_thread()]


def test_a_refused_publish_fails_the_hook_in_its_own_words(todo: Any) -> None:
    def refuse(*_: Any) -> None:
        raise PublishError("the credentials belong to account 2", where="account 1", remedy="use the right profile")

    recording = deploy(todo, rendered(todo), publisher=refuse)
    with pytest.raises(PublishError) as caught:
        recording.run_hook("backend-publish")
    assert str(caught.value) == "account 1: the credentials belong to account 2\n  -> use the right profile"


# --- secrets --------------------------------------------------------------------------------------------------------


def with_secret(value: Any = "s3cret") -> Any:
    assembly = assembly_of(folder("fullapp"))
    root = rendered(assembly, secrets=frozenset({KEY}))
    return root, deploy(assembly, root, secrets={KEY: value})


def test_a_secret_goes_to_secrets_manager_and_its_version_to_the_stack() -> None:
    root, recording = with_secret()
    [entry] = root.secrets
    secret, version, stack = recording.one(SECRET), recording.one(VERSION), recording.one(STACK)
    assert secret.inputs["name"] == entry.secret_name
    assert secret.inputs["recoveryWindowInDays"] == 30  # what goes can be restored: it may have another value than ours
    assert version.inputs["secretStringWo"] == "s3cret"
    assert stack.inputs["parameters"][entry.version_parameter] == f"version-of-{version.name}"
    assert version.urn in stack.depends_on


@pytest.mark.parametrize(("value", "says"), [("", "is empty"), ("x" * 4097, "has 4,097 bytes")])
def test_a_secret_that_aws_would_not_take_is_refused_before_anything_is_made(value: str, says: str) -> None:
    """PutSecretValue refuses the one, the nested stack's parameter the other, once the secret is there."""
    with pytest.raises(pulumi.RunError, match=says) as caught:
        with_secret(value)
    assert "xxxx" not in str(caught.value)


def test_a_secrets_name_is_made_free_before_it_is_made() -> None:
    assembly = assembly_of(folder("fullapp"))
    root, asked = rendered(assembly, secrets=frozenset({KEY})), []
    recording = deploy(assembly, root, secrets={KEY: "s3cret"}, free_secret=lambda *given: asked.append(given))
    secret = recording.one(SECRET)
    [hook] = secret.request.hooks.before_create
    assert not secret.request.hooks.before_delete  # with one, a plain `pulumi destroy` would fail
    recording.run_hook(hook)
    assert asked == [(secret.inputs["name"], secret.inputs["description"])]


def test_a_secret_stays_secret_and_reaches_nothing_else() -> None:
    root, recording = with_secret()
    assert recording.one(VERSION).secret == {"secretStringWo", "secretStringWoVersion"}
    assert b"s3cret" not in root.body
    for resource in recording.resources:
        if resource.type != VERSION:
            assert "s3cret" not in repr(resource.inputs), resource.type


def test_its_number_changes_with_the_value_and_tells_nothing_of_another_secret() -> None:
    def number(value: str) -> int:
        return int(with_secret(value)[1].one(VERSION).inputs["secretStringWoVersion"])

    assert number("s3cret") == number("s3cret") != number("another")
    assert 0 < number("s3cret") < 2**31


def test_a_secret_without_value_is_refused() -> None:
    assembly = assembly_of(folder("fullapp"))
    with pytest.raises(pulumi.RunError, match=r"authfullappauth\.smsVerificationMessage has no value"):
        deploy(assembly, rendered(assembly, secrets=frozenset({KEY})))


# --- files of buckets that the stack makes ---------------------------------------------------------------------------


def test_verification_pages_are_uploaded_after_the_stack(todo: Any) -> None:
    item = next(o for o in todo.objects if o.kind == "schema")
    page = BucketFile("authx", "verificationbucket", "index.html", item.key, "text/html")
    recording = deploy(replace(todo, bucket_files=(page,)), rendered(todo))
    stack = recording.one(STACK)
    uploaded = recording.one("aws:s3/bucketObjectv2:BucketObjectv2")
    assert uploaded.inputs == {
        "bucket": "verificationbucket-prod",
        "key": "index.html",
        "acl": "public-read",
        "contentType": "text/html",
        "contentBase64": base64.b64encode(todo.read(item.key)).decode(),
    }
    ownership = recording.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
    access = recording.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    assert {ownership.urn, access.urn} <= uploaded.depends_on
    assert stack.urn in ownership.depends_on & access.depends_on
    assert ownership.inputs["rule"] == {"objectOwnership": "ObjectWriter"}
    assert (access.inputs["blockPublicAcls"], access.inputs["ignorePublicAcls"]) == (False, False)


# --- what it made ---------------------------------------------------------------------------------------------------


def ask(project: str, question: Any) -> Any:
    assembly = assembly_of(folder(project))
    return deploy(assembly, rendered(assembly), question).exports["result"]


def test_accessors_give_what_the_nested_stacks_say() -> None:
    def everything(backend: AmplifyBackend) -> dict[str, Any]:
        api, pool, hello = backend.graphql_api, backend.user_pool, backend.function("helloFn")
        rest = backend.rest_api("itemsapi")
        return {
            "api": [api.api_id, api.endpoint, api.api_key],
            "pool": [pool.id, pool.arn, dict(pool.client_ids)],
            "identity": backend.identity_pool.id,
            "function": [hello.name, hello.arn, hello.role_arn],
            "rest": [rest.api_id, rest.url],
            "bucket": backend.bucket.name,
            "nested": dict(backend.nested("storagefullappstorage").outputs),
        }

    assert ask("fullapp", everything) == {
        "api": [
            "apifullapp.GraphQLAPIIdOutput",
            "apifullapp.GraphQLAPIEndpointOutput",
            "apifullapp.GraphQLAPIKeyOutput",
        ],
        "pool": [
            "authfullappauth.UserPoolId",
            "authfullappauth.UserPoolArn",
            {"UserPoolClient": "authfullappauth.AppClientID", "UserPoolClientWeb": "authfullappauth.AppClientIDWeb"},
        ],
        "identity": "authfullappauth.IdentityPoolId",
        "function": ["functionhelloFn.Name", "functionhelloFn.Arn", "functionhelloFn.LambdaExecutionRoleArn"],
        "rest": ["apiitemsapi.ApiId", "apiitemsapi.RootUrl"],
        "bucket": "storagefullappstorage.BucketName",
        "nested": {
            "BucketName": "storagefullappstorage.BucketName",
            "Region": "storagefullappstorage.Region",
        },
    }


def test_an_api_without_key_has_none() -> None:
    assert ask("iamapp", lambda backend: backend.graphql_api.api_key is None) is True


POOL = {"Type": "AWS::Cognito::UserPool", "Properties": {}}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {}}
FUNCTION = "function/helloFn/helloFn-cloudformation-template.json"
API = "api/fullapp/cloudformation-template.json"


def test_of_several_the_one_that_amplify_makes_is_meant(tmp_path: Path) -> None:
    """A pool and a bucket of a custom resource, a second role beside a function's, an API key under a condition (that
    of every API of transformer 1)."""
    export = linked_export("full", tmp_path / "export")
    add(export, "custom", "more", {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "Pool": POOL}})
    apply(
        export,
        [
            ["set", FUNCTION, "/Resources/AnotherRole", ROLE],
            ["set", API, "/Conditions", {"HasKey": {"Fn::Equals": [{"Ref": "env"}, "prod"]}}],
            ["set", API, "/Outputs/GraphQLAPIKeyOutput/Condition", "HasKey"],
        ],
    )
    assembly = assemble(read_export(export))

    def asked(backend: AmplifyBackend) -> list[Any]:
        api, function = backend.graphql_api, backend.function("helloFn")
        return [backend.user_pool.id, backend.bucket.name, function.role_arn, api.endpoint, api.api_key]

    assert deploy(assembly, rendered(assembly), asked).exports["result"] == [
        "authfullappauth.UserPoolId",
        "storagefullappstorage.BucketName",
        "functionhelloFn.LambdaExecutionRoleArn",
        "apifullapp.GraphQLAPIEndpointOutput",
        None,
    ]


def test_a_pool_or_an_api_of_a_custom_resource_alone_stops_no_program(tmp_path: Path) -> None:
    """What every environment exports is left out where nobody can tell it."""
    export = linked_export("todo", tmp_path / "export")
    add(
        export, "custom", "more", {"Resources": {"One": POOL, "Two": POOL, "Api": {"Type": "AWS::AppSync::GraphQLApi"}}}
    )
    assembly = assemble(read_export(export))
    result = deploy(assembly, rendered(assembly), outputs).exports["result"]
    assert "userPoolId" not in result
    assert result["graphqlEndpoint"] == "apimytodoapp.GraphQLAPIEndpointOutput"


def test_has_asks_beforehand() -> None:
    types = ["AWS::AppSync::GraphQLApi", "AWS::S3::Bucket"]
    assert ask("mytodoapp", lambda backend: [backend.has(t) for t in types]) == [True, False]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (lambda b: b.bucket, "there is no AWS::S3::Bucket"),
        (lambda b: b.function("resize"), "there is no function 'resize'"),
        (lambda b: b.output("apimytodoapp", "Endpoint"), "apimytodoapp has GraphQLAPIEndpointOutput"),
        (lambda b: b.nested("apiother"), "there are apimytodoapp"),
    ],
)
def test_what_is_not_there_is_an_error_in_one_sentence(question: Any, says: str) -> None:
    with pytest.raises(pulumi.RunError, match=says):
        ask("mytodoapp", question)


def test_outputs_are_unknown_in_a_preview_that_changes_the_stack(todo: Any) -> None:
    recording = deploy(todo, rendered(todo), lambda b: b.graphql_api.endpoint, preview=True)
    assert recording.exports["result"] == UNKNOWN


def test_a_failure_below_the_root_stack_is_explained(todo: Any) -> None:
    asked: list[str] = []

    def explain(error: str) -> list[str]:
        asked.append(error)
        return ["authapp/Client (AWS::Cognito::UserPoolClient): the name is taken"]

    recording = deploy(todo, rendered(todo), explain=explain)
    assert list(recording.one(STACK).request.hooks.on_error) == ["backend-explain"]
    assert recording.run_error_hook("backend-explain", "waiting for CloudFormation Stack (arn)") is False
    assert asked == ["waiting for CloudFormation Stack (arn)"]

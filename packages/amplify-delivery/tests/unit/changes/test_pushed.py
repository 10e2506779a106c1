"""A colleague's `amplify push` is told as what it is."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from amplify_delivery.changes.amplify.pushed import notes, pushed_since
from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.model import STACK_TYPE
from unit.delivery.planning.stacks_of import changed, stacks_of, with_resource, without

BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
STATE = [{"type": ROOT_STACK, "inputs": {"parameters": {TEMPLATE_KEY: "templates/x.json"}}}]
"""What the engine remembers of a delivery."""
ADOPTED = [{"type": ROOT_STACK, "inputs": {"parameters": {"AuthRoleName": "a"}}}]


def as_pushed(stacks: Stacks) -> Stacks:
    """The backend as the CLI leaves it: addresses in the deployment bucket, and nothing of ours in root and roles."""
    templates = {path: copy.deepcopy(dict(body)) for path, body in stacks.templates.items()}
    for template in templates.values():
        for name, item in template["Resources"].items():
            (item.get("Properties") or {}).pop("PermissionsBoundary", None)
            if item["Type"] == STACK_TYPE:
                item["Properties"]["TemplateURL"] = f"https://s3.amazonaws.com/bucket/{name}.json"
    parameters = {k: v for k, v in stacks.parameters.items() if k != TEMPLATE_KEY}
    return Stacks(templates, parameters)


def told(deployed: Stacks, wanted: Stacks, state: Any = STATE, same: Collection[str] = ()) -> tuple[str, ...]:
    return notes(deployed, state, plan_backend(deployed, wanted), same)


def test_a_push_is_recognised() -> None:
    wanted = stacks_of("full", BOUNDARY)
    assert pushed_since(as_pushed(wanted), STATE)
    assert not pushed_since(wanted, STATE)
    assert not pushed_since(None, STATE)
    assert not pushed_since(as_pushed(wanted), ADOPTED)
    assert not pushed_since(as_pushed(wanted), [])
    assert told(wanted, wanted) == told(as_pushed(wanted), wanted, ADOPTED) == ()


def test_what_another_tool_has_deployed_is_no_push() -> None:
    """Only the CLI's roots have its bucket and the two roles."""
    wanted = stacks_of("full")
    assert not pushed_since(without(as_pushed(wanted), "AuthRole"), STATE)


def test_texts_of_resolvers_are_counted_apart() -> None:
    """The CLI writes names of the environment into them: that a text differs does not say that somebody changed it."""
    wanted = stacks_of("full")
    resolver = next(
        "/".join(path) for path, item in wanted.resolved.resources.items() if item.type == "AWS::AppSync::Resolver"
    )
    theirs = with_resource(as_pushed(wanted), resolver, RequestMappingTemplate="main")
    (first,) = told(theirs, wanted)
    assert "nothing that it brought is missing in the export. Not counted: resolvers whose text differs (1)" in first
    both = with_resource(theirs, resolver, MaxBatchSize=3)
    (first,) = told(both, wanted)
    assert f"(1: {resolver})" in first
    assert "Not counted" not in first
    assert "Not counted" not in told(as_pushed(wanted), stacks_of("full", BOUNDARY))[0]


def test_it_says_what_the_push_has_undone() -> None:
    wanted = stacks_of("full", BOUNDARY)
    roles = sum(r.type == "AWS::IAM::Role" for r in wanted.resolved.resources.values())
    first, second = told(as_pushed(wanted), wanted)
    assert "nothing that it brought is missing in the export" in first
    assert f"the permissions boundary ({roles})" in second


def test_it_says_that_nobody_gets_credentials_of_aws() -> None:
    """The template of an adopted environment has the auth roles' true trust, the CLI's denies everybody; the custom
    resource that would set it does not run again (found with the Amplify CLI 14.2.2)."""
    found = stacks_of("full")
    statement = {"Effect": "Allow", "Principal": {"Federated": "cognito-identity.amazonaws.com"}, "Action": "sts:Any"}
    wanted = with_resource(found, "AuthRole", AssumeRolePolicyDocument={"Statement": [statement]})
    _, second = told(as_pushed(found), wanted)
    assert "the auth roles' trust in the template (1)" in second
    assert "no user of the app, and no guest, gets new credentials of AWS" in second
    assert "credentials" not in " ".join(told(as_pushed(stacks_of("full", BOUNDARY)), stacks_of("full", BOUNDARY)))


def test_it_says_what_the_push_may_have_deleted_with_its_data() -> None:
    """Somebody pushes a checkout of before: the CLI compares it with its own last push, and has nothing to ask."""
    wanted = stacks_of("full")
    older = as_pushed(without(wanted, "apifullapp/TodoList"))
    (last,) = [note for note in told(older, wanted) if "holds data" in note]
    assert "(1: apifullapp/TodoList/TodoListTable)" in last
    assert "with its data" in last
    assert not [note for note in told(as_pushed(wanted), wanted) if "holds data" in note]


def test_it_says_what_the_deployment_would_undo() -> None:
    wanted = stacks_of("full")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {}}
    colleague = changed(as_pushed(wanted), "", lambda t: t["Resources"].update(Topic=topic))

    def longer(template: dict[str, Any]) -> None:
        template["Resources"]["UserPool"]["Properties"]["EmailVerificationSubject"] = "theirs"

    auth = next(path[0] for path in wanted.templates if path and path[0].startswith("auth"))
    first = told(changed(colleague, auth, longer), wanted)[0]
    assert f"(2: {auth}/UserPool, Topic)" in first or f"(2: Topic, {auth}/UserPool)" in first
    assert "`amplify pull`, `amplify export`" in first


def test_what_only_lies_elsewhere_is_nobodys_change() -> None:
    wanted = stacks_of("full")

    def elsewhere(template: dict[str, Any]) -> None:
        template["Resources"]["LambdaFunction"]["Properties"]["Code"] = {"S3Bucket": "other", "S3Key": "code.zip"}

    function = next(path[0] for path in wanted.templates if path and path[0].startswith("function"))
    moved = changed(as_pushed(wanted), function, elsewhere)
    place = f"{function}/LambdaFunction"
    assert place in told(moved, wanted)[0]
    assert "nothing that it brought" in told(moved, wanted, same=[place])[0]

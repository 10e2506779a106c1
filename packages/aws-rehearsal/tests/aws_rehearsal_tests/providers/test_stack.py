"""A CloudFormation stack in a Pulumi program: the real engine, the stand-in for pulumi-aws, the local AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Value"}}}
CHILD = {
    "Parameters": {"Value": {"Type": "String"}},
    "Resources": {"Parameter": PARAMETER},
    "Outputs": {"Name": {"Value": {"Ref": "Parameter"}}},
}
# Nothing of this type can be made with these properties.
BROKEN = {
    "Type": "AWS::Lambda::Function",
    "Properties": {"Code": {"S3Bucket": "no-such", "S3Key": "x.zip"}, "Role": "r"},
}
TOPIC = {"Type": "AWS::SNS::Topic"}
PLAIN = {"Parameters": {"Value": {"Type": "String"}}, "Resources": {"Parameter": PARAMETER}}
PROGRAM = """
    values = json.loads(os.environ.get("PARAMETERS", "{}"))
    stack = aws.cloudformation.Stack(
        "app",
        name="app",
        template_body=open("template.json").read(),
        parameters=pulumi.Output.secret(values) if os.environ.get("SECRET") else values,
        opts=pulumi.ResourceOptions(**json.loads(os.environ.get("OPTIONS", "{}"))),
        **json.loads(os.environ.get("MORE", '{"on_failure": "DELETE"}')),
    )
    pulumi.export("outputs", stack.outputs)
"""


def template(project: PulumiProject, document: Any) -> None:
    (project.folder / "template.json").write_text(json.dumps(document))


def statuses(project: PulumiProject) -> list[str]:
    stacks = project.developer.client("cloudformation").list_stacks()["StackSummaries"]
    return [stack["StackStatus"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]


def nested(project: PulumiProject) -> dict[str, Any]:
    child = {"TemplateURL": project.developer.upload("child.json", CHILD), "Parameters": {"Value": {"Ref": "Value"}}}
    return {
        "Parameters": {"Value": {"Type": "String"}},
        "Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": child}},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}}},
    }


def test_life_of_a_stack_with_a_nested_one(project: PulumiProject) -> None:
    template(project, nested(project))
    project.init().program(PROGRAM)
    assert "warning" not in project.up(PARAMETERS='{"Value": "1"}')
    name = project.outputs()["outputs"]["Name"]
    read = project.developer.client("ssm").get_parameter
    assert read(Name=name)["Parameter"]["Value"] == "1"

    assert "2 unchanged" in project.up("--refresh", PARAMETERS='{"Value": "1"}')

    assert "~ 1 updated" in project.up(PARAMETERS='{"Value": "2"}')
    assert read(Name=project.outputs()["outputs"]["Name"])["Parameter"]["Value"] == "2"

    project.succeed("destroy", "--yes", "--skip-preview")
    assert statuses(project) == []


def test_a_failed_first_create_stays_in_the_state_half_made(project: PulumiProject) -> None:
    template(project, {**PLAIN, "Resources": {"Parameter": PARAMETER, "Broken": BROKEN}})
    project.init().program(PROGRAM)
    said = project.fail(PARAMETERS='{"Value": "1"}')
    assert "waiting for CloudFormation Stack (arn:aws:cloudformation:" in said
    assert "stack status (DELETE_COMPLETE): Broken: " in said
    assert statuses(project) == []
    half_made = project.resources()["app"]
    assert half_made["id"].startswith("arn:aws:cloudformation:")
    assert half_made["initErrors"]

    # Without a refresh the next one updates what is gone; with one it is made.
    template(project, PLAIN)
    assert "does not exist" in project.fail(PARAMETERS='{"Value": "1"}')
    project.settings("options:\n  refresh: always\n")
    assert "+ 1 created" in project.up(PARAMETERS='{"Value": "1"}')
    assert statuses(project) == ["CREATE_COMPLETE"]


def test_a_failing_update_says_what_and_why_and_the_next_good_one_works(project: PulumiProject) -> None:
    template(project, PLAIN)
    project.init().program(PROGRAM)
    project.up(PARAMETERS='{"Value": "1"}')
    template(project, {**PLAIN, "Resources": {"Parameter": PARAMETER, "Broken": BROKEN}})
    said = project.fail(PARAMETERS='{"Value": "2"}')
    assert "stack status (UPDATE_ROLLBACK_COMPLETE): Broken: " in said
    assert "bucket does not exist" in said
    assert statuses(project) == ["UPDATE_ROLLBACK_COMPLETE"]
    assert "stack status (UPDATE_ROLLBACK_COMPLETE): Broken: " in project.fail(PARAMETERS='{"Value": "2"}')
    template(project, PLAIN)
    assert "~ 1 updated" in project.up(PARAMETERS='{"Value": "3"}')


def test_a_refresh_forgets_a_failed_update_of_the_template_s_url(project: PulumiProject) -> None:
    """As the real provider: the state has the new URL already, and DescribeStacks tells none to compare it with."""
    bodies: list[dict[str, Any]] = [{"Resources": {"Topic": TOPIC}}, {"Resources": {"Topic": TOPIC, "Broken": BROKEN}}]
    urls = [project.developer.upload(f"{index}.json", document) for index, document in enumerate(bodies)]
    project.init().program("""
        aws.cloudformation.Stack("app", name="app", template_url=os.environ["URL"], on_failure="DELETE")
    """)
    project.up(URL=urls[0])
    project.fail(URL=urls[1])
    project.fail(URL=urls[1])
    assert "2 unchanged" in project.up("--refresh", URL=urls[1])
    assert statuses(project) == ["UPDATE_ROLLBACK_COMPLETE"]


def test_a_noecho_parameter_is_masked_by_every_read_and_never_in_clear_in_the_state(project: PulumiProject) -> None:
    secret = f"hush-{project.developer.account}"
    given = {"PARAMETERS": json.dumps({"Value": secret}), "SECRET": "yes"}
    template(project, {**PLAIN, "Parameters": {"Value": {"Type": "String", "NoEcho": True}}})
    project.init().program(PROGRAM)
    assert secret not in project.up(**given)
    # A create ends with a read: from then on state and program differ, and every update sends the value again.
    assert "~ 1 updated" in project.up(**given)
    assert "[diff: ~parameters]" in project.up("--refresh", **given)
    assert secret not in project.state()
    resources = json.loads(project.succeed("stack", "export", "--show-secrets"))["deployment"]["resources"]
    shown = [resource["outputs"]["parameters"] for resource in resources if resource["urn"].endswith("::app")]
    assert "****" in json.dumps(shown)
    assert secret not in json.dumps(shown)


def test_what_changes_only_with_a_new_stack(project: PulumiProject) -> None:
    template(project, PLAIN)
    project.init().program(PROGRAM)
    project.up(PARAMETERS='{"Value": "1"}')
    planned = project.succeed("preview", PARAMETERS='{"Value": "1"}', MORE='{"on_failure": "ROLLBACK"}')
    assert "+-1 to replace" in planned
    planned = project.succeed(
        "preview", PARAMETERS='{"Value": "1"}', MORE='{"on_failure": "DELETE", "tags": {"a": "b"}}'
    )
    assert "~ 1 to update" in planned


def test_an_existing_stack_is_adopted(project: PulumiProject) -> None:
    project.developer.create(PLAIN, "app", Parameters=[{"ParameterKey": "Value", "ParameterValue": "1"}])
    template(project, PLAIN)
    project.init().program(PROGRAM)
    ignored = ["onFailure", "capabilities"]
    adopt = json.dumps({"import_": "app", "ignore_changes": [*ignored, "parameters"]})
    assert "= 1 imported" in project.up(PARAMETERS='{"Value": "1"}', OPTIONS=adopt)
    assert len(statuses(project)) == 1
    assert "~ 1 updated" in project.up(PARAMETERS='{"Value": "2"}', OPTIONS=json.dumps({"ignore_changes": ignored}))
    assert project.developer.stack("app")["Parameters"][0]["ParameterValue"] == "2"


def test_a_stack_left_in_review_is_in_the_way(project: PulumiProject) -> None:
    project.developer.client("cloudformation").create_change_set(
        StackName="app", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(PLAIN),
        Parameters=[{"ParameterKey": "Value", "ParameterValue": "1"}],
    )  # fmt: skip
    template(project, PLAIN)
    project.init().program(PROGRAM)
    said = project.fail(PARAMETERS='{"Value": "1"}')
    print(said)
    assert "operation error CloudFormation: CreateStack" in said
    assert "AlreadyExistsException: Stack [app] already exists" in said


def test_a_stack_policy_that_denies_updates_is_obeyed(project: PulumiProject) -> None:
    template(project, PLAIN)
    deny = {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    more = json.dumps({"policy_body": json.dumps(deny)})
    project.init().program(PROGRAM)
    project.up(PARAMETERS='{"Value": "1"}', MORE=more)
    said = project.fail(PARAMETERS='{"Value": "2"}', MORE=more)
    assert "Action denied by stack policy" in said

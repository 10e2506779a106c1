"""Stacks of the local AWS behave as CloudFormation's: each test fails without the patch it is named after."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests.local_account import SOON, LocalAccount, Template
from aws_rehearsal_tests.stuck_stacks import end_waiting
from functional.enforcement.execution_role import document, execution_role


def parameter(value: Any = "value", **more: Any) -> Template:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **more}}


def bucket(name: str | None = None, policy: str | None = None) -> Template:
    found: Template = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name} if name else {}}
    return {**found, "DeletionPolicy": policy} if policy else found


def nested(url: str, **parameters: Any) -> Template:
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": parameters}}


def resources(**found: Template) -> Template:
    return {"Resources": found}


FAILING = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "NoSuchType", "Value": "value"}}


def failing_after(*logical_ids: str) -> Template:
    return {**FAILING, "DependsOn": list(logical_ids)}


def buckets(developer: LocalAccount) -> set[str]:
    return {b["Name"] for b in developer.client("s3").list_buckets()["Buckets"]} - {developer.bucket()}


# Nested stacks


def test_nested_update_keeps_the_attributes_of_unchanged_resources(developer: LocalAccount) -> None:
    arn = {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Bucket", "Arn"]}}}}
    first = developer.upload("first", {**resources(Bucket=bucket()), **arn})
    second = developer.upload("second", {**resources(Bucket=bucket(), More=parameter()), **arn})
    output = {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}}}
    developer.create({**resources(Child=nested(first)), **output})
    before = developer.outputs()

    assert developer.update({**resources(Child=nested(second)), **output})["StackStatus"] == "UPDATE_COMPLETE"
    assert developer.outputs() == before


def value(developer: LocalAccount, name: str) -> str:
    return str(developer.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def test_an_update_of_the_root_brings_back_a_nested_stack_that_was_updated_by_itself(developer: LocalAccount) -> None:
    """Two levels down, behind addresses that did not change; the same update once more has nothing to do."""
    grandchild = developer.upload("grandchild", resources(P=parameter("delivered", Name="p")))
    child = developer.upload("child", resources(Grandchild=nested(grandchild)))
    developer.create(resources(Child=nested(child)))
    by_hand = next(s["StackName"] for s in developer.children() if "-Grandchild-" in s["StackName"])
    assert developer.update(resources(P=parameter("by hand", Name="p")), by_hand)["StackStatus"] == "UPDATE_COMPLETE"
    assert value(developer, "p") == "by hand"

    cloudformation = developer.client("cloudformation")
    root = cloudformation.update_stack(StackName="stack", UsePreviousTemplate=True)["StackId"]
    assert developer.wait(root)["StackStatus"] == "UPDATE_COMPLETE"
    assert value(developer, "p") == "delivered"
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName="stack", UsePreviousTemplate=True)


def test_a_nested_stack_is_brought_back_with_the_rights_of_the_root_stacks_role(developer: LocalAccount) -> None:
    child = developer.upload("child", resources(P=parameter("delivered", Name="p")))
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = execution_role(developer, everything)
    developer.create(resources(Child=nested(child)), RoleARN=role)
    (by_hand,) = (s["StackName"] for s in developer.children())
    developer.update(resources(P=parameter("by hand", Name="p")), by_hand)
    denied = {"Effect": "Deny", "Action": "cloudformation:UpdateStack", "Resource": "*"}
    developer.client("iam").put_role_policy(
        RoleName="execution", PolicyName="rights", PolicyDocument=document(everything, denied)
    )
    root = developer.client("cloudformation").update_stack(StackName="stack", UsePreviousTemplate=True)["StackId"]
    assert developer.wait(root)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "cloudformation:UpdateStack" in developer.reasons()["Child"]
    assert value(developer, "p") == "by hand"


@pytest.mark.parametrize(
    ("policy", "left"), [(None, False), ("Delete", False), ("RetainExceptOnCreate", False), ("Retain", True)]
)
def test_failed_nested_create_leaves_only_what_is_retained(
    developer: LocalAccount, policy: str | None, left: bool
) -> None:
    name = f"content-{developer.account}"
    child = developer.upload("child", resources(Bucket=bucket(name, policy), Failing=failing_after("Bucket")))

    assert developer.create(resources(Child=nested(child)))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (name in buckets(developer)) is left


@pytest.mark.parametrize(("policy", "left"), [("RetainExceptOnCreate", False), ("Retain", True)])
def test_finished_child_of_a_failed_create_is_rolled_back_too(developer: LocalAccount, policy: str, left: bool) -> None:
    name = f"content-{developer.account}"
    grandchild = developer.upload("grandchild", resources(Bucket=bucket(name, policy)))
    child = developer.upload("child", resources(Grandchild=nested(grandchild)))
    template = resources(Child=nested(child), Failing=failing_after("Child"))

    assert developer.create(template)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (name in buckets(developer)) is left


@pytest.mark.parametrize("policy", ["RetainExceptOnCreate", "Retain"])
def test_retained_bucket_of_a_nested_stack_outlives_its_deletion(developer: LocalAccount, policy: str) -> None:
    name = f"content-{developer.account}"
    child = developer.upload("child", resources(Bucket=bucket(name, policy)))
    developer.create(resources(Child=nested(child)))

    assert developer.delete()["StackStatus"] == "DELETE_COMPLETE"
    assert buckets(developer) == {name}


@pytest.mark.processes
def test_one_operation_makes_so_many_resources_at_most() -> None:
    """2,500 on AWS; what is there already does not count."""
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    with LocalAws(operation_limit=20) as aws:
        account = random_account()
        developer = LocalAccount(aws, account, aws.make_admin(account))
        child = nested(developer.upload("child", resources(**{f"Handle{n}": handle for n in range(9)})))
        assert developer.create(resources(A=child, B=child), "fits")["StackStatus"] == "CREATE_COMPLETE"
        assert developer.create(resources(A=child, B=child, C=child), "more")["StackStatus"] == "ROLLBACK_COMPLETE"
        events = developer.client("cloudformation").describe_stack_events(StackName="more")["StackEvents"]
        reasons = [event.get("ResourceStatusReason", "") for event in events]
        assert any("Limit on the number of resources in a single stack operation exceeded" in text for text in reasons)
        assert developer.update(resources(A=child, B=child, C=child), "fits")["StackStatus"] == "UPDATE_COMPLETE"


def test_retry_after_a_failed_create_works(developer: LocalAccount) -> None:
    name = f"content-{developer.account}"
    bad = developer.upload("bad", resources(Bucket=bucket(name, "RetainExceptOnCreate"), F=failing_after("Bucket")))
    good = developer.upload("good", resources(Bucket=bucket(name, "RetainExceptOnCreate")))
    developer.create(resources(Child=nested(bad)), OnFailure="DELETE")

    assert developer.create(resources(Child=nested(good)))["StackStatus"] == "CREATE_COMPLETE"


def test_on_failure_delete_leaves_no_stack_and_nothing_of_it(developer: LocalAccount) -> None:
    child = developer.upload("child", resources(Bucket=bucket(), Failing=failing_after("Bucket")))
    stack = developer.create(resources(Child=nested(child), Other=bucket()), OnFailure="DELETE")

    assert stack["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        developer.stack("stack")
    assert [c["StackStatus"] for c in developer.children()] == ["DELETE_COMPLETE"]
    assert buckets(developer) == set()


def test_stack_that_failed_with_its_child_is_deleted_with_it(developer: LocalAccount) -> None:
    child = developer.upload("child", resources(Bucket=bucket(), Failing=failing_after("Bucket")))
    assert developer.create(resources(Child=nested(child)), OnFailure="DO_NOTHING")["StackStatus"] == "CREATE_FAILED"
    assert len(buckets(developer)) == 1

    developer.delete()
    assert buckets(developer) == set()
    assert [c["StackStatus"] for c in developer.children()] == ["DELETE_COMPLETE"]


def test_failing_nested_update_is_rolled_back_in_all_children(developer: LocalAccount) -> None:
    def child(value: str, **more: Template) -> str:
        return developer.upload(f"{value}-{len(more)}", resources(P=parameter(value, Name=f"/{value[0]}"), **more))

    developer.create(resources(A=nested(child("a-old")), B=nested(child("b-old"))))
    later = {**nested(child("b-new", Failing=failing_after("P"))), "DependsOn": "A"}
    stack = developer.update(resources(A=nested(child("a-new")), B=later))

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert {c["StackStatus"] for c in developer.children()} == {"UPDATE_ROLLBACK_COMPLETE"}
    ssm = developer.client("ssm")
    values = {name: ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in ("/a", "/b")}
    assert values == {"/a": "a-old", "/b": "b-old"}
    assert developer.update(resources(A=nested(child("a-new"))))["StackStatus"] == "UPDATE_COMPLETE"


def test_parent_says_which_child_failed_and_the_child_why(developer: LocalAccount) -> None:
    child = developer.upload("child", resources(Failing=FAILING))
    developer.create(resources(Child=nested(child)))

    [found] = developer.children()
    reason = developer.reasons()["Child"]
    assert reason.startswith(f"Embedded stack {found['StackId']} was not successfully created")
    assert "failed to create: [Failing]" in reason
    assert "NoSuchType" in developer.reasons(found["StackId"])["Failing"]


def test_a_deleted_stack_tells_when(developer: LocalAccount) -> None:
    made = developer.create(resources(P=parameter()))
    developer.delete()
    cloudformation = developer.client("cloudformation")
    [listed] = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    [described] = cloudformation.describe_stacks(StackName=made["StackId"])["Stacks"]
    assert listed["DeletionTime"] == described["DeletionTime"] >= made["CreationTime"]


def test_child_names_its_parent_and_its_root(developer: LocalAccount) -> None:
    grandchild = developer.upload("grandchild", resources(P=parameter()))
    child = developer.upload("child", resources(Grandchild=nested(grandchild)))
    root = developer.create(resources(Child=nested(child)))["StackId"]

    family = {c["StackName"].split("-")[-2]: c for c in developer.children()}
    assert family["Child"]["ParentId"] == root
    assert family["Grandchild"]["ParentId"] == family["Child"]["StackId"]
    assert {c["RootId"] for c in family.values()} == {root}


def test_secret_reference_is_resolved_before_it_is_passed_to_a_child(developer: LocalAccount) -> None:
    made = developer.client("secretsmanager").create_secret(Name="password", SecretString="hunter2")
    reference = f"{{{{resolve:secretsmanager:password:SecretString:::{made['VersionId']}}}}}"
    declared = {"Parameters": {"Password": {"Type": "String", "NoEcho": True}}}
    child = developer.upload(
        "child", {**declared, **resources(P=parameter({"Fn::Sub": "is ${Password}"}, Name="/out"))}
    )
    developer.create(resources(Child=nested(child, Password=reference)))

    assert developer.client("ssm").get_parameter(Name="/out")["Parameter"]["Value"] == "is hunter2"
    [found] = developer.children()
    assert found["Parameters"] == [{"ParameterKey": "Password", "ParameterValue": "****"}]


def test_child_with_an_unknown_resource_type_fails_before_it_makes_anything(developer: LocalAccount) -> None:
    strange = {"Type": "AWS::CodePipeline::Pipeline", "Properties": {}}
    child = developer.upload("child", resources(Bucket=bucket(), Strange=strange))
    developer.create(resources(Child=nested(child)))
    assert "Unrecognized resource types: [AWS::CodePipeline::Pipeline]" in developer.reasons()["Child"]


def test_child_whose_template_is_not_there_fails(developer: LocalAccount) -> None:
    url = f"https://s3.eu-central-1.amazonaws.com/{developer.bucket()}/no-such-key"
    assert developer.create(resources(Child=nested(url)))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "The specified key does not exist" in developer.reasons()["Child"]


# The calls


@pytest.mark.parametrize("form", ["https://s3.{region}.amazonaws.com/{bucket}/{key}",
                                  "https://s3.amazonaws.com/{bucket}/{key}",
                                  "https://{bucket}.s3.{region}.amazonaws.com/{key}"])  # fmt: skip
def test_template_url_in_all_forms_of_s3(developer: LocalAccount, form: str) -> None:
    developer.upload("folder/template.json", resources(P=parameter()))
    url = form.format(region=developer.region, bucket=developer.bucket(), key="folder/template.json")
    assert developer.create(url)["StackStatus"] == "CREATE_COMPLETE"


def test_template_url_that_is_not_s3_is_refused(developer: LocalAccount) -> None:
    with pytest.raises(ClientError, match="TemplateURL must be a supported URL"):
        developer.create("https://example.com/bucket/template.json")


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (resources(), "At least one Resources member must be defined"),
        (resources(P=parameter({"Ref": "Nobody"})), r"Unresolved resource dependencies \[Nobody\] in the Resources"),
        (
            {**resources(P=parameter()), "Outputs": {"X": {"Value": {"Fn::GetAtt": ["Gone", "Arn"]}}}},
            r"Unresolved resource dependencies \[Gone\] in the Outputs",
        ),
        (resources(P={"Type": "AWS::CodePipeline::Pipeline"}), r"types: \[AWS::CodePipeline::Pipeline\]"),
    ],
)
def test_template_that_cannot_work_is_refused(developer: LocalAccount, template: Template, sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence):
        developer.create(template)


def test_parameter_the_template_does_not_declare_is_refused(developer: LocalAccount) -> None:
    with pytest.raises(ClientError, match=r"Parameters: \[Unknown\] do not exist in the template"):
        developer.create(resources(P=parameter()), Parameters=[{"ParameterKey": "Unknown", "ParameterValue": "value"}])


def test_rolled_back_stack_keeps_its_name_until_it_is_deleted(developer: LocalAccount) -> None:
    assert developer.create(resources(P=FAILING))["StackStatus"] == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="AlreadyExists"):
        developer.create(resources(P=parameter()))
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        developer.update(resources(P=parameter()))
    developer.delete()
    assert developer.create(resources(P=parameter()))["StackStatus"] == "CREATE_COMPLETE"


def test_stack_in_review_can_not_be_updated_and_takes_its_name(developer: LocalAccount) -> None:
    template = json.dumps(resources(P=parameter()))
    cloudformation = developer.client("cloudformation")
    cloudformation.create_change_set(
        StackName="stack", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=template
    )
    assert developer.stack()["StackStatus"] == "REVIEW_IN_PROGRESS"
    with pytest.raises(ClientError, match="REVIEW_IN_PROGRESS state and can not be updated"):
        developer.update(resources(P=parameter()))
    with pytest.raises(ClientError, match="AlreadyExists"):
        developer.create(resources(P=parameter()))
    assert developer.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_a_stack_that_is_updated_can_not_be_deleted(developer: LocalAccount) -> None:
    developer.create(resources(P=parameter()))
    cloudformation = developer.client("cloudformation")
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    wait = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60"}}
    waiting = json.dumps(resources(P=parameter(), Handle=handle, Wait=wait))
    cloudformation.update_stack(StackName="stack", TemplateBody=waiting)
    said = r"ValidationError.*Stack \[arn:aws:\S+/stack/\S+\] cannot be deleted while in status UPDATE_IN_PROGRESS"
    with pytest.raises(ClientError, match=said):
        cloudformation.delete_stack(StackName="stack")
    end_waiting(cloudformation, "stack")
    cloudformation.get_waiter("stack_update_complete").wait(StackName="stack", WaiterConfig=SOON)
    assert developer.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_no_echo_parameters_are_masked_wherever_they_are_shown(developer: LocalAccount) -> None:
    template = {
        "Parameters": {"Secret": {"Type": "String", "NoEcho": True}},
        **resources(P=parameter({"Ref": "Secret"})),
    }
    given = [{"ParameterKey": "Secret", "ParameterValue": "hunter2"}]
    masked = [{"ParameterKey": "Secret", "ParameterValue": "****"}]
    assert developer.create(template, Parameters=given)["Parameters"] == masked

    cloudformation = developer.client("cloudformation")
    changed = {**given[0], "ParameterValue": "hunter3"}
    cloudformation.create_change_set(
        StackName="stack", ChangeSetName="change", TemplateBody=json.dumps(template), Parameters=[changed]
    )
    found = cloudformation.describe_change_set(StackName="stack", ChangeSetName="change")
    assert found["Parameters"] == masked


def test_stack_tells_its_execution_role(developer: LocalAccount) -> None:
    role = execution_role(developer, {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"})
    topic = developer.client("sns").create_topic(Name="watching")["TopicArn"]
    stack = developer.create(resources(P=parameter()), RoleARN=role, NotificationARNs=[topic])
    assert (stack["RoleARN"], stack["NotificationARNs"]) == (role, [topic])
    # "Specify an empty list to remove all notification topics" (UpdateStack); left out, they stay.
    assert developer.update(resources(P=parameter("b")))["NotificationARNs"] == [topic]
    assert not developer.update(resources(P=parameter("c")), NotificationARNs=[]).get("NotificationARNs")


def test_failed_create_says_what_failed(developer: LocalAccount) -> None:
    developer.create(resources(P=FAILING))
    events = developer.client("cloudformation").describe_stack_events(StackName="stack")["StackEvents"]
    [start] = [e for e in events if e["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"]
    expected = "The following resource(s) failed to create: [P]. Rollback requested by user."
    assert start["ResourceStatusReason"] == expected


# Protection


def policy(*statements: Template) -> str:
    return json.dumps({"Statement": list(statements)})


def statement(effect: str, action: str = "Update:*", resource: str = "*") -> Template:
    return {"Effect": effect, "Principal": "*", "Action": action, "Resource": resource}


ALLOW_ALL = statement("Allow")


@pytest.mark.parametrize(
    ("statements", "status"),
    [
        ([statement("Deny")], "UPDATE_ROLLBACK_COMPLETE"),
        ([ALLOW_ALL, statement("Deny", "Update:Modify", "LogicalResourceId/P")], "UPDATE_ROLLBACK_COMPLETE"),
        ([ALLOW_ALL, statement("Deny", "Update:Replace")], "UPDATE_COMPLETE"),
        ([statement("Allow", resource="LogicalResourceId/Other")], "UPDATE_ROLLBACK_COMPLETE"),
        ([ALLOW_ALL], "UPDATE_COMPLETE"),
    ],
)
def test_stack_policy_is_enforced(developer: LocalAccount, statements: list[Template], status: str) -> None:
    developer.create(resources(P=parameter("old", Name="/p")), StackPolicyBody=policy(*statements))
    assert developer.update(resources(P=parameter("new", Name="/p")))["StackStatus"] == status
    if status == "UPDATE_ROLLBACK_COMPLETE":
        assert "Action denied by stack policy" in developer.reasons()["P"]
        assert developer.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"] == "old"


def test_stack_policy_keeps_a_resource_from_being_removed(developer: LocalAccount) -> None:
    template = resources(P=parameter(), Kept=parameter(Name="/kept"))
    deny = statement("Deny", "Update:Delete", "LogicalResourceId/Kept")
    developer.create(template, StackPolicyBody=policy(ALLOW_ALL, deny))

    assert developer.update(resources(P=parameter()))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert developer.client("ssm").get_parameter(Name="/kept")


def test_stack_with_termination_protection_is_not_deleted(developer: LocalAccount) -> None:
    developer.create(resources(P=parameter()), EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        developer.delete()


def test_bucket_with_objects_keeps_its_stack_from_being_deleted(developer: LocalAccount) -> None:
    name = f"content-{developer.account}"
    child = developer.upload("child", resources(Bucket=bucket(name)))
    developer.create(resources(Child=nested(child)))
    developer.client("s3").put_object(Bucket=name, Key="object", Body=b"")

    assert developer.delete()["StackStatus"] == "DELETE_FAILED"
    assert "was not successfully deleted" in developer.reasons()["Child"]
    developer.client("s3").delete_object(Bucket=name, Key="object")
    assert developer.delete()["StackStatus"] == "DELETE_COMPLETE"


# Resources


def test_update_touches_only_what_changed(developer: LocalAccount) -> None:
    developer.create(resources(Same=parameter("a"), Other=parameter("b")))
    developer.update(resources(Same=parameter("a"), Other=parameter("c")))
    events = developer.client("cloudformation").describe_stack_events(StackName="stack")["StackEvents"]
    assert {e["LogicalResourceId"] for e in events if e["ResourceStatus"] == "UPDATE_COMPLETE"} == {"Other", "stack"}


@pytest.mark.parametrize(
    ("key", "body", "sentence"),
    [("no-such-key", None, "NoSuchKey"), ("code.zip", b"not a zip", "Could not unzip uploaded file")],
)
def test_function_without_its_code_fails(developer: LocalAccount, key: str, body: bytes | None, sentence: str) -> None:
    if body is not None:
        developer.upload(key, body)
    code = {"S3Bucket": developer.bucket(), "S3Key": key}
    role = f"arn:aws:iam::{developer.account}:role/function"
    properties = {"Code": code, "Role": role, "Runtime": "nodejs20.x", "Handler": "index.handler"}
    developer.create(resources(F={"Type": "AWS::Lambda::Function", "Properties": properties}))
    assert sentence in developer.reasons()["F"]


def api(
    developer: LocalAccount, schema: str | None, field: str = "hello", template: str | None = "#set($x = 1)"
) -> Template:
    """An API whose schema and resolver templates stand in S3; None leaves the file out."""
    for key, content in (("schema.graphql", schema), ("request.vtl", template)):
        if content is not None:
            developer.upload(key, content)
    files = f"s3://{developer.bucket()}"
    api_id = {"Fn::GetAtt": ["Api", "ApiId"]}
    source = {"ApiId": api_id, "Name": "none", "Type": "NONE"}
    resolver = {
        "ApiId": api_id,
        "TypeName": "Query",
        "FieldName": field,
        "DataSourceName": {"Fn::GetAtt": ["Source", "Name"]},
        "RequestMappingTemplateS3Location": f"{files}/request.vtl",
        "ResponseMappingTemplate": "$ctx.result",
    }
    location = {"ApiId": api_id, "DefinitionS3Location": f"{files}/schema.graphql"}
    return resources(
        Api={"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": "api", "AuthenticationType": "API_KEY"}},
        Schema={"Type": "AWS::AppSync::GraphQLSchema", "Properties": location},
        Source={"Type": "AWS::AppSync::DataSource", "Properties": source},
        Resolver={"Type": "AWS::AppSync::Resolver", "Properties": resolver, "DependsOn": "Schema"},
    )


SCHEMA = "type Query { hello: String }"


def test_appsync_reads_its_files_from_s3(developer: LocalAccount) -> None:
    template = {**api(developer, SCHEMA), "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Api", "ApiId"]}}}}
    assert developer.create(template)["StackStatus"] == "CREATE_COMPLETE"
    appsync = developer.client("appsync")
    api_id = developer.outputs()["Id"]
    assert "hello" in appsync.get_introspection_schema(apiId=api_id, format="SDL")["schema"].read().decode()
    resolver = appsync.get_resolver(apiId=api_id, typeName="Query", fieldName="hello")["resolver"]
    assert resolver["requestMappingTemplate"] == "#set($x = 1)"


@pytest.mark.parametrize(
    ("arguments", "logical_id", "sentence"),
    [
        ({"schema": None}, "Schema", "The specified key does not exist"),
        ({"schema": "type Query {"}, "Schema", "Failed to parse schema document"),
        ({"schema": SCHEMA, "template": None}, "Resolver", "The specified key does not exist"),
        ({"schema": SCHEMA, "field": "bye"}, "Resolver", "No field named bye found on type Query"),
    ],
)
def test_appsync_without_a_file_or_field_fails(
    developer: LocalAccount, arguments: dict[str, Any], logical_id: str, sentence: str
) -> None:
    assert developer.create(api(developer, **arguments))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert sentence in developer.reasons()[logical_id]


def test_role_whose_name_is_taken_fails(developer: LocalAccount) -> None:
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    developer.client("iam").create_role(RoleName="taken", AssumeRolePolicyDocument=json.dumps(trust))
    properties = {"RoleName": "taken", "AssumeRolePolicyDocument": trust}
    developer.create(resources(Role={"Type": "AWS::IAM::Role", "Properties": properties}))

    assert "already exists" in developer.reasons()["Role"]
    assert developer.client("iam").get_role(RoleName="taken")


def test_bucket_of_the_account_regional_namespace(developer: LocalAccount) -> None:
    s3 = developer.client("s3")
    place = {"CreateBucketConfiguration": {"LocationConstraint": developer.region}}
    own = f"staging-{developer.account}-{developer.region}-an"
    s3.create_bucket(Bucket=own, BucketNamespace="account-regional", **place)
    with pytest.raises(ClientError, match="InvalidBucketName"):
        s3.create_bucket(Bucket=own.replace(developer.account, "1" * 12), BucketNamespace="account-regional", **place)
    with pytest.raises(ClientError, match="InvalidBucketName"):
        s3.create_bucket(Bucket=f"other-{own}", **place)  # not asked for as such


def test_type_the_local_aws_lacks_is_recorded_and_says_so(developer: LocalAccount) -> None:
    app = {"Type": "AWS::Pinpoint::App", "Properties": {"Name": "app"}}
    outputs = {"Id": {"Value": {"Ref": "App"}}, "Arn": {"Value": {"Fn::GetAtt": ["App", "Arn"]}}}
    child = developer.upload("child", {**resources(App=app), "Outputs": outputs})
    more = developer.upload("more", {**resources(App=app, P=parameter()), "Outputs": outputs})
    passed_on = {"Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Arn"]}}}}
    developer.create({**resources(Child=nested(child)), **passed_on})
    arn = developer.outputs()["Arn"]

    assert arn.startswith(f"arn:aws:pinpoint:{developer.region}:{developer.account}:app/recorded-only-App-")
    assert developer.update({**resources(Child=nested(more)), **passed_on})["StackStatus"] == "UPDATE_COMPLETE"
    assert developer.outputs()["Arn"] == arn
    assert developer.delete()["StackStatus"] == "DELETE_COMPLETE"


# Templates


def test_get_template_does_not_tell_characters_beyond_ascii(developer: LocalAccount) -> None:
    cloudformation = developer.client("cloudformation")
    template = {"Resources": {"Text": parameter("Grüße 😀", Name="/greeting")}}
    body = json.dumps(template, ensure_ascii=False)
    stack = cloudformation.create_stack(StackName="characters", TemplateBody=body)["StackId"]
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=SOON)
    told = cloudformation.get_template(StackName=stack)["TemplateBody"]
    assert told["Resources"]["Text"]["Properties"]["Value"] == "Gr??e ?"
    assert developer.client("ssm").get_parameter(Name="/greeting")["Parameter"]["Value"] == "Grüße 😀"


# What a service never changes, or never makes


def table(*indexes: str, key: str = "id", kind: str = "ALL") -> Template:
    names = ["id", "a", "b", "other"]
    gsi = [
        {
            "IndexName": f"by-{name}",
            "KeySchema": [{"AttributeName": name if key == "id" else key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": kind},
        }
        for name in indexes
    ]
    used = {"id", *indexes} if key == "id" else {"id", key}
    properties = {
        "TableName": "impossible",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in names if n in used],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        **({"GlobalSecondaryIndexes": gsi} if gsi else {}),
    }
    return resources(Table={"Type": "AWS::DynamoDB::Table", "Properties": properties})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (table(), table("a"), ""),
        (table(), table("a", "b"), "more than one GSI creation or deletion in a single update"),
        (table("a", "b"), table(), "more than one GSI creation or deletion in a single update"),
        (table("a"), table("b"), "more than one GSI creation or deletion in a single update"),
        (table("a"), table("a", key="other"), "Cannot update GSI's properties"),
        (table("a"), table("a", kind="KEYS_ONLY"), "Cannot update GSI's properties"),
    ],
)
def test_one_index_per_update(developer: LocalAccount, old: Template, new: Template, says: str) -> None:
    assert developer.create(old)["StackStatus"] == "CREATE_COMPLETE"
    updated = developer.update(new)["StackStatus"]
    assert updated == ("UPDATE_ROLLBACK_COMPLETE" if says else "UPDATE_COMPLETE")
    assert says in developer.reasons().get("Table", "")


def test_a_table_defines_the_attributes_of_its_keys_and_no_others(developer: LocalAccount) -> None:
    assert developer.create(table())["StackStatus"] == "CREATE_COMPLETE"
    unused = table("a")
    del unused["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    assert developer.update(unused)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "AttributeDefinitions is inconsistent with the KeySchema" in developer.reasons()["Table"]


def test_a_table_takes_no_other_index_while_one_is_made(developer: LocalAccount) -> None:
    assert developer.create(table())["StackStatus"] == "CREATE_COMPLETE"
    dynamodb = developer.client("dynamodb")
    for number in range(40):
        dynamodb.put_item(TableName="impossible", Item={"id": {"S": str(number)}})
    assert developer.update(table("a"))["StackStatus"] == "UPDATE_COMPLETE"
    (index,) = dynamodb.describe_table(TableName="impossible")["Table"]["GlobalSecondaryIndexes"]
    assert index["IndexStatus"] == "CREATING"
    assert developer.update(table("a", "b"))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "still in use: Table is being updated" in developer.reasons()["Table"]


def test_whoever_looks_first_finds_an_index_in_the_making(developer: LocalAccount) -> None:
    """However late, on a busy machine; then it is there, and the table takes another one."""
    developer.create(table())
    dynamodb = developer.client("dynamodb")
    dynamodb.put_item(TableName="impossible", Item={"id": {"S": "1"}})
    developer.update(table("a"))
    time.sleep(0.3)  # longer than one item takes

    def status() -> str:
        (index,) = dynamodb.describe_table(TableName="impossible")["Table"]["GlobalSecondaryIndexes"]
        return str(index["IndexStatus"])

    assert [status(), status()] == ["CREATING", "ACTIVE"]
    assert developer.update(table("a", "b"))["StackStatus"] == "UPDATE_COMPLETE"


def test_an_export_that_is_imported_does_not_go(developer: LocalAccount) -> None:
    export = {"Out": {"Value": "x", "Export": {"Name": f"mine-{developer.account}"}}}
    developer.create({**resources(Own=parameter()), "Outputs": export}, "exporting")
    imported = {"Fn::ImportValue": {"Fn::Sub": "mine-${AWS::AccountId}"}}
    assert developer.create(resources(Other=parameter(imported)), "importing")["StackStatus"] == "CREATE_COMPLETE"
    refused = developer.update(resources(Own=parameter("other")), "exporting")
    assert refused["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "in use by importing" in developer.reasons("exporting")["exporting"]
    told = {**resources(Other=parameter("plain")), "Outputs": {"Told": {"Value": imported}}}
    assert developer.update(told, "importing")["StackStatus"] == "UPDATE_COMPLETE"
    refused = developer.update(resources(Own=parameter("other")), "exporting")
    assert refused["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", "an output imports as well"
    developer.update(resources(Other=parameter("plain")), "importing")
    assert developer.update(resources(Own=parameter("other")), "exporting")["StackStatus"] == "UPDATE_COMPLETE"
    assert developer.client("cloudformation").list_exports()["Exports"] == []


def pool(*schema: Template, **more: Any) -> Template:
    return resources(Pool={"Type": "AWS::Cognito::UserPool", "Properties": {"Schema": list(schema), **more}})


EMAIL = {"Name": "email", "Required": True, "Mutable": True}


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (pool(EMAIL, {"Name": "team", "AttributeDataType": "String", "Mutable": True}), ""),
        (pool(EMAIL, {"Name": "family_name", "Required": True}), "Invalid AttributeDataType input"),
        (pool({**EMAIL, "Mutable": False}), "Existing schema attributes cannot be modified or deleted"),
        (pool(), "Existing schema attributes cannot be modified or deleted"),
        (pool(EMAIL, UsernameAttributes=["email"]), "Updates are not allowed for property - UsernameAttributes"),
    ],
)
def test_what_a_user_pool_is_made_with_stays(developer: LocalAccount, new: Template, says: str) -> None:
    assert developer.create(pool(EMAIL))["StackStatus"] == "CREATE_COMPLETE"
    updated = developer.update(new)["StackStatus"]
    assert updated == ("UPDATE_ROLLBACK_COMPLETE" if says else "UPDATE_COMPLETE")
    assert says in developer.reasons().get("Pool", "")


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"Runtime": "nodejs22.x"}, ""),
        ({"Runtime": "nodejs12.x"}, "The runtime parameter of nodejs12.x is no longer supported"),
        ({"Runtime": "nodejs22.x", "Layers": ["arn:aws:lambda:us-east-1:017000801446:layer:T:1"]}, "GetLayerVersion"),
    ],
)
def test_functions_that_are_not_made(developer: LocalAccount, properties: Template, says: str) -> None:
    function = {"Handler": "index.handler", "Role": f"arn:aws:iam::{developer.account}:role/r", **properties}
    code = {"Code": {"ZipFile": "exports.handler = async () => 1"}}
    created = developer.create(
        resources(Function={"Type": "AWS::Lambda::Function", "Properties": {**function, **code}})
    )["StackStatus"]
    assert created == ("ROLLBACK_COMPLETE" if says else "CREATE_COMPLETE")
    assert says in developer.reasons().get("Function", "")


@pytest.mark.parametrize(("days", "says"), [(-700, "minimum of 1 days"), (7, ""), (400, "maximum of 365 days")])
def test_an_api_key_expires_in_a_year_at_most(developer: LocalAccount, days: int, says: str) -> None:
    api = {"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": "a", "AuthenticationType": "API_KEY"}}
    key = {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}, "Expires": int(time.time()) + days * 86400}
    created = developer.create(resources(Api=api, Key={"Type": "AWS::AppSync::ApiKey", "Properties": key}))
    assert created["StackStatus"] == ("ROLLBACK_COMPLETE" if says else "CREATE_COMPLETE")
    assert says in developer.reasons().get("Key", "")


def secondary(count: int, projection: Template) -> Template:
    """A table with indexes, each of its own key."""
    keys = ["id", *(f"key{number}" for number in range(count))]
    attributes = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
    schema = {key: [{"AttributeName": key, "KeyType": "HASH"}] for key in keys}
    indexes = [{"IndexName": key, "KeySchema": schema[key], "Projection": projection} for key in keys[1:]]
    properties = {"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": attributes, "KeySchema": schema["id"]}
    return {"Type": "AWS::DynamoDB::Table", "Properties": {**properties, "GlobalSecondaryIndexes": indexes}}


def doubled(table: Template) -> Template:
    indexes = table["Properties"]["GlobalSecondaryIndexes"]
    return {**table, "Properties": {**table["Properties"], "GlobalSecondaryIndexes": [*indexes, *indexes]}}


def managed(size: int) -> Template:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{'x' * size}"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def signing_in(**properties: Any) -> Template:
    return {"Type": "AWS::Cognito::UserPool", "Properties": properties}


def moving(*transitions: tuple[str, int], **rule: Any) -> Template:
    moves = [{"StorageClass": storage, "TransitionInDays": days} for storage, days in transitions]
    rules = {"Rules": [{"Status": "Enabled", **({"Transitions": moves} if moves else {}), **rule}]}
    return {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": rules}}


OLD_VERSIONS = {
    "NoncurrentVersionTransition": {"StorageClass": "GLACIER", "TransitionInDays": 30},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
}
ALL = {"ProjectionType": "ALL"}


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (secondary(20, ALL), ""),
        (secondary(21, ALL), "exceeds per-table limit of 20"),
        (doubled(secondary(1, ALL)), "Duplicate index name: key0"),
        (secondary(1, {**ALL, "NonKeyAttributes": ["a"]}), "ProjectionType is ALL, but NonKeyAttributes is specified"),
        (managed(5_000), ""),
        (managed(6_144), "Cannot exceed quota for PolicySize: 6144"),
        (moving(("STANDARD_IA", 30), ("GLACIER", 60), ExpirationInDays=61), ""),
        (moving(), "At least one action needs to be specified"),
        (moving(("STANDARD_IA", 29)), "greater than or equal to 30 for storageClass 'STANDARD_IA'"),
        (
            moving(("GLACIER", 30), ExpirationInDays=30),
            "'Days' in the Expiration action for filter '(prefix=)' must be",
        ),
        (
            moving(("DEEP_ARCHIVE", 1), ("GLACIER", 1)),
            "StorageClass 'DEEP_ARCHIVE' for filter '(prefix=)' must be greater",
        ),
        (moving(("STANDARD_IA", 30), ("GLACIER", 59)), "must be 30 days more than 'Days' in the Transition action"),
        (moving(**OLD_VERSIONS), "'NoncurrentDays' in the NoncurrentVersionExpiration action"),
        (signing_in(AliasAttributes=["email"]), ""),
        (signing_in(AliasAttributes=["email"], UsernameAttributes=["email"]), "Only one of the aliasAttributes or"),
    ],
    ids=lambda value: value["Type"] if isinstance(value, dict) else value,
)
def test_what_no_schema_forbids_and_a_service_refuses(developer: LocalAccount, resource: Template, says: str) -> None:
    created = developer.create(resources(It=resource))["StackStatus"]
    assert created == ("ROLLBACK_COMPLETE" if says else "CREATE_COMPLETE")
    assert says in developer.reasons().get("It", "")


def code(**properties: Any) -> Template:
    """A function, and the role that it has, which `trusts` another service if told to."""
    return {"Type": "AWS::Lambda::Function", "Properties": {**FUNCTION, **properties}}


def role_for(service: str, *tags: tuple[str, str]) -> Template:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    given = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    tagged = {"Tags": [{"Key": key, "Value": value} for key, value in tags]} if tags else {}
    return {"Type": "AWS::IAM::Role", "Properties": {**given, **tagged}}


FUNCTION = {
    "Handler": "index.handler",
    "Runtime": "python3.12",
    "Code": {"ZipFile": "def handler(event, context): return 1"},
    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
}


def policy_about(action: str, *resources: str) -> Template:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": list(resources)}],
    }
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def answering(path: str) -> Template:
    method = {"responses": {}, "x-amazon-apigateway-integration": {"type": "mock"}}
    body = {"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {path: {"get": method}}}
    return {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "a", "Body": body}}


def called_by(kind: str, **properties: Any) -> Template:
    given = {"FunctionName": {"Ref": "Function"}, "EventSourceArn": {"Fn::GetAtt": [kind, "Arn"]}, **properties}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": given}


def rule(**properties: Any) -> Template:
    return {"Type": "AWS::Events::Rule", "Properties": properties}


def telling(*events: str) -> Template:
    queue = {"Fn::GetAtt": ["Queue", "Arn"]}
    told = {"QueueConfigurations": [{"Event": event, "Queue": queue} for event in events]}
    return {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": told}}


def telling_of(kind: str, name: str) -> Template:
    arn = {"Ref": name} if kind == "Topic" else {"Fn::GetAtt": [name, "Arn"]}
    told = {f"{kind}Configurations": [{"Event": "s3:ObjectCreated:*", kind: arn}]}
    return {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": told}}


def for_everybody(name: str) -> Template:
    objects = {"Fn::Sub": f"${{{name}.Arn}}/*"}
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": objects}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": name}, "PolicyDocument": document}}


def for_everybody_by_name(resource: str) -> Template:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document}}


def as_text(policy: Template) -> Template:
    """A policy as JSON in a text, as CloudFormation takes it, too."""
    properties = policy["Properties"]
    return {**policy, "Properties": {**properties, "PolicyDocument": json.dumps(properties["PolicyDocument"])}}


def sending(service: str, queue: str) -> Template:
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": document}}


def inviting(message: str) -> Template:
    return signing_in(AdminCreateUserConfig={"InviteMessageTemplate": {"EmailMessage": message}})


def handing_on(to: str, **properties: Any) -> Template:
    policy = {"deadLetterTargetArn": {"Fn::GetAtt": [to, "Arn"]}, "maxReceiveCount": 3}
    return {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": policy, **properties}}


def in_javascript(**properties: Any) -> Template:
    given = {"ApiId": "a", "DataSourceName": "d", "Name": "f", "FunctionVersion": "2018-05-29", **properties}
    return {"Type": "AWS::AppSync::FunctionConfiguration", "Properties": given}


def with_policies(count: int) -> Template:
    role = role_for("lambda")
    services = ("S3", "SNS", "SQS", "DynamoDB", "EC2", "Kinesis")
    names = [f"Amazon{service}{kind}Access" for service in services for kind in ("Full", "ReadOnly")]
    arns = [f"arn:aws:iam::aws:policy/{name}" for name in names[:count]]
    return {**role, "Properties": {**role["Properties"], "ManagedPolicyArns": arns}}


READING = policy_about("s3:GetObject", "*")["Properties"]


def on_bucket(action: str, resource: str) -> Template:
    principal = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": {"Fn::Sub": resource}}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document}}


def key_for(action: str) -> Template:
    principal = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [statement]}}}


def lines_of(group: str) -> Template:
    given = {"LogGroupName": {"Ref": group}, "FilterPattern": "", "DestinationArn": {"Fn::GetAtt": ["Function", "Arn"]}}
    return {"Type": "AWS::Logs::SubscriptionFilter", "Properties": given}


def scheduled(expression: str) -> Template:
    target = {"Arn": {"Fn::GetAtt": ["Function", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["Scheduling", "Arn"]}}
    given = {"ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    return {"Type": "AWS::Scheduler::Schedule", "Properties": given}


IN_ORDER = {"FifoQueue": True, "QueueName": "in-order.fifo"}
OPEN = {"BlockPublicPolicy": False, "RestrictPublicBuckets": False}
LAYER = "arn:aws:lambda:us-east-1:580247275435:layer:Tools"
MACHINE = {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}, "DefinitionString": '{"StartAt": "A", "States": {}}'}
SETTINGS: list[tuple[Template, str]] = [
    (code(Environment={"Variables": {"MY_VAR": "x"}}), ""),
    (code(Environment={"Variables": {"MY-VAR": "x"}}), "Map keys must satisfy constraint"),
    (code(Layers=[f"{LAYER}:1", f"{LAYER}:2"]), "Two different versions of the same layer"),
    (code(FileSystemConfigs=[{"Arn": "arn:aws:elasticfilesystem:x", "LocalMountPath": "/mnt/x"}]), "execute in a VPC"),
    (called_by("Queue", BatchSize=10), ""),
    (called_by("Queue", StartingPosition="LATEST"), "StartingPosition is not valid for SQS"),
    (called_by("Queue", BatchSize=100), "Maximum batch window in seconds must be greater than 0"),
    (called_by("Queue", BisectBatchOnFunctionError=True), "BisectBatchOnFunctionError"),
    (called_by("Stream"), "at 'startingPosition'"),
    (inviting("{username}: {####}"), ""),
    (inviting("Welcome"), "inviteMessageTemplate.emailMessage"),
    (signing_in(Schema=[{"Name": "a", "AttributeDataType": "String", "Required": True}]), "Required custom attributes"),
    (signing_in(UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"}), "ESSENTIALS pricing tier"),
    (signing_in(UserPoolTier="PLUS", UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"}), ""),
    (telling("s3:ObjectCreated:Put", "s3:ObjectRemoved:*"), ""),
    (telling("s3:ObjectCreated:*", "s3:ObjectCreated:Put"), "Configurations overlap"),
    (telling_of("Queue", "Mute"), "Unable to validate the following destination configurations"),
    (telling_of("Topic", "Topic"), "Unable to validate the following destination configurations"),
    (for_everybody("Bucket"), "BlockPublicPolicy"),
    (for_everybody("Open"), ""),
    (rule(EventPattern={"source": ["aws.s3"]}), ""),
    (rule(EventPattern={"source": "aws.s3"}), '"source" must be an object or an array'),
    (rule(ScheduleExpression="rate(1 day)", EventBusName={"Ref": "Bus"}), "only on the default event bus"),
    (on_bucket("s3:GetObject", "${Bucket.Arn}/*"), ""),
    (on_bucket("s3:GetObject", "${Bucket.Arn}"), "Action does not apply to any resource(s) in statement"),
    (on_bucket("s3:ListBucket", "${Bucket.Arn}/*"), "Action does not apply to any resource(s) in statement"),
    (on_bucket("s3:ListBucket", "${Open.Arn}"), "Policy has invalid resource"),
    (key_for("kms:*"), ""),
    (key_for("kms:Decrypt"), "will not allow you to update the key policy in the future"),
    (lines_of("Lines"), "Make sure you have given CloudWatch Logs permission"),
    (scheduled("cron(0 3 * * ? *)"), ""),
    (scheduled("cron(0 3 * * * *)"), "Invalid Schedule Expression"),
    (handing_on("Queue"), ""),
    (handing_on("Queue", QueueName="letters.fifo"), "Can only include alphanumeric characters"),
    (handing_on("Queue", RedrivePolicy={"deadLetterTargetArn": {"Fn::GetAtt": ["Queue", "Arn"]}}), "maxReceiveCount."),
    (handing_on("Queue", RedrivePolicy={"maxReceiveCount": 3}), "mandatory attribute: deadLetterTargetArn"),
    (handing_on("Queue", **IN_ORDER), "must be same type of queue as the source"),
    (in_javascript(Code="export function request() {}"), "the runtime is required"),
    (with_policies(10), ""),
    (
        {"Type": "AWS::IAM::ManagedPolicy", "Properties": {**READING, "Roles": [{"Ref": "Full"}]}},
        "Cannot exceed quota for PoliciesPerRole: 10",
    ),
    (with_policies(11), "Cannot exceed quota for PoliciesPerRole: 10"),
    ({"Type": "AWS::StepFunctions::StateMachine", "Properties": MACHINE}, "states.amazonaws.com"),
    (policy_about("s3:GetObject", "arn:aws:s3:::a/*", "*"), ""),
    (policy_about("s3:GetObject", "my-bucket/*"), "must be in ARN format"),
    (policy_about("iam:GetRole", "arn:aws:iam:eu-west-1:111111111111:role/a"), "cannot contain region information"),
    (policy_about("s3:GetObject ", "*"), "failed legacy parsing"),
    (policy_about("*:*", "*"), ""),
    (as_text(policy_about("s3:GetObject", "*")), ""),
    (as_text(policy_about("s3:GetObject", "my-bucket/*")), "must be in ARN format"),
    (as_text(for_everybody_by_name("*")), "BlockPublicPolicy"),
    (answering("/a/{proxy+}/b"), "greedy path variable"),
    (answering("/a/{proxy+}"), ""),
    (role_for("lambda", ("Team", "R and D"), ("Büro", "Köln")), ""),
    (role_for("lambda", ("Team", "R&D")), "at 'tags.1.member.value'"),
    (role_for("lambda", ("Owner", "a"), ("owner", "b")), "Tag keys are case insensitive"),
]


@pytest.mark.parametrize(("service", "status"), [("lambda", "CREATE_COMPLETE"), ("sns", "ROLLBACK_COMPLETE")])
def test_a_trust_policy_may_be_a_text(developer: LocalAccount, service: str, status: str) -> None:
    role = role_for(service)
    trust = json.dumps(role["Properties"]["AssumeRolePolicyDocument"])
    made = {**role, "Properties": {"AssumeRolePolicyDocument": trust}}
    assert developer.create(resources(Role=made, It=code()))["StackStatus"] == status, developer.reasons()
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}
    sends = as_text(sending("s3" if service == "lambda" else service, "Queue"))
    told = {**telling("s3:ObjectCreated:Put"), "DependsOn": ["Sending"]}
    created = developer.create(resources(Queue=queue, Sending=sends, It=told), name="other")
    assert created["StackStatus"] == status, developer.reasons("other")


@pytest.mark.parametrize(
    ("resource", "says"), SETTINGS, ids=lambda value: value["Type"] if isinstance(value, dict) else value
)
def test_what_a_service_refuses_when_it_is_given_it(developer: LocalAccount, resource: Template, says: str) -> None:
    beside = {
        "Role": role_for("lambda"),
        "Function": code(),
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
        "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Sending": sending("s3", "Queue"),
        "Full": with_policies(10),
        "Lines": {"Type": "AWS::Logs::LogGroup"},
        "Scheduling": role_for("scheduler"),
        "Mute": {"Type": "AWS::SQS::Queue"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Open": {"Type": "AWS::S3::Bucket", "Properties": {"PublicAccessBlockConfiguration": OPEN}},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "own"}},
    }
    created = developer.create(resources(**beside, It={**resource, "DependsOn": list(beside)}))["StackStatus"]
    assert created == ("ROLLBACK_COMPLETE" if says else "CREATE_COMPLETE"), developer.reasons()
    assert says in developer.reasons().get("It", "")


@pytest.mark.parametrize(
    ("url", "domain", "says"),
    [
        ("http://localhost:3000/", "my-app", ""),
        ("http://example.com/", "my-app", "cannot use the HTTP protocol"),
        ("https://example.com/", "newcognito", "reserved word: cognito"),
        ("https://example.com/", "my-app-", "invalid character"),
    ],
)
def test_where_a_sign_in_comes_from_and_goes_to(developer: LocalAccount, url: str, domain: str, says: str) -> None:
    pool_id = {"UserPoolId": {"Ref": "Pool"}}
    client = {"Type": "AWS::Cognito::UserPoolClient", "Properties": {**pool_id, "CallbackURLs": [url]}}
    called = {**pool_id, "Domain": f"{developer.account}{domain}"}
    hosted = {"Type": "AWS::Cognito::UserPoolDomain", "Properties": called}
    created = developer.create(resources(Pool=signing_in(), Client=client, Domain=hosted))["StackStatus"]
    assert created == ("ROLLBACK_COMPLETE" if says else "CREATE_COMPLETE")
    reasons = developer.reasons()
    assert says in reasons.get("Client", "") + reasons.get("Domain", "")


RULES: Template = {
    "Parameters": {"env": {"Type": "String"}, "size": {"Type": "String", "Default": "small"}},
    "Rules": {
        "Size": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "env"}, "prod"]},
            "Assertions": [
                {
                    "Assert": {"Fn::Contains": [["large"], {"Ref": "size"}]},
                    "AssertDescription": "production is large",
                }
            ],
        }
    },
}


def test_an_assertion_that_does_not_hold_ends_the_operation_before_anything_is_made(developer: LocalAccount) -> None:
    def of(env: str) -> list[Template]:
        return [{"ParameterKey": "env", "ParameterValue": env}]

    template = {**resources(Parameter=parameter()), **RULES}
    with pytest.raises(ClientError, match="production is large"):
        developer.create(template, Parameters=of("prod"))
    assert developer.create(template, Parameters=of("dev"))["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="production is large"):
        developer.update(template, Parameters=of("prod"))
    child = developer.upload("child", {**resources(Parameter=parameter()), **RULES})
    assert developer.create(resources(Child=nested(child, env="prod")), "above")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "production is large" in developer.reasons("above")["Child"]


TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("service-role/AWSLambdaBasicExecutionRole", None),
        ("AmazonBedrockFullAccess", None),
        ("AWSLambdaBasicExecutionRole", "does not exist or is not attachable"),
        ("AWSLambdaFullAccess", "does not exist or is not attachable"),
        ("aws-service-role/AmazonElasticsearchServiceRolePolicy", "Cannot attach a Service Role Policy"),
    ],
)
def test_a_managed_policy_of_aws_is_attached_if_there_is_one(
    developer: LocalAccount, policy: str, says: str | None
) -> None:
    arn, iam = f"arn:aws:iam::aws:policy/{policy}", developer.client("iam")
    role = {"AssumeRolePolicyDocument": TRUST, "ManagedPolicyArns": [arn]}
    stack = developer.create(resources(Role={"Type": "AWS::IAM::Role", "Properties": role}))
    assert stack["StackStatus"] == ("ROLLBACK_COMPLETE" if says else "CREATE_COMPLETE")
    iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=json.dumps(TRUST))
    if says is None:
        iam.attach_role_policy(RoleName="by-hand", PolicyArn=arn)
        return
    assert says in developer.reasons()["Role"]
    with pytest.raises(ClientError, match=says):
        iam.attach_role_policy(RoleName="by-hand", PolicyArn=arn)


def test_a_roles_inline_policies_count_together(developer: LocalAccount) -> None:
    def policy(name: str, size: int, after: str) -> Template:
        document = managed(size)["Properties"]["PolicyDocument"]
        properties = {"PolicyName": name, "PolicyDocument": document, "Roles": [{"Ref": "Role"}]}
        return {"Type": "AWS::IAM::Policy", "Properties": properties, "DependsOn": after}

    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    parts = {"Role": {"Type": "AWS::IAM::Role", "Properties": trust}, "A": policy("a", 5_000, "Role")}
    assert developer.create(resources(**parts, B=policy("b", 5_000, "A")))["StackStatus"] == "CREATE_COMPLETE"
    updated = developer.update(resources(**parts, B=policy("b", 5_400, "A")))["StackStatus"]
    assert updated == "UPDATE_ROLLBACK_COMPLETE"
    assert "Maximum policy size of 10240 bytes exceeded for role" in developer.reasons()["B"]


def test_a_field_has_one_resolver(developer: LocalAccount) -> None:
    api = {"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": "a", "AuthenticationType": "API_KEY"}}
    api_id = {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}}
    text = {**api_id, "Definition": "type Query { a: Int b: Int }"}
    schema = {"Type": "AWS::AppSync::GraphQLSchema", "Properties": text}
    source = {"Type": "AWS::AppSync::DataSource", "Properties": {**api_id, "Name": "none", "Type": "NONE"}}

    def resolver(field: str, after: str) -> Template:
        properties = {**api_id, "TypeName": "Query", "FieldName": field, "DataSourceName": "none"}
        return {"Type": "AWS::AppSync::Resolver", "Properties": properties, "DependsOn": after}

    parts = {"Api": api, "Schema": schema, "Source": {**source, "DependsOn": "Schema"}, "A": resolver("a", "Source")}
    assert developer.create(resources(**parts, B=resolver("b", "A")), "two")["StackStatus"] == "CREATE_COMPLETE"
    assert developer.create(resources(**parts, B=resolver("a", "A")), "twice")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Only one resolver is allowed per field" in developer.reasons("twice")["B"]
    again = {**source, "DependsOn": "Source"}
    assert developer.create(resources(**parts, Again=again), "again")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Data source with name none already exists" in developer.reasons("again")["Again"]


def test_a_group_that_gets_another_logical_id_is_refused(developer: LocalAccount) -> None:
    """The new one comes before the old one goes."""
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "staff"}}
    given = {"UserPoolId": {"Ref": "Pool"}, "GroupName": "admins"}
    group = {"Type": "AWS::Cognito::UserPoolGroup", "Properties": given}
    assert developer.create(resources(Pool=pool, A=group))["StackStatus"] == "CREATE_COMPLETE"
    described = {**group, "Properties": {**given, "Description": "d"}}
    assert developer.update(resources(Pool=pool, A=described))["StackStatus"] == "UPDATE_COMPLETE"
    assert developer.update(resources(Pool=pool, B=group))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "A group with the name already exists" in developer.reasons()["B"]


@pytest.mark.parametrize(("principal", "made"), [("s3.amazonaws.com", True), ("sns.amazonaws.com", False)])
def test_s3_tries_whether_it_may_call_the_function(developer: LocalAccount, principal: str, made: bool) -> None:
    code = {"Code": {"ZipFile": "exports.handler = async () => 1"}, "Handler": "index.handler", "Runtime": "nodejs22.x"}
    function = {**code, "Role": f"arn:aws:iam::{developer.account}:role/r"}
    may = {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Function"}, "Principal": principal}
    calls = {"LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": {"Fn::GetAtt": ["Function", "Arn"]}}]}
    created = developer.create(
        resources(
            Function={"Type": "AWS::Lambda::Function", "Properties": function},
            May={"Type": "AWS::Lambda::Permission", "Properties": may},
            Bucket={
                "Type": "AWS::S3::Bucket",
                "DependsOn": "May",
                "Properties": {"BucketName": f"calls-{developer.account}", "NotificationConfiguration": calls},
            },
        )
    )
    assert created["StackStatus"] == ("CREATE_COMPLETE" if made else "ROLLBACK_COMPLETE")
    assert made or "Unable to validate the following destination" in developer.reasons()["Bucket"]


@pytest.mark.parametrize(("other", "made"), [("/a/{id}/b", True), ("/a/{name}/b", False)])
def test_one_variable_at_a_place_of_a_rest_api(developer: LocalAccount, other: str, made: bool) -> None:
    body = {"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {"/a/{id}": {}, other: {}}}
    created = developer.create(resources(Api={"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}}))
    assert created["StackStatus"] == ("CREATE_COMPLETE" if made else "ROLLBACK_COMPLETE")
    assert made or "A sibling ({id}) of this resource" in developer.reasons()["Api"]


def if_never(name: str) -> Template:
    return {"Fn::If": ["Never", {"Ref": name}, "none"]}


def test_a_mapping_without_the_key_and_an_output_that_is_not_there(developer: LocalAccount) -> None:
    mapped = {
        "Parameters": {"env": {"Type": "String", "Default": "preprod"}},
        "Mappings": {"envMap": {"dev": {"mail": "a"}}},
        **resources(Mail=parameter({"Fn::FindInMap": ["envMap", {"Ref": "env"}, "mail"]})),
    }
    assert "Unable to get mapping for envMap::preprod::mail" in refusal(developer, mapped, "mapped")
    never = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
    output = {"Outputs": {"X": {"Condition": "Never", "Value": "x"}}}
    child = developer.upload("child", {**never, **resources(P=parameter()), **output})
    read = resources(Child=nested(child), P=parameter({"Fn::GetAtt": ["Child", "Outputs.X"]}))
    assert developer.create(read, "read")["StackStatus"] == "ROLLBACK_COMPLETE"
    left_out = {**never, **resources(No={**parameter(), "Condition": "Never"}, P=parameter({"Ref": "No"}))}
    assert "Unresolved resource dependencies [No]" in refusal(developer, left_out, "left-out")
    guarded = {**never, **resources(No={**parameter(), "Condition": "Never"}, P=parameter(if_never("No")))}
    assert developer.create(guarded, "guarded")["StackStatus"] == "CREATE_COMPLETE"
    imported = resources(P=parameter({"Fn::ImportValue": "nobody-exports-this"}))
    assert "nobody-exports-this" in refusal(developer, imported, "imported")


def test_what_has_a_name_of_its_own_is_not_replaced(developer: LocalAccount) -> None:
    def keyed(key: str) -> Template:
        attributes = [{"AttributeName": key, "AttributeType": "S"}]
        keys = {"AttributeDefinitions": attributes, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}]}
        properties = {"TableName": "kept", "BillingMode": "PAY_PER_REQUEST", **keys}
        return resources(Table={"Type": "AWS::DynamoDB::Table", "Properties": properties})

    developer.create(keyed("id"))
    assert "Rename kept and update the stack again" in refusal(developer, keyed("other"), update=True)
    table = developer.client("dynamodb").describe_table(TableName="kept")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]


def test_a_template_has_a_million_bytes_at_most(developer: LocalAccount) -> None:
    """Whether it is a root's or a nested stack's."""
    large = developer.upload("large", {**resources(P=parameter()), "Metadata": {"notes": "x" * 1_000_000}})
    with pytest.raises(ClientError, match="1000000 bytes"):
        developer.create(large)
    assert developer.create(resources(Child=nested(large)), "parent")["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_resource_keeps_its_type(developer: LocalAccount) -> None:
    topic: Template = {"Type": "AWS::SNS::Topic", "Properties": {}}
    before, after = developer.upload("before", resources(R=parameter())), developer.upload("after", resources(R=topic))
    developer.create(resources(Child=nested(before)))
    said = refusal(developer, resources(Child=nested(after)), update=True)
    assert "Update of resource type is not permitted" in said
    assert "[R]" in said


@pytest.mark.parametrize(
    ("given", "made"), [("a, b", "CREATE_COMPLETE"), ("b", "CREATE_COMPLETE"), ("a, c", "ROLLBACK")]
)
def test_the_members_of_a_list_are_trimmed(developer: LocalAccount, given: str, made: str) -> None:
    declared = {"Items": {"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}}
    joined = {"Joined": {"Value": {"Fn::Join": ["|", {"Ref": "Items"}]}}}
    child = developer.upload("child", {"Parameters": declared, **resources(P=parameter()), "Outputs": joined})
    output = {"Outputs": {"Joined": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Joined"]}}}}
    assert made in developer.create({**resources(Child=nested(child, Items=given)), **output})["StackStatus"]
    assert developer.outputs() == ({} if "ROLLBACK" in made else {"Joined": given.replace(", ", "|")})


def test_a_serverless_function_is_expanded(developer: LocalAccount) -> None:
    """With CAPABILITY_AUTO_EXPAND only; what was given stays the template (`TemplateStage=Original`)."""
    properties = {
        "InlineCode": "exports.handler = async () => 1",
        "Handler": "index.handler",
        "Runtime": "nodejs22.x",
        "Events": {"Nightly": {"Type": "Schedule", "Properties": {"Schedule": "cron(0 3 * * ? *)"}}},
    }
    serverless = {
        "Transform": "AWS::Serverless-2016-10-31",
        **resources(F={"Type": "AWS::Serverless::Function", "Properties": properties}),
    }
    url = developer.upload("serverless", serverless)
    assert developer.create(resources(Child=nested(url)))["StackStatus"] == "CREATE_COMPLETE"
    cloudformation, (child,) = developer.client("cloudformation"), developer.children()
    made = cloudformation.list_stack_resources(StackName=child["StackId"])["StackResourceSummaries"]
    assert {"AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Events::Rule"} <= {r["ResourceType"] for r in made}
    given = cloudformation.get_template(StackName=child["StackId"], TemplateStage="Original")["TemplateBody"]
    assert given["Resources"] == serverless["Resources"]
    with pytest.raises(ClientError, match="CAPABILITY_AUTO_EXPAND"):
        cloudformation.create_stack(StackName="bare", TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])


def refusal(developer: LocalAccount, template: Template, name: str = "stack", *, update: bool = False) -> str:
    """Why a stack cannot be: the call's own error, or what failed then."""
    try:
        found = developer.update(template, name) if update else developer.create(template, name)
    except ClientError as error:
        return str(error)
    assert "ROLLBACK" in found["StackStatus"], found["StackStatus"]
    return " ".join([*developer.reasons(name).values(), found.get("StackStatusReason", "")])

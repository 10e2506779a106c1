"""The stand-ins under the Automation API: inline programs need no language host."""

from __future__ import annotations

import pytest
from pulumi import automation

from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine


@pytest.fixture
def engine(project: PulumiProject) -> automation.LocalWorkspaceOptions:
    from aws_rehearsal.setup import tools

    return automation.LocalWorkspaceOptions(
        pulumi_command=automation.PulumiCommand(root=str(tools().engine_root)), env_vars=project.environment
    )


def test_an_inline_program(project: PulumiProject, engine: automation.LocalWorkspaceOptions) -> None:
    account = project.developer.account
    password = f"hush-{account}"

    def program() -> None:
        import pulumi
        import pulumi_aws as aws
        import pulumi_aws_native as native

        bucket = aws.s3.Bucket("bucket", bucket=f"inline-{account}", tags={"password": pulumi.Output.secret(password)})
        group = native.logs.LogGroup("group", log_group_name=bucket.bucket.apply("/inline/{}".format))
        pulumi.export("arn", group.arn)
        pulumi.export("tags", bucket.tags)

    stack = automation.create_or_select_stack("dev", project_name="inline", program=program, opts=engine)
    preview = stack.preview()
    assert preview.change_summary == {automation.OpType.CREATE: 3}
    done = stack.up()
    assert done.summary.resource_changes == {"create": 3}
    assert done.outputs["arn"].value.endswith(f":log-group:/inline/inline-{account}:*")
    assert done.outputs["tags"].secret
    assert password not in done.stdout
    assert password not in project.state()
    assert stack.refresh().summary.resource_changes == {"same": 3}
    assert stack.up().summary.resource_changes == {"same": 3}
    assert stack.destroy().summary.resource_changes == {"delete": 3}


def test_a_refused_account_is_an_error_of_the_command(
    project: PulumiProject, engine: automation.LocalWorkspaceOptions
) -> None:
    def program() -> None:
        import pulumi
        import pulumi_aws as aws

        provider = aws.Provider("p", region="eu-central-1", allowed_account_ids=["999988887777"])
        aws.s3.Bucket("bucket", opts=pulumi.ResourceOptions(provider=provider))

    stack = automation.create_or_select_stack("dev", project_name="inline", program=program, opts=engine)
    with pytest.raises(automation.CommandError, match="AWS account ID not allowed"):
        stack.up()
    assert project.developer.client("s3").list_buckets()["Buckets"] == []

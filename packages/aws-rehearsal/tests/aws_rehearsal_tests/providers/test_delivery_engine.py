"""What accounts and pipelines are made of, in a Pulumi program: made, changed, replaced, lost and destroyed."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

PROGRAM = """
    more = json.loads(os.environ.get("MORE", "{}"))
    allow = lambda actions, resource="*", **more: json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource, **more}],
    })
    policy = aws.iam.Policy(
        "policy", name="app", path="/delivery/", description=more.get("description", "Of the app"),
        policy=allow(more.get("actions", ["logs:PutLogEvents", "logs:CreateLogStream"])),
    )
    role = native.iam.Role(
        "role", role_name="build", managed_policy_arns=[policy.arn],
        assume_role_policy_document={"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
    )
    token = aws.secretsmanager.get_secret_version_output(secret_id="token")
    project = aws.codebuild.Project(
        "project", name=more.get("project", "app-build"), service_role=role.arn,
        artifacts={"type": "CODEPIPELINE"},
        source={"type": "CODEPIPELINE", "buildspec": more.get("buildspec", "version: 0.2")},
        environment={
            "type": "LINUX_CONTAINER", "image": "image", "compute_type": "BUILD_GENERAL1_SMALL",
            "environment_variables": [{"name": "TOKEN", "value": token.secret_string}],
        },
        concurrent_build_limit=1,
        logs_config={"cloudwatch_logs": {"status": "ENABLED", "group_name": "/app"}},
    )
    rule = aws.cloudwatch.EventRule("rule", name="nightly", schedule_expression=more.get("schedule", "rate(1 day)"))
    aws.cloudwatch.EventTarget("target", rule=rule.name, arn=project.arn, role_arn=role.arn)
    topic = aws.sns.Topic("topic", name="news")
    aws.sns.TopicPolicy("opened", arn=topic.arn, policy=topic.arn.apply(lambda arn: allow(
        "sns:Publish", arn, Principal={"Service": "codestar-notifications.amazonaws.com"})))
    mail = aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="team@example.com")
    images = aws.ecr.Repository(
        "images", name="app-images", image_tag_mutability="IMMUTABLE",
        image_scanning_configuration={"scan_on_push": True},
    )
    aws.ecr.RepositoryPolicy("pull", repository=images.name, policy=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
    }))
    aws.ecr.LifecyclePolicy("expiry", repository=images.name, policy=json.dumps({"rules": [{
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": more.get("count", 9)},
        "action": {"type": "expire"},
    }]}))
    pulumi.export("pending", mail.pending_confirmation)
    pulumi.export("project", project.arn)
"""


def test_life_of_what_delivers(project: PulumiProject) -> None:
    developer = project.developer
    developer.client("secretsmanager").create_secret(Name="token", SecretString=f"hush-{developer.account}")
    project.init().program(PROGRAM)
    said = project.up()
    assert "+ 12 created" in said, said  # with the stack itself, as the engine counts
    assert "warning" not in said
    assert project.outputs()["pending"] is True
    assert f"hush-{developer.account}" not in project.state()
    again = project.up("--refresh")
    assert "created" not in again
    assert "updated" not in again, again

    changed = '{"actions": "logs:*", "buildspec": "version: 0.2 ", "schedule": "rate(2 days)", "count": 5}'
    said = project.up(MORE=changed)
    assert "~ 3 updated" in said, said
    assert "+-1 replaced" in said  # a lifecycle policy has no update
    arn = f"arn:aws:iam::{developer.account}:policy/delivery/app"
    assert developer.client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    again = project.up("--refresh", MORE=changed)
    assert "updated" not in again, again

    # A project by another name is another one, made before the old one goes; the target follows.
    renamed = changed.replace("}", ', "project": "other-build"}')
    said = project.up(MORE=renamed)
    assert "+-1 replaced" in said
    assert "~ 1 updated" in said
    projects = developer.client("codebuild").list_projects()["projects"]
    assert projects == ["other-build"]

    # What somebody else took away is made again.
    developer.client("codebuild").delete_project(name="other-build")
    developer.client("ecr").delete_lifecycle_policy(repositoryName="app-images")
    assert "+ 2 created" in project.up("--refresh", MORE=renamed)

    project.succeed("destroy", "--yes", "--skip-preview")
    assert developer.client("codebuild").list_projects()["projects"] == []
    assert developer.client("events").list_rules()["Rules"] == []
    assert developer.client("sns").list_topics()["Topics"] == []
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        developer.client("ecr").describe_repositories(repositoryNames=["app-images"])
    with pytest.raises(ClientError, match="NoSuchEntity"):
        developer.client("iam").get_policy(PolicyArn=arn)


def test_a_preview_with_unknown_values(project: PulumiProject) -> None:
    project.init().program("""
        topic = aws.sns.Topic("topic")
        policy = aws.iam.Policy("policy", policy=topic.arn.apply(lambda arn: json.dumps({"Resource": arn})))
        project = aws.codebuild.Project(
            "project", service_role=policy.arn, artifacts={"type": "NO_ARTIFACTS"},
            source={"type": "NO_SOURCE", "buildspec": topic.arn}, encryption_key=topic.arn,
            environment={"type": "LINUX_CONTAINER", "image": topic.arn, "compute_type": "BUILD_GENERAL1_SMALL",
                         "environment_variables": [{"name": "A", "value": topic.arn}]},
            logs_config={"cloudwatch_logs": {"group_name": topic.arn}},
        )
        rule = aws.cloudwatch.EventRule("rule", event_pattern=topic.arn.apply(lambda arn: json.dumps({"a": [arn]})))
        aws.cloudwatch.EventTarget("target", rule=rule.name, arn=project.arn, role_arn=policy.arn)
        aws.sns.TopicPolicy("opened", arn=topic.arn, policy=policy.policy)
        aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="sqs", endpoint=topic.arn)
        images = aws.ecr.Repository("images")
        aws.ecr.RepositoryPolicy("pull", repository=images.name, policy=policy.policy)
        aws.codestarnotifications.NotificationRule(
            "told", detail_type="BASIC", event_type_ids=["a"], resource=project.arn,
            targets=[{"address": topic.arn}],
        )
    """)
    assert "+ 11 to create" in project.succeed("preview")

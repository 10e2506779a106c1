"""Whoever has no right is refused by every service that docs/rehearsal.md says is asked for one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal_tests.local_account import LocalAccount

ROOT = Path(__file__).resolve().parents[5]
REQUESTS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "API Gateway": [("apigateway", "get_rest_apis", {}), ("apigatewayv2", "get_apis", {})],
    "Amazon Inspector": [("inspector2", "batch_get_account_status", {})],
    "AppSync": [("appsync", "list_graphql_apis", {})],
    "Cloud Control": [("cloudcontrol", "get_resource", {"TypeName": "AWS::Logs::LogGroup", "Identifier": "x"})],
    "CodeConnections": [("codeconnections", "list_connections", {}), ("codestar-connections", "list_connections", {})],
    "CloudFormation": [("cloudformation", "list_exports", {})],
    "CloudWatch and its logs": [("cloudwatch", "describe_alarms", {}), ("logs", "describe_log_groups", {})],
    "Cognito": [
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
        ("cognito-identity", "list_identity_pools", {"MaxResults": 1}),
    ],
    "DynamoDB": [
        ("dynamodb", "list_tables", {}),
        ("dynamodb", "get_item", {"TableName": "t", "Key": {"a": {"S": "b"}}}),
    ],
    "EC2": [("ec2", "describe_subnets", {})],
    "ECR": [("ecr", "describe_repositories", {}), ("ecr", "get_authorization_token", {})],
    "ECS": [("ecs", "list_clusters", {})],
    "EventBridge": [("events", "put_rule", {"Name": "x", "ScheduleExpression": "rate(1 day)"})],
    "IAM": [("iam", "list_roles", {})],
    "KMS": [("kms", "list_keys", {}), ("kms", "create_key", {})],
    "Kinesis": [("kinesis", "list_streams", {})],
    "Lambda": [("lambda", "list_functions", {}), ("lambda", "invoke", {"FunctionName": "f"})],
    "Location": [("location", "list_maps", {})],
    "Pinpoint": [("pinpoint", "get_apps", {})],
    "S3": [("s3", "list_buckets", {})],
    "SES": [("ses", "list_identities", {})],
    "SNS": [("sns", "create_topic", {"Name": "x"})],
    "SQS": [("sqs", "list_queues", {})],
    "SSM": [("ssm", "get_parameter", {"Name": "/x"})],
    "STS": [("sts", "decode_authorization_message", {"EncodedMessage": "x"})],
    "Secrets Manager": [("secretsmanager", "list_secrets", {})],
    "Service Quotas": [("service-quotas", "list_service_quotas", {"ServiceCode": "codebuild"})],
    "Step Functions": [("stepfunctions", "list_state_machines", {})],
    "regions of an account": [("account", "list_regions", {})],
}
"""By the words of the page: each what a right is needed for."""
ELSEWHERE = {"CodePipeline", "CodeBuild", "CodeStar Notifications", "types that are only recorded"}
"""The pipeline service asks for the first three (`pipeline_service/test_trust.py`, `test_notifications.py`), a stack's
role for the last ones."""


@pytest.fixture
def nobody(developer: LocalAccount) -> LocalAccount:
    """A role without any right."""
    who = {"AWS": f"arn:aws:iam::{developer.account}:root"}
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": who}], "Version": "2012-10-17"}
    made = developer.client("iam").create_role(RoleName="nobody", AssumeRolePolicyDocument=json.dumps(trust))
    session = developer.aws.assume_role(developer.credentials, made["Role"]["Arn"], "me")
    return LocalAccount(developer.aws, developer.account, session, developer.region)


def test_every_service_asks(nobody: LocalAccount) -> None:
    let_in = []
    for service, operation, request in (row for rows in REQUESTS.values() for row in rows):
        try:
            getattr(nobody.client(service), operation)(**request)
        except ClientError as error:
            said = f"{error.response['Error']['Code']} {error.response['Error'].get('Message', '')}"
            if re.search(r"AccessDenied|not authorized|UnauthorizedOperation", said):
                continue
        let_in.append(f"{service} {operation}")
    assert let_in == []


def test_with_a_right_to_fewer_than_all_alarms_no_composite_one_is_told(
    developer: LocalAccount, nobody: LocalAccount
) -> None:
    """ "You can't return information about composite alarms" then (DescribeAlarms in CloudWatch's API reference)."""
    cloudwatch = developer.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(errors)")

    def seen(resource: str) -> list[str]:
        statement = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        developer.client("iam").put_role_policy(RoleName="nobody", PolicyName="looks", PolicyDocument=document)
        types = ["MetricAlarm", "CompositeAlarm"]
        told = [
            nobody.client("cloudwatch").describe_alarms(AlarmNames=[n], AlarmTypes=types) for n in ("errors", "all")
        ]
        return [alarm["AlarmName"] for one in told for alarm in (*one["MetricAlarms"], *one["CompositeAlarms"])]

    assert seen(f"arn:aws:cloudwatch:*:{developer.account}:alarm:*") == ["errors"]
    assert seen("*") == ["errors", "all"]


def test_the_page_names_them_all() -> None:
    section = (ROOT / "docs" / "rehearsal.md").read_text().partition("## With whose rights")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    named = {name for row in rows[1:] for name in row.split(", ")}
    assert named == set(REQUESTS) | ELSEWHERE

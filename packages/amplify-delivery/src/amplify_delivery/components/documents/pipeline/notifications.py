"""Who is told what: notification rule, topic policy and event rules of a pipeline, as documents.

"Events for notification rules on pipelines" in the Developer Tools console user guide, "Start a pipeline in
CodePipeline" for the event rules.
"""

import json
from typing import Any

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import CodeCommitSource, S3Source
from amplify_delivery.components.documents.statements import Document, Statement, allow, document

SERVICE = "codestar-notifications.amazonaws.com"
SERVICE_ROLE_PATH, SERVICE_ROLE = f"/aws-service-role/{SERVICE}/", "AWSServiceRoleForCodeStarNotifications"
"""The service's own role, which the first notification rule of an account makes there ("Using service-linked roles for
AWS CodeStar Notifications" in the Developer Tools console user guide)."""

EVENTS = (
    "codepipeline-pipeline-manual-approval-failed",
    "codepipeline-pipeline-manual-approval-needed",
    "codepipeline-pipeline-pipeline-execution-failed",
    "codepipeline-pipeline-pipeline-execution-succeeded",
    "codepipeline-pipeline-pipeline-execution-superseded",
)
"""What a team wants to hear of: the end of each execution, and what waits for it."""


def notification_rule(names: PipelineNames, topic_arn: str) -> dict[str, Any]:
    """`AWS::CodeStarNotifications::NotificationRule` properties."""
    return {
        "Name": names.notification_rule,
        "DetailType": "BASIC",  # the full one repeats an approval's comment and link outside the account
        "EventTypeIds": list(EVENTS),
        "Resource": names.pipeline_arn,
        "Targets": [{"TargetType": "SNS", "TargetAddress": topic_arn}],
    }


def service_role(names: PipelineNames) -> Statement:
    """That the service makes its own role, and no other, when somebody makes the first rule of the account."""
    role = names.iam_arn("role", SERVICE_ROLE_PATH, SERVICE_ROLE)
    asked = {"StringEquals": {"iam:AWSServiceName": SERVICE}}
    return allow("NotificationsRole", "iam:CreateServiceLinkedRole", role, asked)


def topic_policy(names: PipelineNames) -> Document:
    """The policy of the pipeline's own topic: notifications may be sent to it.

    As "Configure Amazon SNS topics for notifications" (Developer Tools console user guide) has it, and `aws-cdk-lib`,
    without a condition: nothing says that the service sends `aws:SourceAccount`, and without it nobody would be told.
    """
    return document(
        [
            allow(
                "Notifications",
                "sns:Publish",
                names.arn("sns", names.topic),
                principal={"Service": SERVICE},
            )
        ]
    )


def start_rules(model: PipelineModel, schedule: str | None = None) -> dict[str, dict[str, str]]:
    """EventBridge rules that start the pipeline, by name: `schedule_expression` or `event_pattern`."""
    names, source = model.names, model.source
    rules: dict[str, dict[str, str]] = {}
    if isinstance(source, CodeCommitSource):
        pattern: dict[str, Any] = {
            "source": ["aws.codecommit"],
            "detail-type": ["CodeCommit Repository State Change"],
            "resources": [names.arn("codecommit", source.repository)],
            "detail": {
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": [source.branch],
            },
        }
        rules[names.event_rule("source")] = {"event_pattern": json.dumps(pattern, sort_keys=True)}
    if isinstance(source, S3Source) and not source.poll:
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [source.bucket]}, "object": {"key": [source.key]}},
        }
        rules[names.event_rule("source")] = {"event_pattern": json.dumps(pattern, sort_keys=True)}
    if schedule:
        rules[names.event_rule("schedule")] = {"schedule_expression": schedule}
    return rules

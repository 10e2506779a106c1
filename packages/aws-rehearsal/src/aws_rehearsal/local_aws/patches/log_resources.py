"""A call of CloudWatch Logs is authorised for the log stream that it names, or for its group's ARN with more after it.

MiniStack evaluates every call against `log-group:NAME`, so that policies as AWS writes them, `log-group:NAME:*` or
`log-group:NAME:log-stream:STREAM`, allow nothing.
AWS: the ARN of a log group ends with `:*` for all but the tagging calls, that of a stream with `:log-stream:STREAM`
("Overview of managing access permissions to your CloudWatch Logs resources", CloudWatch Logs user guide; "Actions,
resources, and condition keys for Amazon CloudWatch Logs", service authorization reference).
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from ._expect import expect, replace


def apply() -> None:
    """Complete the ARN of a log group; those of the tagging calls stay as they are."""
    original = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        found = original(service, *rest, **more)
        if service != "logs" or not isinstance(found, str) or ":log-group:" not in found:
            return found
        if found != f"{found.rpartition(':log-group:')[0]}:log-group:{_field(rest, 'logGroupName')}":
            return found  # named by its ARN, as the tagging calls do
        return f"{found}:log-stream:{_field(rest, 'logStreamName')}"

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def _field(request: tuple[Any, ...], name: str) -> str:
    return iam_actions._safe_json_field(request[3], name)


def probe(aws: Any) -> bool:
    """A role that may write one stream writes it and no other, and reads the group that it may read."""
    group = f"arn:aws:logs:*:{aws.owner.account}:log-group:probe"
    aws.json(aws.owner, "logs", "Logs_20140328.CreateLogGroup", logGroupName="probe")
    role = aws.role(aws.owner, "log-writer")
    aws.put_policy(
        aws.owner,
        "log-writer",
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{group}:log-stream:mine",
        },
        {"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": f"{group}:*"},
    )
    session = aws.assume(role, aws.owner)

    def call(action: str, **body: Any) -> Any:
        return aws.json(session, "logs", f"Logs_20140328.{action}", logGroupName="probe", **body)

    return (
        aws.succeeds(lambda: call("CreateLogStream", logStreamName="mine"))
        and aws.succeeds(lambda: call("FilterLogEvents"))
        and not aws.succeeds(lambda: call("CreateLogStream", logStreamName="other"))
    )

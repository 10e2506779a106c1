"""A stack that stands in for one Cloud Control resource is authorised as Cloud Control's call.

MiniStack's own Cloud Control keeps records and makes nothing. So the stand-in for pulumi-aws-native makes each resource
as a CloudFormation stack of its own, called `aws-native-...`; but who may use Cloud Control need not be allowed to make
stacks, and the other way round.
AWS: a caller of Cloud Control needs `cloudformation:CreateResource`, `GetResource`, `UpdateResource`, `DeleteResource`,
which know no resource ("Actions, resources, and condition keys for AWS Cloud Control API", service authorization
reference). What the type's handler then calls with the caller's credentials is not asked for here.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from ._expect import expect, replace

PREFIX = "aws-native-"
"""What the stand-in's stacks are called: `aws_rehearsal.providers.native.single_stack.STACK_PREFIX`."""

_AS = {"CreateStack": "CreateResource", "UpdateStack": "UpdateResource", "DeleteStack": "DeleteResource"}


def apply() -> None:
    """Ask for Cloud Control's action instead of CloudFormation's, for these stacks only."""
    original = expect(iam_actions, "extract_iam_action", "service", "method", "path", "headers", "body", "query_params")

    def extract_iam_action(*request: Any) -> Any:
        action = original(*request)
        service, query_params = request[0], request[5]
        if service != "cloudformation" or not isinstance(action, str):
            return action
        name = iam_actions._query_param(query_params, "StackName") or ""
        if not name.rpartition(":stack/")[2].startswith(PREFIX):
            return action
        return f"cloudformation:{_AS.get(action.partition(':')[2], 'GetResource')}"

    replace("extract_iam_action", extract_iam_action, iam_actions)


def probe(aws: Any) -> bool:
    """A role that may only use Cloud Control makes such a stack; one that may only make stacks does not."""
    template = aws.body({"Resource": aws.parameter("value")})

    def makes(actions: str) -> bool:
        word = actions.rpartition(":")[2].lower()
        session = aws.assume(aws.role(aws.owner, f"maker-{word}", allow=actions), aws.owner)
        stack = {"StackName": f"{PREFIX}{word}", "TemplateBody": template}
        return aws.succeeds(lambda: aws.query("cloudformation", session, Action="CreateStack", **stack))

    return makes("cloudformation:CreateResource") and not makes("cloudformation:CreateStack")

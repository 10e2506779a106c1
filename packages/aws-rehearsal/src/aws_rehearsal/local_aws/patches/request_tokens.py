"""A request that is sent again with its token is the same request, not a second one.

An SDK sends a call again whose answer was lost. MiniStack refuses the second CreateStack, since the stack is there, and
the second UpdateStack, since it is being updated or has nothing to update; and it gives a new secret's value a version
id of its own.
AWS: CloudFormation API Reference, CreateStack and UpdateStack: "Specify this token if you plan to retry requests so
that CloudFormation knows that you're not attempting to create a stack with the same name". Secrets Manager API
Reference, CreateSecret: "If a version with this value already exists and the version SecretString and SecretBinary
values are the same as those in the request, then the request is ignored"; "This value becomes the VersionId of the new
version". Without a value there is no version that could tell: the reference does not say what happens, and a second
CreateSecret stays refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import secretsmanager
from ministack.services.cloudformation import handlers, helpers

from ._expect import PatchError, expect, replace

_TOKEN = "ClientRequestToken"  # noqa: S105 - a member's name
_GONE = ("DELETE_COMPLETE", "DELETE_IN_PROGRESS")


def apply() -> None:
    """Look for the token before anything is made."""
    for action in ("CreateStack", "UpdateStack"):
        if action not in handlers._ACTION_HANDLERS:
            raise PatchError(f"CloudFormation has no {action} any more")
        handlers._ACTION_HANDLERS[action] = _once(action, handlers._ACTION_HANDLERS[action])
    create = expect(secretsmanager, "_create_secret", "data")

    def create_secret(data: dict[str, Any]) -> Any:
        token, secrets = data.get(_TOKEN), secretsmanager._secrets
        made = secrets.get(data.get("Name"))
        if token and made is not None and not made.get("DeletedDate"):
            version = made["Versions"].get(token)
            if version and all(version.get(key) == data.get(key) for key in ("SecretString", "SecretBinary")):
                return json_response({"ARN": made["ARN"], "Name": made["Name"], "VersionId": token})
            return create(data)
        answer = create(data)
        if answer[0] == 200 and token and ("SecretString" in data or "SecretBinary" in data):
            made = secrets[data["Name"]]
            ((_, version),) = made["Versions"].items()
            made["Versions"] = {token: version}
            return json_response({"ARN": made["ARN"], "Name": made["Name"], "VersionId": token})
        return answer

    replace("_create_secret", create_secret, secretsmanager)


def _once(action: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`change`, which does nothing where the stack was last changed by it with the same token."""
    marked = f"_{action}_token"

    def change_once(params: Any) -> Any:
        token, name = helpers._p(params, _TOKEN), helpers._p(params, "StackName")
        stack = handlers._resolve_stack(name) if name else None
        if token and stack is not None and stack.get(marked) == token and stack["StackStatus"] not in _GONE:
            found = f"<{action}Result><StackId>{helpers._esc(stack['StackId'])}</StackId></{action}Result>"
            return helpers._xml(200, f"{action}Response", found)
        answer = change(params)
        made = handlers._resolve_stack(name) if name else None
        if answer[0] == 200 and token and made is not None:
            made[marked] = token
        return answer

    return change_once


def probe(aws: Any) -> bool:
    """The same CreateStack and CreateSecret twice make one thing each, and another token is another request."""
    topic = {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "probe-token"}}}
    created = [aws.create_stack(topic, name="probe-token", ClientRequestToken="one") for _ in range(2)]
    stacks = {re.findall("<StackId>(.*?)</StackId>", answer)[0] for answer in created}
    other = aws.succeeds(lambda: aws.create_stack(topic, name="probe-token", ClientRequestToken="two"))

    def secret(token: str) -> Any:
        call = {"Name": "probe-token", "SecretString": "text", "ClientRequestToken": token}
        return aws.json(aws.owner, "secretsmanager", "secretsmanager.CreateSecret", **call)["VersionId"]

    token = "0123456789-0123456789-0123456789"  # noqa: S105 - made up
    twice = [secret(token), secret(token)]
    another = aws.succeeds(lambda: secret(token[::-1]))
    return len(stacks) == 1 and not other and twice == [token, token] and not another

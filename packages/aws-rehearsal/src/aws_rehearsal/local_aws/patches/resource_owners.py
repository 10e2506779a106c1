"""CloudFormation says which stack a resource belongs to, by its physical id.

MiniStack's DescribeStackResources takes a stack's name only, and says of every other question that the stack without a
name does not exist.
AWS: "You must specify either StackName or PhysicalResourceId, but not both"; with the latter the resources of the stack
that the resource belongs to are returned, the first 100 of them, as for a stack by its name ("DescribeStackResources"
in the CloudFormation API reference); a ValidationError where it belongs to none.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers

from ._expect import PatchError, expect

_ACTION = "DescribeStackResources"
_MOST = 100
"""Resources in an answer."""


def apply() -> None:
    """Look through the account's stacks."""
    known = getattr(handlers, "_ACTION_HANDLERS", None)
    if not isinstance(known, dict) or known is not cloudformation._ACTION_HANDLERS:
        raise PatchError("MiniStack's CloudFormation has no table of its operations")
    by_name = expect(handlers, "_describe_stack_resources", "params")
    if known.get(_ACTION) is not by_name:
        raise PatchError(f"MiniStack's {_ACTION} is answered elsewhere")
    error = expect(handlers, "_error", "code", "message")

    def describe(params: dict[str, Any]) -> Any:
        wanted = handlers._p(params, "PhysicalResourceId")
        if not wanted:
            return _first(by_name(params))
        if handlers._p(params, "StackName"):
            return error("ValidationError", "StackName and PhysicalResourceId cannot be specified together")
        for stack in list(cloudformation._stacks.values()):
            for resource in stack.get("_resources", {}).values():
                if resource.get("PhysicalResourceId") == wanted and stack.get("StackStatus") != "DELETE_COMPLETE":
                    return _first(by_name({"StackName": [stack["StackId"]]}))
        return error("ValidationError", f"Stack for {escape(wanted)} does not exist")

    known[_ACTION] = describe


def _first(answer: tuple[int, Any, Any]) -> tuple[int, Any, Any]:
    """An answer without what comes after the resources that AWS has in it."""
    status, headers, body = answer
    text = body.decode() if isinstance(body, bytes) else str(body)
    begin, *members = text.split("<member>")
    if len(members) <= _MOST:
        return answer
    end = members[-1].partition("</member>")[2]
    left = "<member>".join([begin, *members[:_MOST]])
    return status, headers, f"{left}{end}".encode()


def probe(aws: Any) -> bool:
    """Of two parameters the stack's tells its stack, and the other none; a stack and a resource at once are refused."""
    mine, other, stack = f"/{aws.name('mine')}", f"/{aws.name('other')}", aws.name("owner")
    aws.stack({"Mine": aws.parameter("x", Name=mine)}, stack)
    aws.json(aws.owner, "ssm", "AmazonSSM.PutParameter", Name=other, Type="String", Value="x")

    def asked(**parameters: str) -> str:
        return str(aws.query("cloudformation", Action=_ACTION, **parameters))

    return (
        aws.succeeds(lambda: asked(PhysicalResourceId=mine))
        and f"<StackName>{stack}</StackName>" in asked(PhysicalResourceId=mine)
        and not aws.succeeds(lambda: asked(PhysicalResourceId=other))
        and not aws.succeeds(lambda: asked(PhysicalResourceId=mine, StackName=stack))
    )

"""A custom resource that does not answer fails after a bounded time, and says so; so does one whose answer lacks what
the template reads.

MiniStack waits as long as AWS does, an hour, and cannot be stopped meanwhile; a function that ended without an
answer is waited for all the same. Of an attribute that no answer holds it says what CloudFormation says of a type's.
AWS: CloudFormation User Guide, "Custom resources", `ServiceTimeout`: 3,600 seconds by default; a resource that fails
carries "Received response status [FAILED] from custom resource. Message returned: ...". The shorter time is ours: a
rehearsal should end. It is `LOCAL_AWS_CUSTOM_RESOURCE_TIMEOUT` seconds. "CustomResource attribute error: Vendor
response doesn't contain Id key in object ..." is what users report (amplify-cli 6602, 6406).
"""

from __future__ import annotations

import contextvars
import os
import threading
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import lambda_svc
from ministack.services.cloudformation import custom_resource, engine

from ._expect import expect, replace

DEFAULT_TIMEOUT = 60


def apply() -> None:
    """Run the waiting on a thread of its own and give up on it in time."""
    original = expect(custom_resource, "invoke_custom_resource", "request_type", "logical_id", "props")
    execute = expect(lambda_svc, "_execute_function_with_config_scope", "func", "event")
    expect(lambda_runtime, "invalidate_worker", "func_name", "qualifier", "account", "region")
    outcome: contextvars.ContextVar[list[Any]] = contextvars.ContextVar("outcome")

    def execute_function(func: dict[str, Any], event: Any) -> Any:
        result = execute(func, event)
        outcome.get([]).append(result)
        return result

    def invoke_custom_resource(request_type: str, logical_id: str, props: dict[str, Any], *args: Any, **kw: Any) -> Any:
        answers: list[Any] = []
        results: list[Any] = []
        context = contextvars.copy_context()
        context.run(outcome.set, results)

        def wait() -> None:
            try:
                answers.append((context.run(original, request_type, logical_id, props, *args, **kw), None))
            except Exception as error:  # noqa: BLE001 - handed to whoever waits
                answers.append((None, error))

        seconds = timeout(props)
        thread = threading.Thread(target=wait, name=f"custom-resource-{logical_id}", daemon=True)
        thread.start()
        thread.join(seconds)
        if not answers:
            _end_worker(props)
            raise TimeoutError(_no_answer(logical_id, seconds, results))
        answer, error = answers[0]
        if isinstance(error, RuntimeError):
            raise RuntimeError(  # noqa: TRY004 - what MiniStack raises for an answer of FAILED
                f"Received response status [FAILED] from custom resource. Message returned: {error}"
            ) from error
        if error is not None:
            raise error
        return answer

    unknown = expect(engine, "_unknown_attribute_message", "res", "logical_id", "attr")

    def unknown_attribute_message(res: dict[str, Any], logical_id: str, attr: str) -> str:
        kind = str(res.get("ResourceType", ""))
        if not kind.startswith("Custom::") and kind != "AWS::CloudFormation::CustomResource":
            return str(unknown(res, logical_id, attr))
        return f"CustomResource attribute error: Vendor response doesn't contain {attr} key in object {logical_id}"

    replace("_unknown_attribute_message", unknown_attribute_message, engine)
    replace("_execute_function_with_config_scope", execute_function, lambda_svc)
    replace("invoke_custom_resource", invoke_custom_resource, custom_resource)


def timeout(props: dict[str, Any]) -> float:
    """Seconds this custom resource gets: its own `ServiceTimeout`, but never more than a rehearsal's limit."""
    limit = float(os.environ.get("LOCAL_AWS_CUSTOM_RESOURCE_TIMEOUT", DEFAULT_TIMEOUT))
    try:
        return min(float(props.get("ServiceTimeout", limit)), limit)
    except (TypeError, ValueError):
        return limit


def _no_answer(logical_id: str, seconds: float, results: list[Any]) -> str:
    text = (
        f"Custom resource {logical_id} did not answer within {seconds:g} s (an hour on AWS; here "
        "LOCAL_AWS_CUSTOM_RESOURCE_TIMEOUT or the resource's own ServiceTimeout)"
    )
    if results and results[0].get("error"):
        return f"{text}. Its function failed: {results[0].get('body') or results[0].get('error')}"
    return f"{text}. Its function {'ended without answering' if results else 'is still running'}"


def _end_worker(props: dict[str, Any]) -> None:
    """End the function's worker, which would keep the next event waiting."""
    name = str(props.get("ServiceToken", "")).rpartition(":function:")[2].partition(":")[0]
    if name:
        lambda_runtime.invalidate_worker(name, account=get_account_id())


def probe(aws: Any) -> bool:
    """A function that ends without an answer fails its stack in time."""
    return aws.custom_resource("exports.handler = async () => {};") == "ROLLBACK_COMPLETE"

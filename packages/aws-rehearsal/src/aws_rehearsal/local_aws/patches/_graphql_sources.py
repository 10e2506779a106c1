"""Asks the data sources of a GraphQL API, with the role that each has.

AppSync Developer Guide, "Attaching a data source": "a role ... that AppSync can assume". Its session's name is
APPSYNC_ASSUME_ROLE, as users' error messages show.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Coroutine
from typing import Any

from appsync.attributes import plain_map
from appsync.errors import TemplateError, UnsupportedError
from appsync.execution import DataSourceError
from appsync.requests import dynamo_call
from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import appsync, dynamodb, lambda_svc

from . import _rights
from ._expect import expect, replace

_SERVICE = "appsync.amazonaws.com"
_SESSION = "APPSYNC_ASSUME_ROLE"
_one_at_a_time = threading.RLock()
"""Operations are executed in threads; MiniStack's tables are written for one. DynamoDB's own requests wait for it, too:
they are answered by the thread of the event loop."""
_NOT_HELD = "ConditionalCheckFailedException"
_MODELED = (_NOT_HELD, "ResourceNotFoundException", "TransactionCanceledException")
"""Errors of DynamoDB that keep their name in an `errorType`; users' reports show all others as DynamoDbException."""


def alone() -> None:
    """Let DynamoDB's own requests wait while an operation asks a table, and the other way round."""
    original = expect(dynamodb, "handle_request", "method", "path", "headers", "body", "query_params")

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        with _one_at_a_time:
            return await original(method, path, headers, body, query_params)

    replace("handle_request", handle_request, dynamodb)


def ask(api_id: str, name: str, document: Any, context: dict[str, Any]) -> Any:
    """The data source's result for a mapping document; raises `DataSourceError`, `TemplateError` for a document that
    it does not take, or `UnsupportedError`."""
    source = (appsync._data_sources.get(api_id) or {}).get(name)
    if source is None:
        raise TemplateError(f"There is no data source {name!r}")
    match source.get("type"):
        case "NONE":
            return document.get("payload") if isinstance(document, dict) else None
        case "AMAZON_DYNAMODB":
            return _dynamodb(api_id, source, document)
        case "AWS_LAMBDA":
            return _lambda(api_id, source, document, context)
        case kind:
            raise UnsupportedError(f"data sources of type {kind} ({name})")


def _dynamodb(api_id: str, source: dict[str, Any], document: Any) -> Any:
    settings = source.get("dynamodbConfig") or {}
    if settings.get("versioned"):
        raise UnsupportedError(f"conflict detection (the data source {source['name']} is versioned)")
    if settings.get("useCallerCredentials"):
        raise UnsupportedError(f"a data source that uses its caller's credentials ({source['name']})")
    call = dynamo_call(document, settings.get("tableName") or "")
    acting = _role(api_id, source)
    region = settings.get("awsRegion") or get_region()
    with request_scope(get_account_id(), region):
        for action, place in call.rights:
            arn = f"arn:aws:dynamodb:{region}:{get_account_id()}:table/{place}"
            _require(acting, f"dynamodb:{action}", arn, "DynamoDB:DynamoDbException", "DynamoDb, Status Code: 400")
        status, answer = _answered(call.action, call.body)
        if status < 300:
            return call.result(answer)
        item = answer.get("Item")
        if call.after_refusal is not None and _code(answer) == _NOT_HELD:
            try:
                item = _read(acting, call.after_refusal.read, f"{region}:{get_account_id()}:table/")
            except _rights.AccessDeniedError:
                # What AppSync answers a role that may not read is documented nowhere: the condition's error, then.
                raise _dynamodb_error(status, answer, plain_map(item) if item else None) from None
            if call.after_refusal.is_wanted(item):
                return plain_map(item) if item is not None else None
    result = plain_map(item) if item else None
    raise _dynamodb_error(status, answer, call.cancelled(answer) if call.cancelled is not None else result)


def _answered(action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    headers = {"x-amz-target": f"DynamoDB_20120810.{action}"}
    with _one_at_a_time:
        answering = dynamodb.handle_request("POST", "/", headers, json.dumps(body).encode(), {})
        status, _, answer = _finished(answering)
    return status, json.loads(answer or b"{}")


def _read(acting: _rights.Acting, body: dict[str, Any], tables: str) -> dict[str, Any] | None:
    """The item that is there; `tables` is the ARN of a table without its name, and without what all ARNs begin with."""
    _rights.require(acting, "dynamodb:GetItem", f"arn:aws:dynamodb:{tables}{body['TableName']}", {})
    status, answer = _answered("GetItem", body)
    if status >= 300:
        raise _dynamodb_error(status, answer, None)
    found: dict[str, Any] | None = answer.get("Item")
    return found


def _code(answer: dict[str, Any]) -> str:
    return str(answer.get("__type", "")).rpartition("#")[2]


def _dynamodb_error(status: int, answer: dict[str, Any], result: Any) -> DataSourceError:
    code = _code(answer)
    said = answer.get("message") or answer.get("Message") or code
    kept = code if code in _MODELED else "DynamoDbException"
    return DataSourceError(
        f"{said} (Service: DynamoDb, Status Code: {status}, Request ID: {new_uuid()})", f"DynamoDB:{kept}", result
    )


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing: DynamoDB's is one, and another thread has the event loop."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        return finished.value
    coroutine.close()
    raise RuntimeError("MiniStack's DynamoDB waits for something: its requests need an event loop")


def _lambda(api_id: str, source: dict[str, Any], document: Any, context: dict[str, Any]) -> Any:
    """Invoke; without a template the function gets the whole context ("direct Lambda resolvers")."""
    payload = _direct(context) if document is None else _payload(document)
    arn = (source.get("lambdaConfig") or {}).get("lambdaFunctionArn") or ""
    acting = _role(api_id, source)
    _require(acting, "lambda:InvokeFunction", arn, "Lambda:AWSLambdaException", "AWSLambda, Status Code: 403")
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        raise DataSourceError(f"Function not found: {arn}", "Lambda:ResourceNotFoundException")
    record = lambda_svc._execution_record_for_config(function, config)
    result = lambda_svc._execute_function_with_config_scope(record, payload)
    body = result.get("body") if isinstance(result, dict) else None
    if not isinstance(result, dict) or result.get("error"):
        said = body.get("errorMessage") if isinstance(body, dict) else None
        kind = body.get("errorType") if isinstance(body, dict) else None
        raise DataSourceError(str(said or "Unhandled"), f"Lambda:{kind or 'Unhandled'}")
    if not isinstance(body, str | bytes):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return body if isinstance(body, str) else body.decode("utf-8", "replace")


def _payload(document: Any) -> Any:
    if not isinstance(document, dict):
        raise TemplateError("The mapping document of a Lambda data source has to be a JSON object")
    operation = document.get("operation")
    if operation != "Invoke":
        raise UnsupportedError(f"the Lambda operation {operation}")
    if document.get("invocationType") == "Event":
        raise UnsupportedError("asynchronous invocations of Lambda functions")
    return document.get("payload")


def _direct(context: dict[str, Any]) -> dict[str, Any]:
    names = ("arguments", "identity", "source", "request", "prev", "info", "stash")
    return {name: context[name] for name in names}


def _role(api_id: str, source: dict[str, Any]) -> _rights.Acting:
    """AppSync with the data source's role, which has to be there and to trust it."""
    role = source.get("serviceRoleArn") or ""
    acting = _rights.with_role(role, _SESSION) if role else None
    api = appsync._apis.get(api_id) or {}
    if acting is None or not _rights.trusts(_SERVICE, role, str(api.get("arn", ""))):
        raise DataSourceError(
            f"Unable to assume role {role}. (Service: Sts, Status Code: 403, Request ID: {new_uuid()})",
            "UnauthorizedException",
        )
    return acting


def _require(acting: _rights.Acting, action: str, resource: str, error_type: str, service: str) -> None:
    """Raise `DataSourceError` with what the service says to whoever may not; `service` with its status, as SDKs write
    it."""
    try:
        _rights.require(acting, action, resource, {})
    except _rights.AccessDeniedError as denied:
        said = denied.sentence.partition(" (Service:")[0]
        raise DataSourceError(f"{said} (Service: {service}, Request ID: {new_uuid()})", error_type) from denied

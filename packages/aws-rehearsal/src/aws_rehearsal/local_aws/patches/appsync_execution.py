"""AppSync executes VTL: resolvers and functions with mapping templates ask their data sources, with the sources' roles.

MiniStack executes resolvers in JavaScript only. For all others it guesses the operation from the field's name, reads
and writes the table past every condition, filter and role, and runs neither functions nor templates: a list is empty,
and whoever may not read reads. Nor does it ask which way to authorize opens a field, or whether a key or token has
ended.
AWS: AppSync Developer Guide, "Resolver mapping template reference (VTL)", "Pipeline resolvers", "Authorization".

JavaScript stays MiniStack's; its DynamoDB and Lambda are asked in the same way. Subscriptions, conflict detection and
other data sources than DynamoDB, Lambda and NONE are refused by name.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import graphql
from appsync import access
from appsync.errors import ResolverError
from appsync.execution import Request, Resolver, Unit, resolve
from appsync.utilities import Surroundings
from ministack.core.responses import new_uuid
from ministack.services import appsync

from . import _graphql_schema, _graphql_sources
from ._expect import PatchError, expect, replace
from ._graphql_callers import Caller, UnauthorizedError, authorized, caller_of

_NOT_PLAYED = "NotPlayedByTheLocalAWS"
_MOST_RESOLVERS = 10_000
"""Of one operation, where the API names no other limit ("Configuring resolver count limits")."""
_LIMITS = {"introspectionConfig": "ENABLED", "queryDepthLimit": 0, "resolverCountLimit": 0}
_INTROSPECTION = ("__schema", "__type")
"""The fields that an API with `introspectionConfig` DISABLED has no longer."""


def apply() -> None:
    """Execute operations here; JavaScript gets the same data sources."""
    parameters = ("api_id", "sdl", "query", "variables", "operation_name", "request_headers", "authorize")
    expect(appsync, "_execute_with_schema", *parameters)
    sources = getattr(appsync, "_DATA_SOURCE_HANDLERS", None)
    if not isinstance(sources, dict) or not {"AMAZON_DYNAMODB", "AWS_LAMBDA"} <= set(sources):
        raise PatchError("AppSync has no _DATA_SOURCE_HANDLERS any more")
    javascript = expect(appsync, "_resolve_appsync_js", "api_id", "resolver", "args", "variables", "field_name")
    update = expect(appsync, "_update_graphql_api", "api_id", "body")
    _graphql_sources.alone()

    def update_api(api_id: str, body: dict[str, Any]) -> Any:
        """MiniStack keeps the limits of CreateGraphqlApi for ever; each has its default again where it is not given."""
        api = appsync._apis.get(api_id)
        if api:
            api |= {name: body.get(name) or default for name, default in _LIMITS.items()}
        return update(api_id, body)

    def execute(  # noqa: PLR0917 - MiniStack's
        api_id: str, sdl: str, query: str, variables: Any, operation_name: Any, headers: Any, authorize: Any = None
    ) -> Any:
        api = appsync._apis.get(api_id) or {}
        try:
            caller = caller_of(api_id, api, headers)
            if caller.mode == access.LAMBDA:
                asked = {"queryString": query, "operationName": operation_name, "variables": variables or {}}
                caller = authorized(api, headers, asked)
        except UnauthorizedError as error:
            return appsync._unauthorized_response(str(error))
        operation = _Operation(api_id, api, sdl, caller, headers, variables or {}, authorize, javascript)
        return operation.run(query, operation_name)

    replace("_update_graphql_api", update_api, appsync)
    replace("_execute_with_schema", execute, appsync)
    for kind in ("AMAZON_DYNAMODB", "AWS_LAMBDA"):
        sources[kind] = _for_javascript


def _for_javascript(api_id: str, source: dict[str, Any], document: Any, context: Any) -> Any:
    try:
        return _graphql_sources.ask(api_id, source["name"], document, context)
    except ResolverError as error:
        raise appsync._AppSyncResolverError(error.message, error.error_type) from error


class _Operation:
    """One operation by one caller."""

    def __init__(  # noqa: PLR0917 - what an operation consists of
        self,
        api_id: str,
        api: dict[str, Any],
        definition: str,
        caller: Caller,
        headers: dict[str, str],
        variables: dict[str, Any],
        authorize: Any,
        javascript: Any,
    ) -> None:
        self._api_id = api_id
        self._api = api
        self._definition = definition
        self._caller = caller
        self._headers = {str(name).lower(): str(value) for name, value in headers.items()}
        self._variables = variables
        self._authorize = authorize
        self._javascript = javascript
        self._appended: list[ResolverError] = []
        self._checked: list[bool] = []
        self._resolved = 0

    def run(self, query: str, name: str | None) -> Any:
        """The answer to the request."""
        try:
            schema = _graphql_schema.executable(self._definition)
        except graphql.GraphQLError as error:
            return appsync._json(200, {"data": None, "errors": [{"message": f"The schema: {error.message}"}]})
        try:
            document = graphql.parse(query)
        except graphql.GraphQLError:
            return appsync._malformed_graphql_request("Unable to parse GraphQL query.")
        errors = graphql.validate(schema, document)
        if not errors and self._api.get("introspectionConfig") == "DISABLED":
            errors = list(_introspections(document))
        if errors:
            return appsync._json(200, {"data": None, "errors": [_shown(error) for error in errors]})
        asked = graphql.get_operation_ast(document, name)
        if asked is not None and asked.operation == graphql.OperationType.SUBSCRIPTION:
            said = "The local AWS does not play subscriptions."
            return appsync._json(200, {"data": None, "errors": [{"message": said, "errorType": _NOT_PLAYED}]})
        result = graphql.execute_sync(
            schema,
            document,
            variable_values=self._variables,
            operation_name=name,
            field_resolver=self._field,
        )
        return self._answer(result, asked)

    def _answer(self, result: Any, asked: Any) -> Any:
        if self._authorize is not None and result.data is not None and not self._checked:
            root = "Mutation" if asked is not None and asked.operation == graphql.OperationType.MUTATION else "Query"
            self._checked.append(self._authorize(root, "__typename"))
        if self._authorize is not None and self._checked and not any(self._checked):
            return appsync._unauthorized_response("Permission denied")
        errors = [_shown(error) for error in result.errors or ()]
        errors += [_told(error) for error in self._appended]
        return appsync._json(200, {"data": result.data, **({"errors": errors} if errors else {})})

    def _field(self, source: Any, info: Any, **arguments: Any) -> Any:
        """One field: who may read it, and its resolver; without one it is what the parent holds."""
        type_name, field_name = info.parent_type.name, info.field_name
        if self._authorize is not None and info.path.prev is None:
            self._checked.append(self._authorize(type_name, field_name))
            if not self._checked[-1]:
                raise _denied(type_name, field_name)
        self._check(info, type_name, field_name)
        resolver = ((appsync._resolvers.get(self._api_id) or {}).get(type_name) or {}).get(field_name)
        if resolver is None:
            return source.get(field_name) if isinstance(source, dict) else None
        self._resolved += 1
        if self._resolved > (self._api.get("resolverCountLimit") or _MOST_RESOLVERS):
            raise ResolverError("Resolver execution limit reached.", "ResolverExecutionLimitReached")
        before = len(self._appended)
        try:
            return self._value(resolver, arguments, source, info)
        except ResolverError as error:
            error.data = _filtered(error.data, info)
            raise
        finally:
            for appended in self._appended[before:]:
                appended.data = _filtered(appended.data, info)

    def _check(self, info: Any, type_name: str, field_name: str) -> None:
        """Raise `ResolverError` unless the caller may read the field, so deep in the operation."""
        caller, api = self._caller, self._api
        found = _graphql_schema.rules_of(info.schema, type_name, field_name)
        default = api.get("authenticationType") or access.API_KEY
        if not access.is_open(found, caller.mode, default, caller.groups, deny_unmarked=caller.deny_unmarked):
            raise _denied(type_name, field_name)
        if access.is_denied(caller.denied, str(api.get("arn", "")), type_name, field_name):
            raise _denied(type_name, field_name)
        limit = api.get("queryDepthLimit") or 0
        if limit and sum(isinstance(step, str) for step in info.path.as_list()) > limit:
            raise ResolverError("Query depth limit reached.", "QueryDepthLimitReached")

    def _value(self, resolver: dict[str, Any], arguments: dict[str, Any], source: Any, info: Any) -> Any:
        """What the field's resolver gives."""
        type_name, field_name = info.parent_type.name, info.field_name
        if (resolver.get("runtime") or {}).get("name") == "APPSYNC_JS":
            return self._in_javascript(resolver, arguments, source, type_name, field_name)
        around = Surroundings(
            type_name,
            field_name,
            access.AUTH_TYPES[self._caller.mode],
            time.time,
            new_uuid,
            self._appended,
        )
        request = Request(
            around, arguments, source or None, self._caller.identity, self._headers, _info(info, self._variables)
        )
        return resolve(
            self._resolver(resolver),
            request,
            lambda name, document, context: _graphql_sources.ask(self._api_id, name, document, context),
        )

    def _in_javascript(
        self, resolver: dict[str, Any], arguments: Any, source: Any, type_name: str, field_name: str
    ) -> Any:
        appended: list[dict[str, Any]] = []
        value = self._javascript(
            self._api_id,
            resolver,
            arguments,
            self._variables,
            field_name,
            type_name,
            self._caller.identity,
            self._headers,
            source if isinstance(source, dict) else {},
            appended,
        )
        self._appended += [ResolverError(str(one.get("message")), one.get("errorType")) for one in appended]
        return value

    def _resolver(self, record: dict[str, Any]) -> Resolver:
        name = f"{record['typeName']}.{record['fieldName']}"
        templates = record.get("requestMappingTemplate"), record.get("responseMappingTemplate")
        if record.get("kind") != "PIPELINE":
            return Resolver(name, *templates, data_source=record.get("dataSourceName") or "")
        known = appsync._functions.get(self._api_id) or {}
        functions = []
        for function_id in (record.get("pipelineConfig") or {}).get("functions") or ():
            if function_id not in known:
                raise ResolverError(f"{name}: there is no function {function_id}", "MappingTemplate")
            functions.append(_unit(name, known[function_id]))
        return Resolver(name, *templates, functions=tuple(functions))


def _unit(resolver: str, function: dict[str, Any]) -> Unit:
    name = f"{resolver}, function {function.get('name')}"
    if (function.get("runtime") or {}).get("name") == "APPSYNC_JS":
        said = f"{name}: The local AWS does not play functions in JavaScript below a resolver in VTL."
        raise ResolverError(said, _NOT_PLAYED)
    request, response = function.get("requestMappingTemplate"), function.get("responseMappingTemplate")
    return Unit(name, function.get("dataSourceName") or "", request, response)


def _introspections(document: Any) -> Iterator[graphql.GraphQLError]:
    """Of an operation that asks for the schema, the error that AppSync gives where nobody may."""
    found: list[graphql.GraphQLError] = []

    class Visitor(graphql.Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            name = node.name.value
            if name in _INTROSPECTION:
                said = (
                    f"Validation error of type FieldUndefined: Field '{name}' in type 'Query' is undefined @ '{name}'"
                )
                found.append(graphql.GraphQLError(said, node))

    graphql.visit(document, Visitor())
    return iter(found)


def _filtered(data: Any, info: Any) -> Any:
    """The data of an error, without what the operation has not asked for ("will be filtered based on the query
    selection set"); all of it where the field has no fields."""
    sets = [node.selection_set for node in info.field_nodes if node.selection_set is not None]
    return _asked_for(data, info, sets) if sets else data


def _asked_for(data: Any, info: Any, sets: list[Any]) -> Any:
    if isinstance(data, list):
        return [_asked_for(one, info, sets) for one in data]
    if not isinstance(data, dict):
        return data
    found: dict[str, Any] = {}
    for selection in (one for chosen in sets for one in chosen.selections):
        if isinstance(selection, graphql.FieldNode):
            name = selection.name.value
            if name in data:
                below = selection.selection_set
                found[name] = _asked_for(data[name], info, [below]) if below is not None else data[name]
            continue
        if isinstance(selection, graphql.FragmentSpreadNode):
            selection = info.fragments[selection.name.value]  # noqa: PLW2901 - a fragment stands for its selections
        found |= _asked_for(data, info, [selection.selection_set])
    return found


def _info(info: Any, variables: dict[str, Any]) -> dict[str, Any]:
    selected = [node for node in info.field_nodes if node.selection_set is not None]
    return {
        "fieldName": info.field_name,
        "parentTypeName": info.parent_type.name,
        "variables": variables,
        "selectionSetList": _selected(info, [node.selection_set for node in selected], ""),
        "selectionSetGraphQL": "\n".join(graphql.print_ast(node.selection_set) for node in selected),
    }


def _selected(info: Any, sets: list[Any], above: str) -> list[str]:
    """The names below a field, as paths: aliases as they are asked for, fragments resolved."""
    paths: list[str] = []
    for selection in (one for found in sets for one in found.selections):
        if isinstance(selection, graphql.FieldNode):
            path = above + (selection.alias or selection.name).value
            paths.append(path)
            if selection.selection_set is not None:
                paths += _selected(info, [selection.selection_set], f"{path}/")
            continue
        if isinstance(selection, graphql.FragmentSpreadNode):
            selection = info.fragments[selection.name.value]  # noqa: PLW2901 - a fragment stands for its selections
        paths += _selected(info, [selection.selection_set], above)
    return list(dict.fromkeys(paths))


def _denied(type_name: str, field_name: str) -> ResolverError:
    return ResolverError(f"Not Authorized to access {field_name} on type {type_name}", "Unauthorized")


def _shown(error: graphql.GraphQLError) -> dict[str, Any]:
    """An error as AppSync writes it."""
    original: Any = error.original_error
    return {
        "path": list(error.path) if error.path else None,
        "data": getattr(original, "data", None),
        "errorType": getattr(original, "error_type", None),
        "errorInfo": getattr(original, "info", None),
        "locations": [{"line": at.line, "column": at.column, "sourceName": None} for at in error.locations or ()],
        "message": error.message,
    }


def _told(error: ResolverError) -> dict[str, Any]:
    return {"message": error.message, "errorType": error.error_type, "data": error.data, "errorInfo": error.info}


def probe(aws: Any) -> bool:
    """A template answers, and a function's error is an error."""
    name = aws.name("vtl")
    api = {"Fn::GetAtt": ["Api", "ApiId"]}
    schema = "type Query { said(text: String): String, refused: String }"
    status = aws.stack(
        {
            "Api": {"Type": "AWS::AppSync::GraphQLApi", "Properties": {"Name": name, "AuthenticationType": "API_KEY"}},
            "Key": {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": api}},
            "Schema": {"Type": "AWS::AppSync::GraphQLSchema", "Properties": {"ApiId": api, "Definition": schema}},
            "None": {"Type": "AWS::AppSync::DataSource", "Properties": {"ApiId": api, "Name": "None", "Type": "NONE"}},
            "Said": _probed(api, "said", '{"version": "2018-05-29", "payload": "$ctx.args.text!"}'),
            "Refused": _probed(api, "refused", '$util.error("no", "Refused")'),
        },
        name,
        Outputs={"Key": {"Value": {"Fn::GetAtt": ["Key", "ApiKey"]}}, "Id": {"Value": api}},
    )
    if status != "CREATE_COMPLETE":
        return False
    described = aws.query("cloudformation", Action="DescribeStacks", StackName=name)
    key, api_id = (described.partition(f"<OutputKey>{of}</OutputKey>")[2] for of in ("Key", "Id"))
    key, api_id = (text.partition("<OutputValue>")[2].partition("<")[0] for text in (key, api_id))
    headers = {"Host": f"{api_id}.appsync-api.us-east-1.amazonaws.com", "x-api-key": key}
    asked = b'{"query": "{ said(text: \\"hello\\") refused }"}'
    said = aws.posted("/graphql", {**headers, "Content-Type": "application/json"}, asked)
    return '"hello!"' in said and '"Refused"' in said


def _probed(api: Any, field: str, template: str) -> dict[str, Any]:
    properties = {
        "ApiId": api,
        "TypeName": "Query",
        "FieldName": field,
        "DataSourceName": "None",
        "RequestMappingTemplate": template,
        "ResponseMappingTemplate": "$util.toJson($ctx.result)",
    }
    return {"Type": "AWS::AppSync::Resolver", "DependsOn": ["Schema", "None"], "Properties": properties}

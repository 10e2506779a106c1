"""One field of an operation: its resolver's templates, functions and data sources in AppSync's order.

AppSync Developer Guide, "Resolver mapping template overview", "Pipeline resolvers", "Resolver mapping template context
reference", and "#return" in "Resolver mapping template programming guide".
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import ResolverError, TemplateError, UnsupportedError
from .evaluation import Returned, evaluate
from .utilities import Namespace, Surroundings, utilities

OLD_VERSION = "2017-02-28"
"""Documents of this version never see an error in their response template: it ends the field."""
_MOST_OUTPUT = 5_000_000
"""Characters; AppSync's own limit of an evaluated template is smaller."""


class DataSourceError(ResolverError):
    """What a data source answers in the place of a result: templates see it as `$ctx.error`. `result` is `$ctx.result`
    then."""

    def __init__(self, message: str, error_type: str, result: Any = None) -> None:
        super().__init__(message, error_type)
        self.result = result


@dataclass(frozen=True)
class Unit:
    """What asks one data source: a unit resolver, or a function of a pipeline."""

    name: str
    """As errors name it."""
    data_source: str
    request: str | None
    response: str | None


@dataclass(frozen=True)
class Resolver:
    """The resolver of a field; `functions` of a pipeline, between its own two templates, else one unit."""

    name: str
    request: str | None
    response: str | None
    functions: tuple[Unit, ...] | None = None
    data_source: str = ""


@dataclass(frozen=True)
class Request:
    """The field that is asked for, by whom and where in the operation."""

    around: Surroundings
    arguments: dict[str, Any]
    source: Any
    identity: dict[str, Any] | None
    headers: dict[str, str]
    info: dict[str, Any] = field(default_factory=dict)


Ask = Callable[[str, Any, dict[str, Any]], Any]
"""Asks a data source, by name, with a document (None: no template made one) and the context: its result, or
`DataSourceError`."""


def resolve(resolver: Resolver, request: Request, ask: Ask) -> Any:
    """The field's value; raises `ResolverError`."""
    execution = _Execution(request, ask)
    if resolver.functions is None:
        unit = Unit(resolver.name, resolver.data_source, resolver.request, resolver.response)
        return execution.unit(unit)
    return execution.pipeline(resolver, resolver.functions)


class _Execution:
    """Arguments and stash live as long as the field; `result` and `error` belong to the step.

    Templates can change all that they see: each field has copies, as other fields are asked with the same values.
    """

    def __init__(self, request: Request, ask: Ask) -> None:
        self._ask = ask
        self._util = utilities(request.around)
        arguments = copy.deepcopy(request.arguments)
        self._context: dict[str, Any] = {
            "arguments": arguments,
            "args": arguments,
            "source": copy.deepcopy(request.source),
            "identity": copy.deepcopy(request.identity),
            "request": {"headers": copy.deepcopy(request.headers), "domainName": None},
            "info": copy.deepcopy(request.info),
            "stash": {},
            "prev": None,
            "result": None,
            "error": None,
        }

    def pipeline(self, resolver: Resolver, functions: tuple[Unit, ...]) -> Any:
        """Before, each function, after."""
        returned, value = self._template(resolver.request, f"{resolver.name}, request mapping template")
        if returned:
            return value
        for function in functions:
            self._context["prev"] = {"result": value}
            value = self.unit(function)
        self._context |= {"prev": {"result": value}, "result": value, "error": None}
        if not resolver.response:
            return value
        return self._template(resolver.response, f"{resolver.name}, response mapping template")[1]

    def unit(self, unit: Unit) -> Any:
        """The unit's value; the data source is not asked where the request template returned."""
        self._context |= {"result": None, "error": None}
        document = None
        if unit.request:
            where = f"{unit.name}, request mapping template"
            returned, document = self._template(unit.request, where, needed=True)
            if returned:
                return document
        try:
            self._context["result"] = self._ask(unit.data_source, document, self._context)
        except DataSourceError as error:
            version = document.get("version") if isinstance(document, dict) else None
            if version == OLD_VERSION or not unit.response:
                raise
            self._context["error"] = {"message": error.message, "type": error.error_type}
            self._context["result"] = error.result
        except (TemplateError, UnsupportedError) as error:
            raise _named(error, unit.name) from error
        if not unit.response:
            return self._context["result"]
        return self._template(unit.response, f"{unit.name}, response mapping template")[1]

    def _template(self, template: str | None, where: str, *, needed: bool = False) -> tuple[bool, Any]:
        """Whether the template ended with `#return`, and its value."""
        if not template:
            return False, None
        extensions = Namespace(
            "$extensions",
            {
                "setSubscriptionFilter": lambda *_: "",
                "setSubscriptionInvalidationFilter": lambda *_: "",
                "invalidateSubscriptions": lambda *_: "",
            },
        )
        util, context = self._util, self._context
        given = {"ctx": context, "context": context, "util": util, "utils": util, "extensions": extensions}
        try:
            outcome = evaluate(template, given)
            if isinstance(outcome, Returned):
                return True, _returned(outcome.value)
            return False, _document(outcome.text, needed=needed)
        except (TemplateError, UnsupportedError) as error:
            raise _named(error, where) from error


def _named(error: TemplateError | UnsupportedError, where: str) -> ResolverError:
    return ResolverError(f"{where}: {error.message}", error.error_type)


def _document(text: str, *, needed: bool) -> Any:
    """A template's output, which has to be JSON."""
    if not text.strip():
        if needed:
            raise TemplateError("Template transformation yielded an empty response.")
        return None
    if len(text) > _MOST_OUTPUT:
        raise TemplateError("Template transformation yielded a response that is too large")
    try:
        return json.loads(text)
    except ValueError as error:
        raise TemplateError(f"Unable to parse the JSON document: {error}; it begins {text.strip()[:80]!r}") from error


def _returned(value: Any) -> Any:
    """What `#return` gives; a string of JSON is what it says, as `#return($util.toJson(null))` means."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value

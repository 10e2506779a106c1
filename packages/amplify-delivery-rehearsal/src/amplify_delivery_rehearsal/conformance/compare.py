"""One type after the other: the plugin's calls against what is written down, its answers against the stand-in's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.components.documents.rights import provider_calls
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery_rehearsal.conformance import importing
from amplify_delivery_rehearsal.conformance.cases import Case, Inputs, cases
from amplify_delivery_rehearsal.conformance.plugin import Asked, Resource
from amplify_delivery_rehearsal.conformance.proxy import Proxy
from aws_rehearsal.local_aws import random_account
from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.wire import Properties, plain

_FREE = frozenset({"sts:GetCallerIdentity"})
"""What anybody may call."""


@dataclass
class Result:
    """What came of one type's life: `calls` by operation, and where the two differ."""

    token: str
    calls: dict[str, list[str]] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


Connect = Callable[[str], AbstractContextManager[Asked]]
"""A plugin that acts in an account."""


def compare(connect: Connect, stand_in: Asked, proxy: Proxy, only: frozenset[str]) -> Iterator[Result]:
    """Every type that the local AWS has, each in an account of its own; of these `only`, if it names any."""

    def nothing(token: str, **inputs: Any) -> Inputs:
        raise NotImplementedError(token)

    for number, (token, _) in enumerate(cases(nothing, "")):
        if "codestarnotifications" in token or (only and token not in only):
            continue
        account = random_account()
        with connect(account) as plugin:

            def make(token: str, *, plugin: Asked = plugin, **inputs: Any) -> Inputs:
                return Resource(plugin, token, name="needed").create(inputs)

            yield _live(Result(token), list(cases(make, account))[number][1], plugin, stand_in, proxy)


def _live(result: Result, begin: Callable[[], Case], plugin: Asked, stand_in: Asked, proxy: Proxy) -> Result:
    one = Resource(plugin, result.token)

    @contextmanager
    def listening(operation: str) -> Iterator[None]:
        proxy.calls.clear()
        yield
        found = {*result.calls.get(operation, ()), *proxy.calls} - _FREE
        result.calls[operation] = sorted(found)

    try:
        case: Case = begin()
        with listening("create"):
            one.create(case.create)
        with listening("read"):
            found = one.refresh()
        if not found:
            result.differences.append("read: what was made is not found")
        if result.token == ROOT_STACK:
            result.differences += importing.differences(plugin, one)
        for change in case.changes:
            _answers(result, one, stand_in, change)
            with listening("update"):
                one.update(change)
        _replacements(result, one, stand_in, case.create)
        with listening("delete"):
            one.delete()
    except ProviderError as error:
        result.differences.append(f"fails: {error}")
        return result
    for operation in provider_calls.OPERATIONS:
        written = provider_calls.calls(result.token, operation + case.suffix)
        made = set(result.calls.get(operation, ()))
        for call in sorted(made ^ written):
            how = "called, and not written down" if call in made else "written down, and not called"
            result.differences.append(f"{operation}: {call} is {how}")
    return result


def _answers(result: Result, one: Resource, stand_in: Asked, news: Inputs) -> None:
    """Check and Diff of both, from the plugin's own state."""
    other = Resource(stand_in, one.token, one.name, one.id, one.inputs, one.state)
    checked, same = one.check(news), other.check(news)
    real, played = _own(checked), _own(same)
    for key in sorted({*real, *played}):
        if real.get(key) != played.get(key):
            said = f"{key} is {real.get(key)!r}, the stand-in says {played.get(key)!r}"
            result.differences.append(f"Check: {said}")
    _differ(result, one, other, checked)


def _replacements(result: Result, one: Resource, stand_in: Asked, inputs: Inputs) -> None:
    """What another value of each text would replace."""
    other = Resource(stand_in, one.token, one.name, one.id, one.inputs, one.state)
    for key, value in inputs.items():
        if isinstance(value, str) and not value.startswith("{"):
            _differ(result, one, other, {**one.inputs, key: f"{value}x"})


def _differ(result: Result, one: Resource, other: Resource, news: Properties) -> None:
    for what, real, played in zip(("differs", "replaces"), one.diff(news), other.diff(news), strict=True):
        for key in sorted(real ^ played):
            said = "says so, the stand-in does not" if key in real else "does not say so, the stand-in does"
            line = f"Diff: {key} {what}: the plugin {said}"
            if line not in result.differences:
                result.differences.append(line)


def _own(properties: Properties) -> Properties:
    found: Properties = plain(properties)
    return {key: value for key, value in found.items() if not key.startswith("__")}

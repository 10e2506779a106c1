"""What botocore is kept from finding out again is what it would have found."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace
from typing import Any

import pytest

from aws_rehearsal.providers import session
from aws_rehearsal.warm import boto


def hooks_of_its_own() -> Any:
    """The module as it is installed, whatever was changed in this process."""
    spec = find_spec("botocore.hooks")
    assert spec and spec.loader
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def both() -> tuple[Any, Any]:
    """Botocore's own hooks, and such as remember."""
    own, remembering = hooks_of_its_own(), hooks_of_its_own()
    boto._name_events(remembering)
    boto._copy_handlers(remembering)
    assert remembering.EventAliaser._alias_event_name is not own.EventAliaser._alias_event_name
    return own, remembering


def test_events_have_the_names_that_botocore_gives_them(both: tuple[Any, Any]) -> None:
    parts = [*both[0].EVENT_ALIASES, "s3", "cloudformation", "sts"]
    events = [f"{begin}{part}{end}" for part in parts for begin in ("", "before-call.", "a.x") for end in ("", ".Get")]
    own, remembering = (hooks.EventAliaser(hooks.HierarchicalEmitter()) for hooks in both)
    for _ in range(2):
        assert [remembering._alias_event_name(e) for e in events] == [own._alias_event_name(e) for e in events]
    assert len({e for e in events if own._alias_event_name(e) != e}) > 70
    other = both[1].EventAliaser(both[1].HierarchicalEmitter(), {"s3": "simple"})
    assert other._alias_event_name("before-call.s3.Get") == "before-call.simple.Get"


def test_a_copy_of_handlers_is_like_botocores_and_changes_by_itself(both: tuple[Any, Any]) -> None:
    copies = []
    for hooks in both:
        emitter = hooks.HierarchicalEmitter()
        for number, event in enumerate(("a", "a.b", "a.*.c", "b.c", "a.b")):
            emitter.register(event, handler := called(number))
            emitter.register_first(event, handler, f"id {number}")
            emitter.register_last(event, handler)
        begun, copy = hooks.EventAliaser(emitter), hooks.EventAliaser(emitter).__copy__()
        copy.unregister("a.b", unique_id="id 1")
        copy.register("z", called("z"))
        copies.append([answers(each, event) for each in (begun, copy) for event in ("a", "a.b", "a.x.c", "b.c.d", "z")])
    assert copies[0] == copies[1]
    assert copies[0][1] != copies[0][6]
    assert (copies[0][4], copies[0][9]) == ([], ["z"])


def called(answer: object) -> Any:
    return lambda **_: answer


def answers(emitter: Any, event: str) -> list[object]:
    return [answer for _, answer in emitter.emit(event)]


@pytest.mark.parametrize(("variable", "found"), [("", {}), ("https_proxy", "asked"), ("NO_PROXY", "asked")])
def test_proxies_are_looked_for_where_a_variable_names_one(
    monkeypatch: pytest.MonkeyPatch, variable: str, found: object
) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_PROXY".upper(), raising=False)
    if variable:
        monkeypatch.setenv(variable, "somewhere")
    endpoint = SimpleNamespace(get_environ_proxies=lambda _: "asked")
    boto._look_for_proxies(endpoint)
    assert endpoint.get_environ_proxies("https://s3.eu-central-1.amazonaws.com") == found


def test_sessions_of_a_provider_have_the_same_exceptions() -> None:
    def exceptions() -> Any:
        made = session._new_session()
        made.set_credentials("nobody", "nobody")
        return made.create_client("sts", region_name="us-east-1").exceptions

    assert exceptions().ExpiredTokenException is exceptions().ExpiredTokenException

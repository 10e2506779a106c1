"""What botocore finds out anew for each process, session, client or call, and would find the same: found out once.

A provider that reads the resources of a backend makes a few clients and some twenty calls, of whose processor time that
is a third. What is kept here depends on nothing but the library and its documents.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any


def remember() -> None:
    """Before the first session is made."""
    from botocore import endpoint, hooks, parsers, useragent

    # The signature of each of 130 handlers, by every session.
    vars(hooks)["accepts_kwargs"] = functools.cache(hooks.accepts_kwargs)
    # A dozen words of the user agent, character by character, for every call.
    vars(useragent)["sanitize_user_agent_string_component"] = functools.lru_cache(512)(
        useragent.sanitize_user_agent_string_component
    )
    # The form of each timestamp, of which the same come again with each look at a stack.
    vars(parsers)["DEFAULT_TIMESTAMP_PARSER"] = functools.lru_cache(4096)(parsers.DEFAULT_TIMESTAMP_PARSER)
    _name_events(hooks)
    _copy_handlers(hooks)
    _look_for_proxies(endpoint)


def _name_events(hooks: Any) -> None:
    """Each name of an event is held against 70 older names of services, each time with its parts taken apart anew; few
    have one. What is known by a session, the next one knows."""
    proper, begin = hooks.EventAliaser._alias_event_name, hooks.EventAliaser.__init__
    older = frozenset(name for name in hooks.EVENT_ALIASES if "." not in name)
    dotted = tuple(name for name in hooks.EVENT_ALIASES if "." in name)
    known: dict[str, str] = {}

    def begun(self: Any, event_emitter: Any, event_aliases: Any = None) -> None:
        begin(self, event_emitter, event_aliases)
        if self._event_aliases == hooks.EVENT_ALIASES:
            self._alias_name_cache = known

    def alias_event_name(self: Any, event_name: str) -> str:
        names: dict[str, str] = self._alias_name_cache
        if event_name in names:
            return names[event_name]
        if names is known and not (
            any(name in event_name for name in dotted) or not older.isdisjoint(event_name.split("."))
        ):
            names[event_name] = event_name
            return event_name
        return str(proper(self, event_name))

    hooks.EventAliaser.__init__ = begun
    hooks.EventAliaser._alias_event_name = alias_event_name


def _copy_handlers(hooks: Any) -> None:
    """Each client gets a copy of the session's handlers: a tree of 375 nodes, of which botocore looks at each value for
    what it is."""
    proper, nodes = hooks._PrefixTrie._recursive_copy, hooks.NodeList

    def copied(node: dict[str, Any]) -> dict[str, Any]:
        values = node["values"]
        return {
            "chunk": node["chunk"],
            "children": {part: copied(child) for part, child in node["children"].items()},
            "values": values and nodes(values.first[:], values.middle[:], values.last[:]),
        }

    def recursive_copy(self: Any, node: dict[str, Any]) -> Any:
        if node.keys() == {"_root"} and node["_root"].keys() == {"chunk", "children", "values"}:
            return {"_root": copied(node["_root"])}
        return proper(self, node)

    hooks._PrefixTrie._recursive_copy = recursive_copy


def _look_for_proxies(endpoint: Any) -> None:
    """Each client looks twice through all of the environment's variables, for such as name a proxy."""
    proper = endpoint.get_environ_proxies

    def get_environ_proxies(url: str) -> Any:
        named = any(name[-6:].lower() == b"_proxy" for name in os.environb)
        return proper(url) if named or sys.platform != "linux" else {}

    endpoint.get_environ_proxies = get_environ_proxies

"""What Cognito never changes of a user pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.changes.impossible.finding import Impossible
from amplify_delivery.changes.impossible.rules import POOL
from amplify_delivery.changes.steps import ChangeResource
from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import listed

_SET_ONCE = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
"""Properties of a user pool that Cognito never changes: "Updates are not allowed for property" (amplify-cli 4227)."""
_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale"),
        *("middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture", "preferred_username"),
        *("profile", "sub", "updated_at", "website", "zoneinfo"),
    }
)
"""Attributes that every pool has (Cognito Developer Guide, "Working with user attributes"): only which are required,
and which can change, is said when the pool is made."""
_DEFAULTS = {"Required": "false", "Mutable": "true", "DeveloperOnlyAttribute": "false", "AttributeDataType": "String"}
"""Of an attribute in a template (CloudFormation template reference, AWS::Cognito::UserPool SchemaAttribute)."""


def pool(step: ChangeResource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Impossible]:
    """AD742: the attributes of a user pool, and how users sign in, are set once, when it is made; custom attributes
    that nobody has to give may be added (Cognito Developer Guide, "Working with user attributes")."""
    told = "a deployed user pool"
    remedy = "put it back; another pool is another auth resource in the Amplify project, with its users moved"
    changed = [p for p in _SET_ONCE if old.get(p) != new.get(p)]
    if changed:
        yield Impossible(POOL.id, step.place, f"{', '.join(changed)} of {told} cannot be changed", remedy)
    before, after = _attributes(old), _attributes(new)
    if before is None or after is None:
        return
    gone = sorted(before.keys() - after.keys())
    if gone:
        yield Impossible(POOL.id, step.place, f"attributes of {told} cannot be removed: {listed(gone)}", remedy)
    other = sorted(n for n in before.keys() & after.keys() if before[n] != after[n])
    if other:
        yield Impossible(POOL.id, step.place, f"attributes of {told} cannot be changed: {listed(other)}", remedy)
    required = sorted(n for n in after.keys() - before.keys() if n in _STANDARD or after[n]["Required"] == "true")
    if required:
        message = f"which attributes {told} requires cannot be changed: {listed(required)}"
        yield Impossible(POOL.id, step.place, message, remedy)


def _attributes(properties: Mapping[str, Any]) -> dict[str, dict[str, Any]] | None:
    """A pool's schema by the attributes' names; None when it is not known."""
    schema = properties.get("Schema") or []
    if not isinstance(schema, list) or not all(
        isinstance(a, Mapping) and isinstance(a.get("Name"), str) for a in schema
    ):
        return None
    plain = [{k: text(v) if isinstance(v, (bool, int)) else v for k, v in a.items()} for a in schema]
    return {a["Name"]: {**_DEFAULTS, **a} for a in plain}

"""The assembly as an environment in production is delivered: what holds data is protected against deletion, can be
restored to a point in time, and stays when its stack lets it go.

`DeletionPolicy` and `UpdateReplacePolicy` can be no function of a parameter (but with the transform
AWS::LanguageExtensions, which makes a macro of every template). So this is no parameter, as the permissions boundary
is: the templates in question, and those above them, are made again for such an environment. Every other one has the
templates of the assembly, byte for byte, and what is promoted from one to the next is the same assembly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.assembly import Assembly, AssemblyObject, NestedStack, canonical
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.quotas import MAX_TEMPLATE, SPLIT

DEPLOYMENT_BUCKET = "DeploymentBucket"
"""The root's own bucket: it holds nothing that is not published again."""

METADATA = "AmplifyDelivery"
"""Key of a resource's metadata. CloudFormation changes a resource's policies only together with something else of it
("You can't update the deletion policy by itself", and a bucket has nothing else to change)."""

_TABLE = {
    "DeletionProtectionEnabled": (True, False),
    "PointInTimeRecoverySpecification": (
        {"PointInTimeRecoveryEnabled": True},
        {"PointInTimeRecoveryEnabled": False},
    ),
}
_CLUSTER = {"DeletionProtection": (True, False)}

_PROPERTIES: Mapping[str, Mapping[str, tuple[Any, Any]]] = {
    "AWS::Cognito::UserPool": {"DeletionProtection": ("ACTIVE", "INACTIVE")},
    "AWS::DocDB::DBCluster": _CLUSTER,
    "AWS::DynamoDB::Table": _TABLE,
    "AWS::Neptune::DBCluster": _CLUSTER,
    "AWS::QLDB::Ledger": _CLUSTER,
    "AWS::RDS::DBCluster": _CLUSTER,
    "AWS::RDS::DBInstance": _CLUSTER,
    # Amplify's own: names as its handler reads them (amplify-category-api, amplify-table-manager-handler.ts). It sets
    # the protection when a table is updated, not when it is made; a protected table it leaves alone.
    "Custom::AmplifyDynamoDBTable": {
        "deletionProtectionEnabled": (True, False),
        "pointInTimeRecoverySpecification": (
            {"pointInTimeRecoveryEnabled": True},
            {"pointInTimeRecoveryEnabled": False},
        ),
    },
}
"""Properties that protect, by type: their value in production, and where it was turned off again. An AppSync API has
none, nor has a bucket, which S3 does not delete with something in it."""

_POLICIES = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
"""As with every `Retain` of an export: what a failed first create leaves behind would stand in the way of the next."""


def in_production(
    assembly: Assembly, on: bool, stateful: Collection[str], callouts: Collection[frozenset[str]] = ()
) -> Assembly:
    """`assembly` for an environment in production, or (not `on`) for one that is so no more. `stateful` are the types
    that hold data; `callouts` the properties by which custom resources are known whose functions make such things. It
    has the digest of `assembly`, of which nothing else differs. Pure.

    Raises `ConfigError` for a template that gets too large.
    """
    form = _Form(assembly, on, frozenset(stateful), tuple(callouts))
    root, resources = form.stack(assembly.root), form.resources(assembly.root_template["Resources"])
    made, gone = form.made, {was for was, now in form.keys.items() if was != now}
    kept = [item for item in assembly.objects if item.key not in gone]
    objects = sorted([*kept, *(item for item, _ in made.values())], key=lambda item: item.key)
    return replace(
        assembly,
        root=root,
        root_template={**assembly.root_template, "Resources": resources},
        objects=tuple(objects),
        reader=lambda key: made[key][1] if key in made else assembly.read(key),
        origin=assembly.origin or assembly,
        protects=on,
    )


class _Form:
    """An assembly's templates in another form: `made` holds those that differ, with their bodies, by their keys, `keys`
    the new key of each one."""

    def __init__(
        self, assembly: Assembly, on: bool, stateful: frozenset[str], callouts: tuple[frozenset[str], ...]
    ) -> None:
        self.assembly, self.on, self.stateful, self.callouts = assembly, on, stateful, callouts
        self.made: dict[str, tuple[AssemblyObject, bytes]] = {}
        self.keys: dict[str, str] = {}

    def stack(self, node: NestedStack) -> NestedStack:
        """A stack and all below it; children first, because their keys stand in it."""
        nested = {name: self.stack(child) for name, child in node.nested.items()}
        if not node.template:
            return replace(node, nested=nested)  # the root's is made when it is rendered
        if node.template not in self.keys:
            self.keys[node.template] = self.template(node, nested)
        return replace(node, template=self.keys[node.template], nested=nested)

    def template(self, node: NestedStack, nested: Mapping[str, NestedStack]) -> str:
        body = was = self.assembly.read(node.template)
        for name, child in nested.items():
            body = body.replace(node.nested[name].template.encode(), child.template.encode())
        if any(kind.encode() in body for kind in (*self.stateful, *(_CUSTOM if self.callouts else ()))):
            template = dict(parse_json(body))
            body = canonical({**template, "Resources": self.resources(template.get("Resources") or {})})
        if body == was:
            return node.template
        if len(body) > MAX_TEMPLATE:
            raise ConfigError(
                f"{node.logical_id} has {len(body):,} bytes with `production`, CloudFormation takes {MAX_TEMPLATE:,}",
                remedy=SPLIT,
            )
        made = AssemblyObject.of_template(body)
        self.made[made.key] = made, body
        return made.key

    def resources(self, resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        found = {
            name: _resource(item, self.on) if item["Type"] in self.stateful and name != DEPLOYMENT_BUCKET else item
            for name, item in resources.items()
        }
        return found | self.kept_callouts(found)

    def kept_callouts(self, resources: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
        """Custom resources whose functions have made what holds data, and those functions.

        Retained, the function is not asked to delete it ("DeletionPolicy attribute"). What changes together with the
        policies is the function's metadata: a custom resource with something else changed might be updated, and
        Pinpoint's function answers that with another physical id and without the app's.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for name, item in resources.items():
            properties = item.get("Properties") or {}
            if not item["Type"].startswith(_CUSTOM) or not any(c <= properties.keys() for c in self.callouts):
                continue
            policies = {p: keeps for p, keeps in _POLICIES.items() if self.on and item.get(p, "Delete") == "Delete"}
            marked = _function_of(properties) if _function_of(properties) in resources else name
            found[name] = {**item, **policies}
            found[marked] = _marked(found.get(marked, resources[marked]), self.on)
        return found


_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")


def _function_of(properties: Mapping[str, Any]) -> str:
    """The logical id of the function that a custom resource is made by; empty where it is of another stack."""
    token = properties.get("ServiceToken")
    named = token.get("Fn::GetAtt") if isinstance(token, Mapping) else None
    return str(named[0]) if isinstance(named, list) and named else ""


def _marked(item: Mapping[str, Any], on: bool) -> Mapping[str, Any]:
    return {**item, "Metadata": {**(item.get("Metadata") or {}), METADATA: "production" if on else "production off"}}


def _resource(item: Mapping[str, Any], on: bool) -> Mapping[str, Any]:
    properties = _set(item.get("Properties") or {}, _settable(item), on)
    if item["Type"] == "AWS::DynamoDB::GlobalTable" and isinstance(properties.get("Replicas"), list):
        replicas = [_set(r, _TABLE, on) if "Region" in r else r for r in properties["Replicas"]]
        properties["Replicas"] = replicas
    policies = {name: keeps for name, keeps in _POLICIES.items() if on and item.get(name, "Delete") == "Delete"}
    if not policies and properties == (item.get("Properties") or {}):
        return item  # kept and protected as exported
    changed = _marked({**item, **policies}, on)
    return {**changed, "Properties": properties} if properties else changed


def _set(properties: Mapping[str, Any], settable: Mapping[str, tuple[Any, Any]], on: bool) -> dict[str, Any]:
    found = dict(properties)
    for name, (protecting, open_) in settable.items():
        if on:
            found[name] = _with(found.get(name), protecting)
        elif name not in found:
            # Said, because nothing said is not everywhere the same as off.
            found[name] = open_
    return found


def _with(own: Any, protecting: Any) -> Any:
    """A specification may have more to say than that it is on: a period, for example."""
    if not isinstance(own, Mapping) or not isinstance(protecting, Mapping):
        return protecting
    return protecting if any(key == "Ref" or key.startswith("Fn::") for key in own) else {**own, **protecting}


def _settable(item: Mapping[str, Any]) -> Mapping[str, tuple[Any, Any]]:
    if item["Type"] == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in (item.get("Properties") or {}):
        return {}  # the cluster's counts
    return _PROPERTIES.get(item["Type"], {})

"""What a template passes to the stacks nested in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.export.documents import several
from amplify_delivery.export.model import ROOT_PARAMETERS, ExportedStack
from amplify_delivery.export.templates.expressions import Ref, flatten
from amplify_delivery.export.templates.literals import text

STAGING_BUCKET = "StagingBucket"
"""The parameter added where a template needs the staging bucket's name and has none for it."""


@dataclass(frozen=True)
class Inherited:
    """What a template may use of its parents: the parameter that holds the staging bucket's name, the parameters that
    stand for folders of the export, the one that holds the environment's name, the ids that the identity pool's
    parameter may stand for (`resolvers.Freed`), and the nested stack of the root with the user pool that they get.
    """

    bucket: str | None
    prefixes: Mapping[str, str]
    environment: str | None = None
    identity_pools: frozenset[str] | None = None
    user_pool: str | None = None

    def passed_to(self, child: ExportedStack, wired: Mapping[str, Any]) -> Inherited:
        """What of it reaches a nested stack that is given the parameters `wired`."""
        refs = {k: _only_ref(v) for k, v in wired.items() if k in child.declared}
        bucket = next((k for k, ref in refs.items() if ref is not None and ref == self.bucket), None)
        environment = next((k for k, ref in refs.items() if ref is not None and ref == self.environment), None)
        prefixes = {k: self.prefixes[ref] for k, ref in refs.items() if ref and ref in self.prefixes}
        return replace(self, bucket=bucket, prefixes=prefixes, environment=environment)

    def template_url(self, key: str) -> dict[str, Any]:
        """The TemplateURL of a nested stack."""
        host: list[Any] = ["https://s3.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}, "/"]
        return {"Fn::Join": ["", [*host, {"Ref": self.bucket or STAGING_BUCKET}, f"/{key}"]]}


def _only_ref(value: Any) -> str | None:
    segments = flatten(value)
    return segments[0].name if len(segments) == 1 and isinstance(segments[0], Ref) else None


def literals(child: ExportedStack) -> dict[str, Any]:
    """What the manifest itself gives to a stack below level 1. `env` is no literal: its value is the
    environment's and comes from above."""
    values: dict[str, Any] = {k: text(v) for k, v in child.parameters.items() if v is not None}
    return {**values, "env": {"Ref": "env"}} if "env" in values else values


def after_roles(item: Mapping[str, Any], resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """The nested stack, made to wait for the auth roles that it takes by name.

    The exporter passes `Ref AuthRoleName`, the root's parameter, which orders nothing; `amplify init` had
    made the roles long before, one create of everything must say it.
    """
    roles = {"AuthRoleName": "AuthRole", "UnauthRoleName": "UnauthRole"}
    parameters = item["Properties"]["Parameters"].values()
    wanted = {roles[v["Ref"]] for v in parameters if isinstance(v, dict) and v.get("Ref") in ROOT_PARAMETERS[:2]}
    depends = several(item.get("DependsOn"))
    missing = sorted(r for r in wanted if r in resources and r not in depends)
    return {**item, "DependsOn": [*depends, *missing]} if missing else item

"""The move of accounts from the names used before version 3 to the present ones, in the order of docs/upgrading.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.errors import ConfigError


def check_order(resources: Iterable[Mapping[str, Any]], environments: Iterable[EnvironmentNames]) -> None:
    """Raise `ConfigError` if the account's stack would lose the action role by which the pipeline still comes in.

    `resources` are the engine's, of the account's stack. Until it has both roles, nobody can have moved the pipeline.
    """
    made = {str(resource["urn"]).rpartition("::")[2] for resource in resources}
    for names in environments:
        former = replace(names, former=True)
        if not names.former and former.action_role in made and names.action_role not in made:
            raise ConfigError(
                f"the pipeline comes in through the role {former.action_role}, which this would delete before the "
                "pipeline knows the new one",
                where=f"Pulumi.{names.environment}.yaml",
                remedy="write `enrolled` for `bootstrapped` there and run the command again: the account gets both "
                "roles then (docs/upgrading.md); nothing was changed there",
            )


def next_step(names: EnvironmentNames, pipeline: str) -> str:
    """What comes next for an environment with the former names, whose account was just bootstrapped; `pipeline` is a
    stack."""
    return (
        f"{names.environment} has the new names beside the former ones now. Write `bootstrapped` for `enrolled` in "
        f"Pulumi.{names.environment}.yaml, have the pipeline updated (`pulumi up -s {pipeline}` by the tooling "
        f"account's administrator), and push; after that, `amplify-delivery bootstrap {names.environment}` deletes "
        f"the role {names.action_role} (docs/upgrading.md)"
    )

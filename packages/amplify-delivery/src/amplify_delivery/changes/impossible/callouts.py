"""Custom resources of Amplify's that AWS cannot make or change any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.rules import ANALYTICS, BOT
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.stateful import PINPOINT, is_custom
from amplify_delivery.changes.steps import AddResource, ChangeResource, ReplaceResource

LEX_V1_ENDED = date(2025, 9, 15)
_LEX = frozenset({"lexRegion", "region"})
"""amplify-cli, lex-cloudformation-template: what its function is asked with."""
_POLICIES = {"DeletionPolicy", "UpdateReplacePolicy"}


def callout(
    step: AddResource | ChangeResource | ReplaceResource, old: Stacks | None, new: Stacks, today: date
) -> Iterator[Impossible]:
    """AD751: Lex V1 has ended. AD752: Pinpoint's function answers no update. Neither is asked where nothing but the
    resource's policies change."""
    if not is_custom(step.type) or (isinstance(step, ChangeResource) and set(step.properties) <= _POLICIES):
        return
    given = properties(new, step.path).keys()
    if given >= _LEX and today >= LEX_V1_ENDED:
        what = "is new here" if isinstance(step, AddResource) else f"has another {' and '.join(step.properties)}"
        yield Impossible(
            BOT.id,
            step.place,
            f"{what}: its function calls Amazon Lex V1, which has ended on {LEX_V1_ENDED}",
            "take the interactions out of the Amplify project (`amplify remove interactions`), or put back what has "
            "changed, and export again",
        )
    was = properties(old, step.path).keys() if old else ()
    if was and not isinstance(step, AddResource) and "Type" not in step.properties and given | was >= PINPOINT:
        yield Impossible(
            ANALYTICS.id,
            step.place,
            f"has another {' and '.join(step.properties)}: its function answers an update without the app's id, which "
            "the template reads, and CloudFormation then has it delete the app",
            "put it back in the Amplify project, and export again; another app is another resource of analytics",
        )

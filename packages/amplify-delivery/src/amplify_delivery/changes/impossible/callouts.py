"""Custom resources of Amplify's that AWS cannot make or change any more, or whose work an update would undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.rules import ANALYTICS, BOT, CLIENT
from amplify_delivery.changes.references import targets
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.stateful import PINPOINT, is_custom
from amplify_delivery.changes.steps import AddResource, ChangeResource, ReplaceResource, Step

LEX_V1_ENDED = date(2025, 9, 15)
_LEX = frozenset({"lexRegion", "region"})
"""amplify-cli, lex-cloudformation-template: what its function is asked with."""
_OAUTH = frozenset({"nativeClientId", "oAuthMetadata", "userPoolId", "webClientId"})
"""amplify-cli before version 12, oauthLambda: what its function is asked with (pull request 12442 took it away)."""
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


def cleared(step: ChangeResource, steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD754: UpdateUserPoolClient sets whatever it is not given to its default (Amazon Cognito API reference)."""
    if set(step.properties) <= _POLICIES or {"AllowedOAuthFlows", "CallbackURLs"} & properties(new, step.path).keys():
        return
    again = {s.path for s in steps if isinstance(s, (AddResource, ChangeResource, ReplaceResource))}
    for path, resource in new.resolved.resources.items():
        given = properties(new, path)
        sets = is_custom(resource.type) and given.keys() >= _OAUTH and step.path in targets(dict(given))
        if sets and path not in again and path in old.resolved.resources:
            yield Impossible(
                CLIENT.id,
                step.place,
                f"has another {' and '.join(step.properties)}: the update would take back the callback addresses and "
                f"identity providers that {path[-1]} has set, which does not run again",
                f"{CLIENT.remedy} (`pulumi config set -s ENV --path 'parameters.{path[0]}.oAuthMetadata' VALUE`), so "
                "that its function runs after the client",
            )

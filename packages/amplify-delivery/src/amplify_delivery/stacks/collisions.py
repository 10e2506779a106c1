"""Names that two stacks of a project would both make in one account.

Each stack would take over, or fail on, what the other has made: `APP-NAME-build` is the role of the pipeline
`NAME-build` as well as one of the pipeline `NAME`, and an environment called `tooling` has the tooling state's bucket
for its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.access import environment_names, pipeline_names
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.reader import own_keys_in

_SHARED = "tooling-state"
"""What all pipelines of an app have together."""


def check(project: Project, app: str, own: Mapping[str, PipelineNames | EnvironmentNames]) -> None:
    """Raise `ConfigError` if another pipeline or bootstrapped environment of the project makes in the same account what
    one of the stacks `own` makes, by name."""
    others = list(_stacks(project, app, {names.account for names in own.values()}))
    for name, names in own.items():
        for stack, other in others:
            if stack != name and other.account == names.account:
                check_two((name, names), (stack, other), str(project.file(name)))


_Named = tuple[str, PipelineNames | EnvironmentNames]


def check_two(own: _Named, other: _Named, where: str) -> None:
    """Raise `ConfigError` if two of one account would both make something of the same name."""
    both = own[1].taken() & other[1].taken()
    if isinstance(own[1], PipelineNames) and isinstance(other[1], PipelineNames):
        both = frozenset((kind, made) for kind, made in both if _SHARED not in made)
    if both:
        kind, made = min(both)
        raise ConfigError(
            f"the stacks {own[0]} and {other[0]} would both make the {kind} called {made}",
            where=where,
            remedy="give one of them another name (a stack that is deployed cannot be renamed in place: destroy it "
            "under its old name first)",
        )


def _stacks(project: Project, app: str, accounts: Collection[str]) -> Iterator[_Named]:
    """The pipelines and bootstrapped environments of these accounts. Of other files only the account is looked at: a
    mistake in one of them matters there."""
    for stack in project.stacks("pipeline"):
        if own_keys_in(project.file(stack)).get("account") in accounts:
            yield stack, pipeline_names(app, stack, project.pipeline(stack))
    for stack in project.backends_in(accounts):
        keys = own_keys_in(project.file(stack))
        if "true" in (keys.get("bootstrapped"), keys.get("enrolled")):
            yield stack, environment_names(app, project.environment(stack))

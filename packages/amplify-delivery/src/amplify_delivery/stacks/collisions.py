"""Names that two stacks of a project would both make in one account.

Each stack would take over, or fail on, what the other has made: `APP-NAME-build` is the role of the pipeline
`NAME-build` as well as one of the pipeline `NAME`, and an environment called `tooling` has the tooling state's bucket
for its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.access import pipeline_names
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.reader import own_keys_in

_SHARED = "tooling-state"
"""What all pipelines of an app have together."""


def check(project: Project, app: str, name: str, own: PipelineNames | EnvironmentNames) -> None:
    """Raise `ConfigError` if another pipeline or bootstrapped environment of the project makes in the same account what
    the stack `name` makes."""
    for stack, other in _others(project, app, name, own.account):
        both = own.taken() & other.taken()
        if isinstance(own, PipelineNames) and isinstance(other, PipelineNames):
            both = frozenset((kind, made) for kind, made in both if _SHARED not in made)
        if both:
            kind, made = min(both)
            raise ConfigError(
                f"the stacks {name} and {stack} would both make the {kind} called {made}",
                where=str(project.file(name)),
                remedy="give one of them another name (a stack that is deployed cannot be renamed in place: destroy it "
                "under its old name first)",
            )


def _others(
    project: Project, app: str, name: str, account: str
) -> Iterator[tuple[str, PipelineNames | EnvironmentNames]]:
    """Those in the same account. Of files of other accounts only the account is looked at: a mistake in one of them
    matters there."""
    for stack in project.stacks("pipeline"):
        if stack != name and _account(project, stack) == account:
            yield stack, pipeline_names(app, stack, project.pipeline(stack))
    for stack in project.stacks("backend"):
        keys = own_keys_in(project.file(stack))
        if stack != name and keys.get("account") == account and _bootstrapped(keys):
            found = project.environment(stack)
            yield stack, EnvironmentNames(app, found.account, found.region, found.environment)


def _account(project: Project, stack: str) -> str:
    return str(own_keys_in(project.file(stack)).get("account"))


def _bootstrapped(keys: Mapping[str, object]) -> bool:
    return "true" in (keys.get("bootstrapped"), keys.get("enrolled"))

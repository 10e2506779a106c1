"""Resources that stand elsewhere, and keep their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.rules import MOVED
from amplify_delivery.changes.replacement import fixed_name
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource, Path, RemoveResource, ReplaceResource, Step
from amplify_delivery.export.assembly import canonical

_WITHIN = {
    "AWS::Events::Rule": "EventBusName",
    "AWS::Lambda::EventSourceMapping": "Topics",
    "AWS::Scheduler::Schedule": "GroupName",
}
"""Where a name is one of a kind, if not in the account and region."""


_IN_PARENT: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::Stage": ("RestApiId", "StageName"),
    "AWS::AppSync::DataSource": ("ApiId", "Name"),
    "AWS::AppSync::Resolver": ("ApiId", "TypeName", "FieldName"),
    "AWS::Cognito::UserPoolGroup": ("UserPoolId", "GroupName"),
    "AWS::Cognito::UserPoolIdentityProvider": ("UserPoolId", "ProviderName"),
    "AWS::Cognito::UserPoolResourceServer": ("UserPoolId", "Identifier"),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn", "FunctionName"),
}
"""What is one of its kind in an API or a pool, or of what it maps. A resolver moves with its stack (`StackMapping`;
amplify-cli 1189), or with the file of a custom one."""


def moved(steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD753: what goes is deleted when all stacks have been updated ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), and what
    is kept stays; until then its name is taken. What only perhaps was there, or is made, is no reason to refuse, nor is
    what belongs to something that is replaced."""
    fresh = {step.path for step in steps if isinstance(step, AddResource | ReplaceResource)}
    gone = {
        taken: step for step in steps if isinstance(step, RemoveResource) and (taken := _taken(step, old)) is not None
    }
    for step in steps:
        taken = _taken(step, new) if isinstance(step, AddResource) and gone else None
        was = gone.get(taken) if taken is not None else None
        if isinstance(step, AddResource) and was is not None and not fresh & {*_parents(step, new)}:
            what = ", ".join(identity(step.type))
            told = f"has the name ({what}) of {was.place}, which goes in the same release"
            yield Impossible(MOVED.id, step.place, told, MOVED.remedy)


def identity(kind: str) -> tuple[str, ...]:
    """The properties by which a resource is one of its kind; none if it has no name of its own."""
    name = fixed_name(kind)
    return _IN_PARENT.get(kind, (name,) if name is not None else ())


def _taken(step: AddResource | RemoveResource, stacks: Stacks) -> tuple[str, bytes] | None:
    """The name that a resource takes, with its type; None if it has none, or only perhaps."""
    if step.path in stacks.resolved.doubtful:
        return None
    given = properties(stacks, step.path)
    names = [given.get(name) for name in identity(step.type)]
    known = canonical([*names, given.get(_WITHIN.get(step.type, ""))])
    return None if not names or None in names or b'"Fn::If"' in known else (step.type, known)


def _parents(step: AddResource, stacks: Stacks) -> Iterator[Path]:
    """The resources that a name refers to."""
    given = properties(stacks, step.path)
    pending: list[Any] = [given.get(name) for name in identity(step.type)]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            (name, argument), *_ = value.items()
            path = argument[0] if name == "Fn::GetAtt" and isinstance(argument, list) else argument
            if name in ("Ref", "Fn::GetAtt") and isinstance(path, list):
                yield tuple(map(str, path))
            pending += value.values()
        elif isinstance(value, list):
            pending += value

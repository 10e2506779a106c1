"""Replacements that CloudFormation cannot make: of what keeps a name of its own, and into another type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from amplify_delivery.changes.impossible.finding import Impossible, properties
from amplify_delivery.changes.impossible.moving import identity
from amplify_delivery.changes.impossible.rules import NAMED, TYPE
from amplify_delivery.changes.ordered import successors
from amplify_delivery.changes.references import targets
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path, ReplaceResource, Step


def replacement(step: ReplaceResource, steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD743: CloudFormation makes the new resource before it deletes the old one, so one with a name of its own, which
    stays, cannot be replaced. AD746: what a logical id stands for cannot become another type."""
    if "Type" in step.causes:
        was = old.resolved.resources[step.path].type
        yield _another_type(step.place, was)
        return
    if not step.certain:
        return
    before, after = properties(old, step.path), properties(new, step.path)
    if successors.is_copied(new, step.path):
        yield Impossible(
            NAMED.id,
            step.place,
            "gets a successor with its items (`replacedTables`), which takes several updates",
            _several(old, new, step.path),
        )
        return
    names = identity(step.type)
    if not names or any(after.get(name) is None or before.get(name) != after[name] for name in names):
        return
    replaced = {s.path for s in steps if isinstance(s, ReplaceResource) and s.path != step.path}
    if any(replaced & set(targets(after[name])) for name in names):
        return  # the name is made from something that gets another one
    yield Impossible(
        NAMED.id,
        step.place,
        f"has a name of its own ({', '.join(names)}), and {', '.join(step.causes)} cannot change under the same one",
        _successor(step, new)
        + f"deliver twice: first without the resource{_LOST if step.loss else ''}, then with it as it should be; or "
        "give it another name",
    )


_LOST = " (its data goes, which `dataLoss` has to allow)"


def becomes_another(old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD746 of nested stacks, of which there is no step: all that is in them goes, or comes."""
    for path in sorted({*old.templates, *new.templates} - {()}):
        was, will = (stacks.resource(path).get("Type") for stacks in (old, new))
        if was and will and was != will:
            yield _another_type("/".join(path), str(was))


def _another_type(place: str, was: str) -> Impossible:
    return Impossible(
        TYPE.id,
        place,
        f"was {was}, and CloudFormation does not change the type of a resource",
        "give the new resource another logical id",
    )


def _several(old: Stacks, new: Stacks, path: Path) -> str:
    """What to do where a table's successor is not made: mostly there is a reason, which is told with it."""
    prefix = successors.prefix_of(new, path)
    if successors.current_prefix(old, path) != prefix:
        return "deliver that by itself"
    other = successors.next_prefix(prefix)
    if len(successors.choices(new)) > 1:
        return f"in `replacedTables` of Pulumi.ENV.yaml, give {'/'.join(path)} another prefix, such as {other}"
    return f"give it another prefix: `pulumi config set -s ENV --path 'replacedTables[0].prefix' {other}`"


def _successor(step: ReplaceResource, new: Stacks) -> str:
    """How a table gets a successor: by an entry of its own, beside those that others have."""
    if step.type != "AWS::DynamoDB::Table":
        return ""
    choices = successors.choices(new)
    prefix = successors.next_prefix(successors.prefix_of(new, step.path) if step.path in choices else "")
    what = "give the table a successor under another name, and have its items copied: "
    if step.path in choices and len(choices) > 1:
        entry = f"in `replacedTables` of Pulumi.ENV.yaml, {step.place} with the prefix {prefix} and `data: copy`"
    else:
        which = f"'replacedTables[{0 if step.path in choices else len(choices)}]"
        entry = (
            f"`pulumi config set-all -s ENV --path --plaintext {which}.path={step.place}' --plaintext "
            f"{which}.prefix={prefix}' --plaintext {which}.data=copy'`"
        )
    return f"{what}{entry}; docs/planning.md has what becomes of it. Or "

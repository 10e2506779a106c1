"""What a plan asks for, and AWS cannot do: known before anything is sent, instead of half-way through an update. Pure.

What stands here is refused by CloudFormation or by the service in every case that is found; what depends on more than
the templates tell is not found. A finding can be overruled by its id (`lint.ignore`), because AWS changes its mind too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from amplify_delivery.changes.ordered import successors
from amplify_delivery.changes.ordered.exports import in_use
from amplify_delivery.changes.ordered.indexes import is_another
from amplify_delivery.changes.references import targets
from amplify_delivery.changes.replacement import fixed_name
from amplify_delivery.changes.runtimes import may_not_be_created
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeResource,
    Path,
    RemoveResource,
    ReplaceResource,
    Step,
    replaced_by,
)
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.quotas import MAX_IN_OPERATION
from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import Rule, listed

INDEXES = Rule(
    "AD741",
    "refused",
    "More than one change of a table's global secondary indexes, where they cannot be delivered one after the other.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html",
    "`Cannot perform more than one GSI creation or deletion in a single update`",
    remedy="export and deliver with one of them after the other",
)

POOL = Rule(
    "AD742",
    "refused",
    "Another required attribute, another sign-in of a deployed user pool.",
    "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html",
    "`Invalid AttributeDataType input`, `Updates are not allowed for property`",
    remedy="put it back; another pool is another auth resource in the Amplify project, with its users moved",
)

NAMED = Rule(
    "AD743",
    "refused",
    "The replacement of a resource that keeps a name of its own.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html",
    "`CloudFormation cannot update a stack when a custom-named resource requires replacing`",
    remedy="a table gets a successor under another name, with its items (`replacedTables` in the stack file); anything "
    "else is delivered twice: first without the resource (its data goes), then with it, or gets another name",
)

OPERATION = Rule(
    "AD744",
    "refused",
    "More than 2,500 resources in one operation.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
    "`Limit on the number of resources in a single stack operation exceeded`",
    remedy="deliver in parts: first an export with some of the models, then with all",
)

RUNTIME = Rule(
    "AD745",
    "refused",
    "A new function with a runtime that is out of support; deployed ones stay deliverable.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    "Lambda: the runtime parameter is no longer supported for creating functions",
    remedy="raise the function's runtime in the Amplify project, and export again",
)

TYPE = Rule(
    "AD746",
    "refused",
    "Another type under the same logical id.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
    "`Update of resource type is not permitted`",
    remedy="give the new resource another logical id",
)

EXPORT = Rule(
    "AD748",
    "refused",
    "An export that goes, or gets another value, though another stack of the backend imports it, where it cannot stay "
    "for one update more.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html",
    "`Export X cannot be deleted as it is in use by Y`, `Export X cannot be updated as it is in use by Y`",
    remedy="deliver twice: first an export in which nothing imports it, then this one",
)

UNFILLED = Rule(
    "AD749",
    "refused",
    "A release that would use a table's successor without the table's items in it.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html",
    "nothing: CloudFormation would do it, and the app find an empty table",
    remedy="`amplify-delivery up ENV`, or `plan` and `deploy`, copy the items; with `replacedTables` as they were",
)

EXPIRY = Rule(
    "AD750",
    "refused",
    "Another attribute by which a table's items expire, while the old one is in use.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-timetolivespecification.html",
    "`TimeToLive is active on a different AttributeName: current AttributeName is X`",
    remedy="deliver twice: first with `Enabled: false` for the old attribute, then, an hour later, with the new one",
)
IN_SEVERAL = frozenset({INDEXES.id, NAMED.id, EXPORT.id, UNFILLED.id})
"""What several updates may do where one cannot."""
ALWAYS = frozenset({UNFILLED.id})
"""What no stack file overrules: not AWS refuses it."""

_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_POOL = "AWS::Cognito::UserPool"
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


@dataclass(frozen=True)
class Impossible:
    """Something that AWS refuses. `place` is that of the step, or empty for the plan as a whole."""

    id: str
    place: str
    message: str
    remedy: str
    """What to do; an environment's commands say ENV in the place of its name."""

    def __str__(self) -> str:
        return f"{self.id} {self.place}: {self.message}" if self.place else f"{self.id} {self.message}"

    def remedy_in(self, environment: str) -> str:
        """What to do in this environment: its commands work as they stand."""
        return re.sub(r"\bENV\b", environment, self.remedy)


def impossible(  # noqa: PLR0917 - each is another thing
    steps: Sequence[Step],
    old: Stacks | None,
    new: Stacks,
    today: date,
    ignored: Collection[str] = (),
    copied: Collection[Path] = (),
) -> tuple[Impossible, ...]:
    """What of `steps`, from what is deployed (`old`; None: nothing) to `new`, AWS refuses on the day `today` (UTC), and
    what would use a successor that is none of those whose items have been `copied`.

    `ignored` are ids that do not count.
    """
    found = [*_operation(steps), *(i for step in steps for i in _of(step, steps, old, new, today))]
    found += _exports(steps, old, new) if old else ()
    always = _unfilled(old, new, copied) if old else ()
    return (*(i for i in found if i.id not in ignored), *always)


def check(found: Iterable[Impossible], environment: str) -> None:
    """Raise `RefusedError` with all that is impossible in an environment."""
    several = list(found)
    if not several:
        return
    remedies = list(dict.fromkeys(i.remedy_in(environment) for i in several))
    ids = ", ".join(dict.fromkeys(i.id for i in several if i.id not in ALWAYS))
    what = "AWS cannot do this" if ids else "this would put an empty table in the place of a full one"
    raise RefusedError(
        f"{what}:\n" + "\n".join(f"  {i}" for i in several),
        where=environment,
        remedy=f"nothing was changed. {'; '.join(remedies)} (docs/checks.md"
        + (f"; if AWS can, `lint.ignore` takes {ids})" if ids else ")"),
    )


def reasoned(found: Impossible, reasons: Mapping[str, str]) -> Impossible:
    """`found` with why it is not delivered in several updates, if that is among `reasons`, by place."""
    reason = reasons.get(found.place) if found.id in IN_SEVERAL else None
    return replace(found, message=f"{found.message}; not one after the other either: {reason}") if reason else found


def _of(step: Step, steps: Sequence[Step], old: Stacks | None, new: Stacks, today: date) -> Iterator[Impossible]:
    if isinstance(step, (AddResource, ReplaceResource)) and step.type in _FUNCTIONS:
        yield from _runtime(step, new, today)
    if old is None:
        return
    if isinstance(step, ReplaceResource):
        yield from _replacement(step, steps, old, new)
    if isinstance(step, ChangeResource):
        before, after = _properties(old, step.path), _properties(new, step.path)
        if step.type in _TABLES:
            yield from _indexes(step, before, after)
            yield from _expiry(step, before, after)
        if step.type == _POOL:
            yield from _pool(step, before, after)


def _properties(stacks: Stacks, path: Path) -> Mapping[str, Any]:
    resource = stacks.resolved.resources.get(path)
    return resource.properties if resource is not None and isinstance(resource.properties, Mapping) else {}


def _indexes(step: ChangeResource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Impossible]:
    """AD741: of a table's global secondary indexes one is made or deleted per update (DynamoDB API reference,
    UpdateTable), and of one that stays nothing but its throughput changes."""
    before, after = _by_name(old, "GlobalSecondaryIndexes"), _by_name(new, "GlobalSecondaryIndexes")
    if before is None or after is None:
        return
    moved = sorted([*(f"+{n}" for n in after.keys() - before.keys()), *(f"-{n}" for n in before.keys() - after.keys())])
    if len(moved) > 1:
        yield Impossible(
            INDEXES.id,
            step.place,
            f"{len(moved)} global secondary indexes are made or deleted ({', '.join(moved)}): DynamoDB takes one in an "
            "update",
            "export and deliver with one of them after the other: the first one's @index, then the next",
        )
    changed = sorted(n for n in before.keys() & after.keys() if is_another(before[n], after[n], old, new))
    if changed:
        yield Impossible(
            INDEXES.id,
            step.place,
            f"keys or projection of the index {listed(changed)} change, DynamoDB changes no index that is there",
            "give the new index another name (`@index(name: ...)`), and take the old one away in a later delivery",
        )


def _expiry(step: ChangeResource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Impossible]:
    """AD750: the attribute changes only while nothing expires, and DynamoDB takes an hour to stop."""
    was, becomes = (_expires_by(properties) for properties in (old, new))
    if isinstance(was, str) and isinstance(becomes, str) and was != becomes:
        told = f"items expire by {was}, and should by {becomes}: DynamoDB moves on from no attribute that is in use"
        yield Impossible(EXPIRY.id, step.place, told, EXPIRY.remedy)


def _expires_by(properties: Mapping[str, Any]) -> Any:
    """The attribute by which items expire; None if by none, or by one that is not known."""
    found = properties.get("TimeToLiveSpecification")
    if not isinstance(found, Mapping) or text(found.get("Enabled", "")).lower() != "true":
        return None
    return found.get("AttributeName")


def _by_name(properties: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]] | None:
    """Indexes by their names; None when they are not known."""
    indexes = properties.get(name) or []
    if not isinstance(indexes, list):
        return None
    named = {str(i.get("IndexName")): i for i in indexes if isinstance(i, Mapping) and "IndexName" in i}
    return named if len(named) == len(indexes) else None


def _pool(step: ChangeResource, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Impossible]:
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


def _replacement(step: ReplaceResource, steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD743: CloudFormation makes the new resource before it deletes the old one, so one with a name of its own, which
    stays, cannot be replaced. AD746: what a logical id stands for cannot become another type."""
    if "Type" in step.causes:
        was = old.resolved.resources[step.path].type
        yield Impossible(
            TYPE.id,
            step.place,
            f"was {was}, and CloudFormation does not change the type of a resource",
            "give the new resource another logical id",
        )
        return
    if not step.certain:
        return
    before, after = _properties(old, step.path), _properties(new, step.path)
    if successors.is_copied(new, step.path):
        yield Impossible(
            NAMED.id,
            step.place,
            "gets a successor with its items (`replacedTables`), which takes several updates",
            _several(old, new, step.path),
        )
        return
    name = fixed_name(step.type)
    if name is None or after.get(name) is None or before.get(name) != after[name]:
        return
    replaced = {s.path for s in steps if isinstance(s, ReplaceResource) and s.path != step.path}
    if replaced & set(targets(after[name])):
        return  # the name is made from something that gets another one
    yield Impossible(
        NAMED.id,
        step.place,
        f"has a name of its own ({name}), and {', '.join(step.causes)} cannot change under the same one",
        _successor(step, new)
        + "deliver twice: first without the resource (its data goes, which `dataLoss` has to allow), then with it as "
        "it should be; or give it another name",
    )


def _several(old: Stacks, new: Stacks, path: Path) -> str:
    """What to do where a table's successor is not made: mostly there is a reason, which is told with it."""
    prefix = successors.prefix_of(new, path)
    if successors.standing(old, path) != prefix:
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


def _runtime(step: AddResource | ReplaceResource, new: Stacks, today: date) -> Iterator[Impossible]:
    """AD745: a runtime in which Lambda makes no functions any more. Those that are there stay deliverable."""
    runtime = _properties(new, step.path).get("Runtime")
    since = may_not_be_created(runtime, today) if isinstance(runtime, str) else None
    if since:
        yield Impossible(
            RUNTIME.id,
            step.place,
            f"is new here, and Lambda makes no functions with {runtime} since {since}",
            "raise the function's runtime in the Amplify project (`amplify update function`, or override), and export "
            "again",
        )


def _exports(steps: Sequence[Step], old: Stacks, new: Stacks) -> Iterator[Impossible]:
    """AD748: "You can't delete a stack or modify an exported output value if another stack imports it" (CloudFormation
    User Guide): who imports is updated later, or at the same time."""
    for stack, names in in_use(old, new, replaced_by(steps)).items():
        yield Impossible(
            EXPORT.id,
            "/".join(stack),
            f"exports {listed(names)} no more, or with another value, while another stack still imports it",
            "deliver twice: first an export in which nothing imports it, then this one",
        )


def _unfilled(old: Stacks, new: Stacks, copied: Collection[Path]) -> Iterator[Impossible]:
    """AD749: of a successor's three updates (`amplify_delivery.changes.ordered.successors`) the second is done, and the
    third is asked for without what comes between."""
    for path in successors.unfilled(old, new):
        if path not in copied:
            prefix = successors.standing(old, path)
            yield Impossible(
                UNFILLED.id,
                "/".join(path),
                f"its successor (prefix {prefix}) is made and not filled yet: the items are in the old table, which "
                "stays; this release would have the app use "
                + ("the successor without them" if new.resource(path) else "neither"),
                _filling(old, new, path, prefix),
            )
    for path in successors.left_behind(old, new):
        yield Impossible(
            UNFILLED.id,
            "/".join(path),
            "was delivered with `data: leave`, and its successor is in use: nothing is copied behind the app's back",
            "write `data: leave` for it, as it was delivered",
        )


def _filling(old: Stacks, new: Stacks, path: Path, prefix: str) -> str:
    choices = successors.choices(new)
    up = "`amplify-delivery up ENV` copies them first, so do `plan` and `deploy`"
    anew = successors.has_other_keys(old, new, path)
    if choices.get(path) in ("copy", "keep") and (not anew or successors.prefix_of(new, path) != prefix):
        return up
    if anew:
        prefix = successors.next_prefix(prefix)  # another successor, from the same old table
    place = "/".join(path)
    if path in choices and len(choices) > 1:
        return f"in `replacedTables` of Pulumi.ENV.yaml, give {place} the prefix {prefix} and `data: copy`; then {up}"
    which = f"'replacedTables[{0 if path in choices else len(choices)}]"
    entry = f"--plaintext {which}.path={place}' --plaintext {which}.prefix={prefix}' --plaintext {which}.data=copy'"
    return f"`pulumi config set-all -s ENV --path {entry}`; then {up}"


def _operation(steps: Sequence[Step]) -> Iterator[Impossible]:
    """AD744: "Maximum number of CloudFormation resources a nested stack can create, update, or delete per operation"
    (User Guide, "Understand CloudFormation quotas"): nested stacks count as resources."""
    moved = [s.path for s in steps if isinstance(s, (AddResource, ChangeResource, ReplaceResource, RemoveResource))]
    stacks = {path[:depth] for path in moved for depth in range(1, len(path))}
    count = len(moved) + len(stacks)
    if count > MAX_IN_OPERATION:
        yield Impossible(
            OPERATION.id,
            "",
            f"{count:,} resources in one operation, CloudFormation takes {MAX_IN_OPERATION:,}",
            "deliver in parts: first an export with some of the models, then with all",
        )

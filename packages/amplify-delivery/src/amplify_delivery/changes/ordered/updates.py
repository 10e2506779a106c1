"""The updates of the root stack that lead to a release, where one alone is refused: each a tree of templates. Pure.

Those before the release's own change nothing but indexes of what is deployed, those after it nothing but indexes of
what is wanted: so no other resource is touched twice, and the resolvers change when the indexes that they use are
there. All is made from what is deployed and what is wanted alone: whoever asks again after one of them gets the rest of
the same updates, byte by byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

from amplify_delivery.changes.ordered import exports, indexes, successors
from amplify_delivery.changes.ordered.indexes import Change, NotOrderableError
from amplify_delivery.changes.stacks import KEY, MASK, Stacks
from amplify_delivery.changes.steps import ChangeResource, CopyTable, Path, Step, replaced_by
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import AssemblyObject, canonical

TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
"""Not Amplify's `Custom::AmplifyDynamoDBTable`: its function makes several changes by itself, one after the other
(amplify-category-api, amplify-table-manager-lambda)."""
_FIRST = "a table's successor is made, and has to get its items first: deliver what it was made for, and this later"


@dataclass(frozen=True)
class Update:
    """One update of the root stack, on the way."""

    stacks: Stacks = field(repr=False)
    """What is deployed after it."""
    objects: tuple[tuple[AssemblyObject, bytes], ...] = field(repr=False)
    """Its templates that no release has, nested ones before those that name them; the root is the last."""
    why: tuple[str, ...]
    """What it is for, a line for each index."""
    tables: tuple[Path, ...]
    """Whose indexes it changes."""
    released: bool
    """Whether everything else is as it is wanted already; before that only the root stack is changed."""

    @property
    def root(self) -> str:
        """Key of its root template."""
        return self.stacks.parameters[TEMPLATE_KEY]

    @cached_property
    def keys(self) -> Mapping[Path, str]:
        """The key of each stack's template, of those that have been published from here."""
        return {path: key for path in self.stacks.templates if (key := self.stacks.delivered_key(path))}


@dataclass(frozen=True)
class Ordered:
    """All updates but the last, which is the release itself; empty if that one alone will do.

    `last` says what the last one is for. `reasons` tells of tables whose changes AWS refuses in one update, by their
    place, why they cannot be put in order.
    """

    updates: tuple[Update, ...] = ()
    last: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()
    """Whose indexes the last one changes."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    copies: tuple[CopyTable, ...] = ()
    """Tables whose items are copied to their successors before the release, after the updates that come before it."""


def ordered(old: Stacks | None, new: Stacks, steps: Sequence[Step], *, singly: bool = True) -> Ordered:
    """The updates from what is deployed (`old`) to what is wanted (`new`), between which `steps` are.

    Not `singly`: what AWS takes one at a time is tried at once. Items are copied all the same."""
    if old is None:
        return Ordered()
    work = _Work(old, new, *successors.begun(old, new, steps))
    reasons = work.find(steps) if singly else {}
    if not work:
        return Ordered(reasons=reasons)
    try:
        return replace(_updates(work), reasons=reasons)
    except NotOrderableError as error:
        return Ordered(reasons={**reasons, **dict.fromkeys(map("/".join, work.places()), str(error))})


def changed_tables(steps: Iterable[Step]) -> tuple[Path, ...]:
    """The tables that `steps` change in place."""
    return tuple(dict.fromkeys(s.path for s in steps if isinstance(s, ChangeResource) and s.type in TABLES))


@dataclass
class _Work:
    """What takes more than one update: tables that get successors (`replaced`), or have them already and lack the items
    (`filled`), tables with several changes of their indexes (`ways`), exports that stay for a while (`kept`)."""

    old: Stacks
    new: Stacks
    replaced: tuple[Path, ...]
    filled: tuple[Path, ...]
    ways: dict[Path, indexes.Way] = field(default_factory=dict)
    kept: exports.Outputs = field(default_factory=dict)

    def find(self, steps: Sequence[Step]) -> dict[str, str]:
        """Look for ways and exports; why there are none where some are needed, by place."""
        reasons = {}
        for path in changed_tables(steps):
            try:
                self.ways[path] = indexes.way(_properties(self.old, path), _properties(self.new, path))
            except NotOrderableError as error:
                reasons["/".join(path)] = str(error)
        try:
            self.kept = exports.kept(self.old, self.new, replaced_by(steps))
        except NotOrderableError as error:
            reasons |= {"/".join(stack): str(error) for stack in exports.in_use(self.old, self.new, replaced_by(steps))}
        return reasons

    def __bool__(self) -> bool:
        return bool(self.replaced or self.filled or self.kept or any(w.before or w.after for w in self.ways.values()))

    def places(self) -> list[Path]:
        """The tables that one update will not do for."""
        several = [path for path, way in self.ways.items() if way.before or way.after]
        return sorted({*self.replaced, *self.filled, *several})

    def copies(self) -> tuple[CopyTable, ...]:
        """The tables whose items are copied."""
        old, new = self.old, self.new
        return tuple(
            CopyTable(
                path,
                successors.prefix_of(new, path),
                successors.source(old, path),
                successors.is_kept(new, path),
                successors.current_prefix(old, path),
            )
            for path in sorted({*self.replaced, *self.filled})
        )


def _successors(old: Stacks, new: Stacks, replaced: Sequence[Path]) -> Iterator[Update]:
    open_ = [path for path in replaced if successors.closes(old, path)]
    here = old
    if open_:
        here, objects = with_templates(old, _edited(old, {path: successors.closed(old, path, new) for path in open_}))
        why = tuple(f"{'/'.join(p)}: closed for writes, and kept when it is replaced" for p in open_)
        yield Update(here, objects, why, tuple(open_), released=False)
    if replaced:
        templates: dict[Path, Mapping[str, Any]] = {}
        for path in replaced:
            base = Stacks({**here.templates, **templates}, here.parameters)
            templates[path[:-1]] = successors.made(base, path, new)
        stacks, objects = with_templates(here, templates)
        why = tuple(f"{'/'.join(p)}: its successor is made, empty; the old table still serves" for p in replaced)
        yield Update(stacks, objects, why, tuple(replaced), released=False)


def _edited(base: Stacks, resources: Mapping[Path, Mapping[str, Any]]) -> dict[Path, Mapping[str, Any]]:
    """The templates of `base` in which these resources stand, with them."""
    found: dict[Path, Mapping[str, Any]] = {}
    for (*stack, name), resource in resources.items():
        template = found.get(tuple(stack), base.templates[tuple(stack)])
        found[tuple(stack)] = {**template, "Resources": {**template["Resources"], name: resource}}
    return found


def _updates(work: _Work) -> Ordered:
    """Indexes that are made come first, because they may take hours in which a table that gets a successor would be
    closed; then its successor, and nothing between that and the release but the copy."""
    old, new, ways = work.old, work.new, work.ways
    tables = {path: _Table(_properties(old, path), _properties(new, path)) for path in ways}
    updates = list(_before(work, tables))
    if work.replaced:
        updates += _successors(_published(updates[-1].stacks if updates else old, work.replaced), new, work.replaced)
    after, changes = _after(work, tables)
    return Ordered((*updates, *after), _why(changes), tuple(changes), copies=work.copies())


def _before(work: _Work, tables: Mapping[Path, _Table]) -> Iterator[Update]:
    """The updates with nothing of the release but indexes."""
    ways = work.ways
    for round_ in zip_longest(*(way.before for way in ways.values())):
        if work.filled:
            # It may be why an update fails: and that one was rolled back is how one knows that a successor was in use.
            raise NotOrderableError(_FIRST)
        changes = {path: change for path, change in zip(ways, round_, strict=True) if change}
        for path, change in changes.items():
            tables[path].do(change)
        edits = {path: tables[path].old_with() for path in ways if path in changes or tables[path].begun}
        yield _update(_published(work.old, ways), edits, changes, released=False)
    if work.filled and work.replaced:
        raise NotOrderableError(_FIRST)


def _after(work: _Work, tables: Mapping[Path, _Table]) -> tuple[list[Update], dict[Path, Change]]:
    """The updates with the whole release but for some indexes and exports; the last one's changes."""
    new, ways, kept = work.new, work.ways, work.kept
    changes = {path: way.within for path, way in ways.items() if way.within}
    for path, change in changes.items():
        tables[path].do(change)
    updates = []
    rest = list(zip_longest(*(way.after for way in ways.values()))) or [(None,) * len(ways)] * bool(kept)
    for number, round_ in enumerate(rest):
        edits = {path: tables[path].new_with() for path in ways if not tables[path].done}
        updates.append(_update(new, edits, changes, released=True, outputs=kept if number == 0 else {}))
        changes = {path: change for path, change in zip(ways, round_, strict=True) if change}
        for path, change in changes.items():
            tables[path].do(change)
    return updates, changes


class _Table:
    """A table's indexes as they are at one point of the way, each with the properties that it is taken from."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._old, self._new = old, new
        self._wanted = indexes.by_name(new)
        self._now = {name: (index, old) for name, index in indexes.by_name(old).items()}
        self.begun = False

    def do(self, change: Change) -> None:
        self.begun = True
        if change.made:
            self._now[change.name] = (self._wanted[change.name], self._new)
        else:
            del self._now[change.name]

    @property
    def done(self) -> bool:
        """Whether it has the indexes that are wanted."""
        return self._now.keys() == self._wanted.keys()

    def old_with(self) -> dict[str, Any]:
        return indexes.with_indexes(self._old, self._now)

    def new_with(self) -> dict[str, Any]:
        # What stays may have another throughput.
        wanted = {name: (index, self._new) for name, index in self._wanted.items() if name in self._now}
        return indexes.with_indexes(self._new, {**wanted, **{n: i for n, i in self._now.items() if n not in wanted}})


def _why(changes: Mapping[Path, Change]) -> tuple[str, ...]:
    return tuple(f"{'/'.join(path)}: {change.why}" for path, change in sorted(changes.items()))


def _properties(stacks: Stacks, path: Path) -> Mapping[str, Any]:
    """As the template has them: the names of indexes and attributes are plain there."""
    found = stacks.resource(path).get("Properties")
    return found if isinstance(found, Mapping) else {}


def _update(
    base: Stacks,
    tables: Mapping[Path, Mapping[str, Any]],
    changes: Mapping[Path, Change],
    *,
    released: bool,
    outputs: exports.Outputs = MappingProxyType({}),
) -> Update:
    stacks, objects = with_properties(base, tables, outputs)
    stay = tuple(
        f"{'/'.join(stack) or 'root'}: export {name} stays as it is until nothing imports it any more"
        for stack, names in sorted(outputs.items())
        for name in sorted(names)
    )
    return Update(stacks, objects, (*_why(changes), *stay), tuple(sorted(changes)), released)


def with_properties(
    base: Stacks,
    properties: Mapping[Path, Mapping[str, Any]],
    outputs: exports.Outputs = MappingProxyType({}),
) -> tuple[Stacks, tuple[tuple[AssemblyObject, bytes], ...]]:
    """`base` with other properties of some resources and with more `outputs`, and its templates that are new with that:
    each of those that hold one of them, and of all above, which name the new addresses."""
    templates = dict(base.templates)
    changed: dict[Path, Mapping[str, Any]] = {}
    for stack, more in outputs.items():
        own = templates[stack]
        templates[stack] = changed[stack] = {**own, "Outputs": {**(own.get("Outputs") or {}), **more}}
    for path, wanted in properties.items():
        _replace(templates, changed, path, wanted)
    return with_templates(base, changed)


def with_templates(
    base: Stacks, others: Mapping[Path, Mapping[str, Any]]
) -> tuple[Stacks, tuple[tuple[AssemblyObject, bytes], ...]]:
    """`base` with other templates of some stacks, and its templates that are new with that: those, and of all stacks
    above, which name the new addresses."""
    changed = dict(others)
    templates: dict[Path, Mapping[str, Any]] = {**base.templates, **changed}
    objects: dict[str, tuple[AssemblyObject, bytes]] = {}
    for depth in range(max(map(len, changed)), -1, -1):
        for stack in sorted(p for p in changed if len(p) == depth):
            item, body = _object(changed[stack])
            objects[item.key] = (item, body)
            if stack:
                own = templates[stack[:-1]]["Resources"][stack[-1]].get("Properties") or {}
                nested = {**own, "TemplateURL": _elsewhere(own.get("TemplateURL"), item.key, stack)}
                _replace(templates, changed, stack, nested)
            else:
                parameters = {**base.parameters, TEMPLATE_KEY: item.key}
    return Stacks(templates, parameters), tuple(objects.values())


def _replace(
    templates: dict[Path, Mapping[str, Any]],
    changed: dict[Path, Mapping[str, Any]],
    path: Path,
    properties: Mapping[str, Any],
) -> None:
    *_, name = path
    stack = path[:-1]
    template = templates[stack]
    resources = {**template["Resources"], name: {**template["Resources"][name], "Properties": properties}}
    templates[stack] = changed[stack] = {**template, "Resources": resources}


def _object(template: Mapping[str, Any]) -> tuple[AssemblyObject, bytes]:
    body = canonical(template)
    return AssemblyObject.of_template(body), body


def _elsewhere(url: Any, key: str, stack: Path) -> Any:
    """A `TemplateURL`, of another key in the same bucket."""
    if isinstance(url, str):
        return KEY.sub(key, url)
    if isinstance(url, Mapping):
        return {k: _elsewhere(v, key, stack) for k, v in url.items()}
    return [_elsewhere(v, key, stack) for v in url] if isinstance(url, list) else url


def _published(deployed: Stacks, tables: Collection[Path]) -> Stacks:
    """What is deployed, if those of its templates that hold one of `tables`, or name such a one, are what this project
    has published: only then they can be published with other indexes. Raises `NotOrderableError`."""
    if any(value == MASK for value in deployed.parameters.values()):
        raise NotOrderableError("the root stack has parameters whose values CloudFormation masks")
    for path in sorted({table[:depth] for table in tables for depth in range(len(table))}):
        if deployed.delivered_key(path) != _object(deployed.templates[path])[0].key:
            where = "/".join(path) or "the root stack"
            raise NotOrderableError(
                f"the deployed template of {where} is not one that was published from here (another tool has deployed "
                "it, or somebody by hand): deliver the environment once without the change of indexes"
            )
    return deployed

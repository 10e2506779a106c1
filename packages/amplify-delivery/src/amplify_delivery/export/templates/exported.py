"""What an export says of the environment in which it was made: literals that are right there, and nowhere else.

`amplify export` writes no account and no ids of its own accord; it writes what it compiled: names that end in `-ENV`,
the identity pool's id, and whatever somebody has typed in. What can be computed has been taken out before this looks
(`amplify_delivery.export.assembling.resolvers`, `amplify_delivery.export.values.parameters`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export.names import StackName
from amplify_delivery.export.templates.expressions import Ref, Segment, compose, flatten
from amplify_delivery.findings import Finding

_REGION = r"[a-z]{2}(?:-[a-z]{2,9}){1,3}-\d"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

IDENTITY_POOL = re.compile(rf"\b{_REGION}:{_UUID}\b")
"""An identity pool's id, as in us-east-1:46acac6f-21d1-433c-93b9-d9d908c696fc."""
_USER_POOL = re.compile(rf"\b{_REGION}_[A-Za-z0-9]{{9}}\b")
_ARN = re.compile(
    r"\barn:aws[a-z-]*:(?P<service>[a-z0-9-]+):[a-z0-9-]*:(?P<account>\d{12}):(?P<resource>[^\s\"'\\,;]{1,512})"
)
_EVERYBODYS_LAYERS = frozenset(
    {
        *("017000801446", "094274105915"),  # Powertools
        *("580247275435", "901920570463"),  # Lambda Insights, OpenTelemetry
        *("336392948345", "770693421928"),  # the SDK for pandas, Klayers
        *("464622532012", "451483290750"),  # Datadog, New Relic
    }
)
"""Accounts whose layers are meant for all: the same everywhere in a region. Whether another account's are shared with
the account that is delivered to, nobody here knows."""
_AFTER_REGION = "aoss|docdb|elb|es|neptune|rds|redshift"
"""Services whose endpoints have the region before the service: `search-orders-....eu-west-1.es.amazonaws.com`."""
_HOST = re.compile(
    rf"(?:https?|wss)://(?:[\w-]{{1,63}}\.){{2,4}}{_REGION}\.(?:amazonaws\.com|amazoncognito\.com|on\.aws)(?:\.cn)?"
    rf"|\b(?:[\w-]{{1,63}}\.){{2,4}}{_REGION}\.(?:amazonaws\.com|amazoncognito\.com|on\.aws)(?:\.cn)?"
    rf"|\b[\w-]{{1,63}}\.auth\.{_REGION}\.amazoncognito\.com"
    rf"|\bsqs\.{_REGION}\.amazonaws\.com/\d{{12}}/[\w.-]+"
    rf"|(?:https?://)?\b(?:[\w-]{{1,63}}\.){{1,3}}{_REGION}\.(?:{_AFTER_REGION})\.amazonaws\.com(?:\.cn)?"
    r"|\b(?:[\w-]{1,63}\.){2,5}[a-z]{3,5}\d\.cache\.amazonaws\.com(?:\.cn)?"
    rf"|\b[\w.-]{{1,63}}\.s3-website-{_REGION}\.amazonaws\.com"
    r"|\b[a-z0-9]{10,16}\.cloudfront\.net\b"
)
"""An endpoint of one resource. `dynamodb.eu-west-1.amazonaws.com` is that of a service, and the same everywhere."""
_API_KEY = re.compile(r"\bda2-[a-z0-9]{26}\b")
"""A key of an AppSync API."""
_RESOURCE_ID = re.compile(
    r"\b(?:ami|eipalloc|eni|fs|fsap|i|igw|nat|pl|rtb|sg|subnet|vpc|vpce)-(?:[0-9a-f]{17}|[0-9a-f]{8})\b"
)
"""What EC2 and EFS have in one account and region: a function in a VPC, a file system that it mounts."""
_APP_HOST = re.compile(r"\b(?:[\w-]{1,63}\.){0,2}d[a-z0-9]{11,13}\.amplifyapp\.com\b")
_OPEN_ARN = re.compile(rf"\barn:aws[a-z-]*:[a-z0-9-]+:{_REGION}:$")
"""An ARN whose account is left open, and its region is not."""
_WHOLE_ID = re.compile(r"(?=(?:[a-z]*[0-9]+[a-z]+){4})[a-z0-9]{26}|[0-9]{12}")
"""The id of an app client or of an AppSync API (no word has letters and digits so mixed), or of an account."""
_LONGEST_NAME = 128
_NAME = re.compile(r"[A-Za-z0-9_.-]*\Z")
_SIGN = re.compile(r"-\d[_:.][A-Za-z0-9]")
_WHOLE_REGION = re.compile(_REGION)
_QUOTED_REGION = re.compile(rf'"{_REGION}"')
_QUOTED_ID = re.compile(r'"([a-z0-9]{12,26})"')
_OTHER_SIGNS = ("da2-", "amplifyapp.com", "/amplify/", ".cache.amazonaws.com")
_HEX_SIGN = re.compile(r"-[0-9a-f]{8}(?:[0-9a-f]{9})?(?!\w)")
_ARN_SIGN = re.compile(rf'arn:aws[a-z-]*:[a-z0-9-]+:{_REGION}:(?:"|\$\{{|$)')
_ACCOUNT_KEY = re.compile(r"\d{12}")
_ACCOUNT = re.compile(r":\d{12}:")
"""What ids, hosts and ARNs of a resource hold: of thousands of texts few are worth a closer look."""


@dataclass(frozen=True)
class Bound:
    """Something that is right in the environment of the export only. `finding` is how the export's checks tell it.

    Any other environment must set `parameter` of the nested stack `stack`, where these are named, or say that it takes
    `literal` as it is. `place` is true of a literal that also names an account or a region: a new stack is never where
    it was made, whatever the environment's name. Without a `literal`, only a value will do, and only a new stack needs
    one. Without `refused` it is no more than told, unless the environment takes the literal.
    """

    finding: Finding
    literal: str = ""
    stack: str = ""
    parameter: str = ""
    place: bool = True
    refused: bool = True

    def to_json(self) -> dict[str, Any]:
        """As the assembly keeps it."""
        return {**vars(self), "finding": self.finding.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Bound:
        """What `to_json` wrote."""
        return cls(**{**data, "finding": Finding(**data["finding"])})


@dataclass(frozen=True)
class Literal:
    """A literal of the exported environment. `place` as in `Bound`; `certain` is whether it surely belongs to it."""

    text: str
    place: bool
    certain: bool = True


class Exported:
    """The environment in which an export was made, as far as the export tells: by its stack's name."""

    def __init__(self, stack_name: str) -> None:
        parsed = StackName.parse(stack_name)
        self.stack_name = stack_name
        self.environment = parsed.environment if parsed else ""
        environment = re.escape(self.environment)
        self.stack = re.compile(rf"(?<![A-Za-z0-9-]){re.escape(stack_name)}(?![A-Za-z0-9])")
        """The stack's name, wherever it stands."""
        self._ending = re.compile(rf"-{environment}(?![A-Za-z0-9_-])")
        self._plain = (
            f"-{self.environment}",
            f'"{self.environment}"',
            f"/{self.environment}.",
            f".{self.environment}.",
        )
        self._secret = re.compile(rf"/amplify/[a-z0-9]{{8,20}}/{environment}/[\w./-]*")
        """Where Amplify keeps a function's secrets."""
        self._host_label = re.compile(rf"https?://(?:[\w-]{{1,63}}\.){{0,3}}{environment}\.[\w.-]+")

    def literals(self, text: str, *, code: bool = False, continued: bool = False) -> list[Literal]:
        """What `text` says of the environment, each once, in order. In `code` a name's ending says nothing
        (`client-provider`). `continued` is whether something unknown stands before the text."""
        found: list[tuple[int, int, Literal]] = []
        if not continued and (_WHOLE_REGION.fullmatch(text) or (not code and _WHOLE_ID.fullmatch(text))):
            return [Literal(text, place=True, certain=False)]
        if not self.suspected(text):
            return []
        found += [(m.start(), m.end(), Literal(self.stack_name, place=False)) for m in self.stack.finditer(text)]
        if not code and self.environment:
            found += self._endings(text, continued)
        found += self._places(text)
        found.sort(key=lambda entry: (entry[0], -entry[1]))
        outer: dict[str, Literal] = {}
        end = -1
        for _, stop, literal in found:
            if stop > end:
                outer.setdefault(literal.text, literal)
                end = stop
        return list(outer.values())

    def suspected(self, text: str) -> bool:
        """Whether a text, or a template's JSON, is worth a look: quick, because there are thousands."""
        if any(sign in text for sign in self._plain):
            return True
        if _QUOTED_REGION.search(text) or _SIGN.search(text) or _ACCOUNT.search(text) or "cloudfront.net" in text:
            return True
        if any(sign in text for sign in _OTHER_SIGNS) or _ARN_SIGN.search(text):
            return True
        # Each begins with a letter of its own, which the engine of expressions finds at once; what it finds is few.
        if _HEX_SIGN.search(text) and _RESOURCE_ID.search(text):
            return True
        return any(_WHOLE_ID.fullmatch(found) for found in _QUOTED_ID.findall(text))

    def named_in(self, literal: Literal) -> bool:
        """Whether a literal says the environment's name, and not only where it is."""
        return not literal.place or bool(self._ending.search(literal.text) or self._secret.search(literal.text))

    def names(self, text: str) -> bool:
        """Whether `text` ends with `-ENV`, as the names do that Amplify makes."""
        return bool(self.environment) and text.endswith(f"-{self.environment}")

    def _endings(self, text: str, continued: bool) -> Iterator[tuple[int, int, Literal]]:
        for match in self._ending.finditer(text):
            before = _NAME.search(text, max(0, match.start() - _LONGEST_NAME), match.start())
            name = before[0].lstrip(".-") if before else ""
            if name or (continued and match.start() == 0):
                start = match.start() - len(name)
                yield start, match.end(), Literal(text[start : match.end()], place=False)

    def _places(self, text: str) -> Iterator[tuple[int, int, Literal]]:
        for match in _ARN.finditer(text):
            arn = match[0].rstrip(".)]}")
            layer = match["service"] == "lambda" and match["resource"].startswith("layer:")
            name = arn.rpartition(":")[0] if layer else arn  # a layer's version stands behind its name
            ours = any(True for _ in self._endings(name, continued=False)) or bool(self.stack.search(arn))
            if not (layer and match["account"] in _EVERYBODYS_LAYERS):
                yield match.start(), match.end(), Literal(arn, True, ours or bool(_USER_POOL.search(arn)))
        for pattern in (IDENTITY_POOL, _USER_POOL, _HOST, _API_KEY):
            for match in pattern.finditer(text):
                yield match.start(), match.end(), Literal(match[0], place=True)
        for pattern in (_RESOURCE_ID, _APP_HOST, _OPEN_ARN):
            for match in pattern.finditer(text):
                yield match.start(), match.end(), Literal(match[0], place=True, certain=False)
        if self.environment:
            for match in self._secret.finditer(text):
                yield match.start(), match.end(), Literal(match[0], place=True)
            for match in self._host_label.finditer(text):
                yield match.start(), match.end(), Literal(match[0], place=False, certain=False)


def take_stack_name(value: Any, exported: Exported, name: str) -> Any:
    """`value` with the exported stack's name replaced by a reference to `name`; the very `value` if it is not in it.

    Some templates are written with it (amplify-cli, container APIs: networkingStackTemplate.json).
    """
    if isinstance(value, list):
        items = [take_stack_name(item, exported, name) for item in value]
        return items if any(n is not v for n, v in zip(items, value, strict=True)) else value
    if isinstance(value, dict) and not (len(value) == 1 and next(iter(value)) in ("Fn::Join", "Fn::Sub")):
        changed = {k: n for k, v in value.items() if (n := take_stack_name(v, exported, name)) is not v}
        return {**value, **changed} if changed else value
    segments = flatten(value) if isinstance(value, (str, dict)) else []
    if not any(isinstance(s, str) and exported.stack.search(s) for s in segments):
        return value
    parts: list[Segment] = []
    for segment in segments:
        if not isinstance(segment, str):
            parts.append(segment)
            continue
        for index, text in enumerate(exported.stack.split(segment)):
            parts += [Ref(name), text] if index else [text]
    return compose([part for part in parts if part != ""])


def template_literals(template: Mapping[str, Any], exported: Exported) -> Iterator[tuple[str, Literal]]:
    """The literals in a template, each with its place: `Resources.NAME.PROPERTY`. Parameters are not looked at.

    Left out is what a template chooses by the environment's name on purpose: an entry of a mapping, what stands behind
    a condition that compares with it; ids in entries of other environments, or of accounts; what may be the region's
    own in a mapping by regions (amplify-cli, predictions); and descriptions.
    """
    chosen = _chosen(template, exported.environment)
    for section in ("Mappings", "Resources", "Outputs"):
        for name, item in (template.get(section) or {}).items():
            if not isinstance(item, dict) or _is_one(item.get("Condition"), chosen):
                continue
            body = item.get("Properties") or {} if section == "Resources" else item
            for key, value in body.items():
                if key in ("Description", "Metadata") or (section == "Mappings" and key == exported.environment):
                    continue
                place = f"{section}.{name}.{key}"
                found = {lit.text: lit for lit in _walk(value, exported, chosen)}
                if section == "Mappings" and _WHOLE_REGION.fullmatch(key):
                    found = {text: literal for text, literal in found.items() if literal.certain}
                if section == "Mappings" and (exported.environment in item or _ACCOUNT_KEY.fullmatch(key)):
                    # Written for that environment, or account: an id there is its own.
                    found = {text: literal for text, literal in found.items() if exported.named_in(literal)}
                yield from ((place, literal) for literal in found.values())


_ANY_ENVIRONMENT = re.compile(r"env|referencetotransformerrootstackenv\w*Ref")
"""The parameter that holds the environment's name: what it is compared with may be another environment's."""
_NO_ENVIRONMENT = ("NONE", "")
"""What Amplify's own conditions compare it with, in nearly every template (`ShouldNotCreateEnvResources`)."""


def _chosen(template: Mapping[str, Any], environment: str) -> frozenset[str]:
    """The conditions that ask for one environment: this one (whatever is compared), or another one by its name."""
    conditions = template.get("Conditions") or {}
    return frozenset(name for name, rule in conditions.items() if environment and _asks(rule, environment, conditions))


def _asks(rule: Any, environment: str, conditions: Mapping[str, Any], depth: int = 0) -> bool:
    if isinstance(rule, list):
        return any(_asks(v, environment, conditions, depth) for v in rule)
    if not isinstance(rule, dict):
        return bool(rule == environment)
    name = rule.get("Condition")
    if isinstance(name, str):  # conditions in a circle are refused elsewhere
        return depth < len(conditions) and _asks(conditions.get(name), environment, conditions, depth + 1)
    compared = rule.get("Fn::Equals")
    if isinstance(compared, list) and len(compared) == 2 and _is_of_environment(compared):
        return True
    return any(_asks(v, environment, conditions, depth) for v in rule.values())


def _is_of_environment(compared: list[Any]) -> bool:
    """Whether one side is the environment's name, and the other a name that is written down."""
    for one, other in (compared, compared[::-1]):
        held = one.get("Ref") if isinstance(one, dict) else None
        if isinstance(held, str) and _ANY_ENVIRONMENT.fullmatch(held):
            return isinstance(other, str) and other not in _NO_ENVIRONMENT
    return False


def _is_one(condition: Any, chosen: frozenset[str]) -> bool:
    """Whether `condition`, which may be anything in a malformed template, is the name of one of those."""
    return isinstance(condition, str) and condition in chosen


def _walk(value: Any, exported: Exported, chosen: frozenset[str]) -> Iterator[Literal]:
    if isinstance(value, str):
        yield from exported.literals(value)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, exported, chosen)
    elif isinstance(value, dict):
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name in ("Fn::Join", "Fn::Sub"):
                yield from _composed(value, exported, chosen)
                return
            if name == "Fn::If" and isinstance(argument, list) and argument and _is_one(argument[0], chosen):
                return
            if name in ("Fn::FindInMap", "Fn::GetAtt", "Ref"):
                return
        for key, item in value.items():
            if key == "ZipFile" and isinstance(item, str):
                yield from exported.literals(item, code=True)
            elif key != "Description":
                yield from _walk(item, exported, chosen)


def _composed(value: Any, exported: Exported, chosen: frozenset[str]) -> Iterator[Literal]:
    """The literals of a string expression, whose parts may be joined in many ways."""
    segments = flatten(value)
    for index, segment in enumerate(segments):
        if isinstance(segment, str):
            yield from exported.literals(segment, continued=index > 0)
        elif (other := getattr(segment, "value", None)) is not None and other != value:
            yield from _walk(other, exported, chosen)
        elif other is not None:  # malformed: look at what it holds
            for item in other.values():
                yield from _walk(item, exported, chosen)

"""The kinds of values that stack files hold, and the base of their models.

A stack file is read as text (no YAML type turns an account into a number), and the engine hands its values over as text
or JSON; so every kind here takes text, and says in one sentence what it wants.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from amplify_delivery.components.documents import regions
from amplify_delivery.components.documents.naming import TAGS
from amplify_delivery.export.names import ENVIRONMENT
from amplify_delivery.export.quotas import MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS
from amplify_delivery.export.tags import foreign, in_capitals

_ACCOUNT = re.compile(r"[0-9]{12}")
_NUMBER = re.compile(r"[0-9][0-9_]*(\.[0-9]+)?(e\+?[0-9]+)?", re.IGNORECASE)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+")
_POLICY = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\w+=,.@/-]+")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}")
_DURATION = re.compile(r"([0-9]{1,5})(m|h|d)")
_MAX_TAGS = MAX_TAGS - 2
"""What is left beside ours: the app's, and a pipeline's."""
_UNITS = {"m": 1, "h": 60, "d": 24 * 60}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class BadValueError(ValueError):
    """A value that a model refuses; `remedy` says what to write instead."""

    def __init__(self, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.remedy = remedy


def unknown(key: object, known: Iterable[str]) -> BadValueError:
    """The complaint about a key that does not exist, with the nearest one that does."""
    names = list(known)
    close = difflib.get_close_matches(str(key), names, n=1, cutoff=0.5)
    guess = f", did you mean {close[0]!r}?" if close else ""
    return BadValueError(f"unknown key {key!r}{guess}", f"valid keys are {', '.join(names)}")


WRITTEN = "written"
"""The context in which a stack file is validated: its keys are in camelCase, and nothing else."""


class Model(BaseModel):
    """A part of a stack file, with its keys in camelCase; in Python its attributes' names do as well.

    An unknown key is refused with the nearest valid one.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    @classmethod
    def written_names(cls) -> tuple[str, ...]:
        """The names that may stand in the file."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="before")
    @classmethod
    def _only_known(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise BadValueError(f"{value!r} is not a mapping", f"its keys are {', '.join(cls.written_names())}")
        for key in value:
            of_python = info.context != WRITTEN and key in cls.model_fields
            if key not in cls.written_names() and not of_python:
                raise unknown(key, cls.written_names())
        return value


def account(value: str) -> str:
    """12 digits. Raises `BadValueError`."""
    if _ACCOUNT.fullmatch(value):
        return value
    raise BadValueError(f"{value!r} is not an AWS account, which has 12 digits")


def _account_of_yaml(value: str) -> str:
    """As `account`. 012345678901 without quotes is an octal, an integer or a float by the time it gets here."""
    try:
        return account(value)
    except BadValueError as error:
        hint = ": quote it, YAML turns an unquoted number into another one" if _NUMBER.fullmatch(value) else ""
        raise BadValueError(f"{error}{hint}") from None


def region(value: str) -> str:
    """A region that there is. Raises `BadValueError` with the nearest."""
    if regions.is_region(value):
        return value
    close = regions.nearest(value)
    guess = f", did you mean {close!r}?" if close else ", such as eu-west-1"
    raise BadValueError(f"{value!r} is not an AWS region{guess}", f"correct it; {regions.LATER}")


def role(value: str) -> str:
    """The ARN of a role, of any partition. Raises `BadValueError`."""
    if not _ROLE.fullmatch(value):
        raise BadValueError(f"{value!r} is not the ARN of a role, such as arn:aws:iam::123456789012:role/deploy")
    return value


def boolean(value: Any) -> bool:
    """A flag, or its text as the engine quotes it. Raises `BadValueError` for YAML's other words (`yes`)."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise BadValueError(f"{value!r} is neither true nor false")


def _policy(value: str) -> str:
    if not _POLICY.fullmatch(value):
        raise BadValueError(f"{value!r} is not the ARN of a policy, such as arn:aws:iam::123456789012:policy/boundary")
    return value


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise BadValueError(
            f"{value!r} is not the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:releases"
        )
    return value


def _minutes(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value  # a default
    found = _DURATION.fullmatch(str(value))
    if not found:
        raise BadValueError(f"{value!r} is not a length of time", "write minutes, hours or days, as in 30m, 24h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValueError(f"{value!r} is not text")
    if not value.strip():
        raise BadValueError("is empty")
    return value


def _list(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise BadValueError(f"{value!r} is not a list", "write `- ` before each element")
    return tuple(value)


def _mapping(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise BadValueError(f"{value!r} is not a mapping")
    return value


def variable_names(value: Any) -> Any:
    """Refuses a mapping whose keys are no environment variables for anybody to set."""
    for name in _mapping(value):
        if not _VARIABLE.fullmatch(str(name)):
            raise BadValueError(
                f"{name!r} is not a valid name for an environment variable", "letters, digits and _, no digit first"
            )
        if str(name).startswith(("AWS_", "CODEBUILD_", "PULUMI_")):
            raise BadValueError(
                f"the variable {name} is not yours to set", "take a name without AWS_, CODEBUILD_, PULUMI_"
            )
    return value


def pattern(expression: str, what: str) -> BeforeValidator:
    """Text that matches `expression`; `what` is the noun of "... is not a NOUN"."""
    compiled = re.compile(expression)
    article = "an" if what[0].lower() in "aeiou" else "a"

    def check(value: Any) -> str:
        text = _text(value)
        if not compiled.fullmatch(text):
            raise BadValueError(f"{text!r} is not {article} {what}")
        return text

    return BeforeValidator(check)


def _tags(value: Any) -> Mapping[Any, Any]:
    """Refuses what IAM refuses of a role ("Tags for IAM resources"): what has no roles takes no less."""
    found: Mapping[Any, Any] = _mapping(value)
    if len(found) > _MAX_TAGS:
        raise BadValueError(
            f"{len(found)} tags, where AWS takes {MAX_TAGS} and {MAX_TAGS - _MAX_TAGS} of them are ours", "write fewer"
        )
    for several in in_capitals(map(str, found)):
        raise BadValueError(f"the tags {' and '.join(map(repr, several))} are one to IAM", "keep one of them")
    for key, text in found.items():
        _tag(str(key), text if isinstance(text, str) else "")  # what is no text is refused as such
    return found


def _tag(key: str, value: str) -> None:
    # In whatever capitals: beside ours, IAM takes no key that is the same but for them.
    if key.lower().startswith(TAGS):
        raise BadValueError(f"the tag {key!r} is ours", f"take another name: policies hang on those with {TAGS!r}")
    if key.lower().startswith("aws:"):
        raise BadValueError(f"the tag {key!r} is AWS's", "take a name that does not begin with aws:")
    if not 0 < len(key) <= MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
        raise BadValueError(
            f"the tag {key[:40]!r} is too short or too long",
            f"a key has 1 to {MAX_TAG_KEY} characters, a value at most {MAX_TAG_VALUE}",
        )
    wrong = foreign(f"{key}{value}")
    if wrong:
        raise BadValueError(
            f"the tag {key!r} has {wrong!r}, which IAM takes in no tag", "letters, digits, blanks and _.:/=+-@ are all"
        )


EnvironmentName = Annotated[str, pattern(ENVIRONMENT, "environment, which has 2 to 10 lower-case letters and digits")]
_STRING = {"type": "string"}
Text = Annotated[str, BeforeValidator(_text)]
Account = Annotated[
    str, BeforeValidator(lambda v: _account_of_yaml(_text(v))), WithJsonSchema({**_STRING, "pattern": "^[0-9]{12}$"})
]
Region = Annotated[
    str,
    BeforeValidator(lambda v: region(_text(v))),
    WithJsonSchema({**_STRING, "pattern": f"^{regions.SHAPE.pattern}$"}),
]
RoleArn = Annotated[str, BeforeValidator(lambda v: role(_text(v)))]
PolicyArn = Annotated[str, BeforeValidator(lambda v: _policy(_text(v)))]
TopicArn = Annotated[str, BeforeValidator(lambda v: _topic(_text(v)))]
FLAG_SCHEMAS: list[dict[str, Any]] = [{"type": "boolean"}, {"enum": ["true", "false"]}]
"""The engine quotes flags whenever it writes a stack file: `pulumi config set`, `pulumi stack init`."""
Flag = Annotated[bool, BeforeValidator(boolean), WithJsonSchema({"anyOf": FLAG_SCHEMAS})]
Minutes = Annotated[
    int, BeforeValidator(_minutes), WithJsonSchema({**_STRING, "pattern": "^[0-9]{1,5}(m|h|d)$", "examples": ["24h"]})
]
"""A length of time, written as in 30m, 24h or 7d; minutes in the model."""
List = BeforeValidator(_list)
"""Refuses a single element that was written without `- `."""
Texts = Annotated[tuple[Text, ...], List]
Variables = Annotated[Mapping[str, Text], BeforeValidator(variable_names)]
Tags = Annotated[Mapping[str, Text], BeforeValidator(_tags)]
ResourceTypes = Annotated[
    tuple[Annotated[str, pattern("(AWS::[A-Za-z0-9]+|Custom)::[A-Za-z0-9:]+", "CloudFormation type")], ...],
    List,
]


class Right(Model):
    """One allowance, as in an IAM statement."""

    actions: Texts = Field(min_length=1, description="IAM actions, as in s3:GetObject")
    resources: Texts = Field(min_length=1, description="ARNs, or patterns of them")

    @model_validator(mode="after")
    def _some_actions(self) -> Right:
        for action in self.actions:
            if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9*?]+", action):
                raise BadValueError(f"{action!r} is not an IAM action, such as s3:GetObject")
            if action.endswith(":*") and "*" in self.resources:
                raise BadValueError(f"{action} on every resource", "name the actions, or the resources")
        return self


class Compute(Model):
    """Where commands run: a CodeBuild environment."""

    architecture: Literal["x86_64", "arm64"] = Field(
        default="x86_64", description="`arm64` for AWS Graviton: then `engine.url` and images are of that architecture"
    )
    image: Text | None = Field(
        default=None,
        description="image of the build environment. One of a private registry of Amazon ECR is pulled with the "
        "project's role, which gets the rights for it (docs/pipeline.md). Default: AWS's "
        "`aws/codebuild/standard:7.0`, on arm64 `aws/codebuild/amazonlinux-aarch64-standard:3.0`",
    )
    compute_type: Annotated[
        str,
        pattern(
            "BUILD_GENERAL1_(SMALL|MEDIUM|LARGE|XLARGE|2XLARGE)",
            "CodeBuild compute type, such as BUILD_GENERAL1_SMALL",
        ),
    ] = Field(default="BUILD_GENERAL1_SMALL", description="size of the build environment")

    @model_validator(mode="after")
    def _one_architecture(self) -> Compute:
        other = "x86_64" if "aarch64" in (self.image or "") else "arm64"
        managed = (self.image or "").startswith("aws/codebuild/")
        if managed and self.architecture == other:
            raise BadValueError(
                f"the image {self.image} is not one for {self.architecture}", "remove `image` or `architecture`"
            )
        return self

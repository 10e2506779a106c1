"""The name of a root stack: `amplify-PROJECT-ENV-SUFFIX`.

Templates of the export take the name apart (`Select 3 of Split "-" AWS::StackName` is the SUFFIX), so the
name must have exactly four parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from amplify_delivery.errors import ConfigError

ENVIRONMENT = "[a-z][a-z0-9]{1,9}"
"""Pattern of an environment's name. The Amplify CLI takes 2 to 10 lower-case letters (`isEnvNameValid`,
/^[a-z]{2,10}$/). Digits after the first letter are safe in every name that templates make from it, and personal
environments want them."""
_OF_AMPLIFYS = "[a-z]{2,10}"
_PART = re.compile(r"[A-Za-z0-9]+")
MAX_BUCKET_NAME = 63
"""S3's limit of a bucket's name; the deployment bucket is called `STACK-deployment`."""


def is_amplifys(environment: str) -> bool:
    """Whether the Amplify CLI makes environments of this name, too."""
    return re.fullmatch(_OF_AMPLIFYS, environment) is not None


@dataclass(frozen=True)
class StackName:
    """The four parts of a root stack's name; `str()` joins them."""

    prefix: str
    project: str
    environment: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.prefix}-{self.project}-{self.environment}-{self.suffix}"

    @classmethod
    def parse(cls, text: str) -> StackName | None:
        """The parts of `text`, or None when it does not have the shape."""
        parts = text.split("-")
        if len(parts) != 4 or parts[0] != "amplify" or not all(_PART.fullmatch(p) for p in parts):
            return None
        return cls(*parts)

    def for_environment(self, environment: str, suffix: str | None = None) -> StackName:
        """This name for another environment.

        Raises `ConfigError` when the environment's name is not 2 to 10 lower-case letters and digits, or when
        the names made from it grow too long. The environment that was exported keeps its name, whatever it is.
        """
        if environment != self.environment and not re.fullmatch(ENVIRONMENT, environment):
            raise ConfigError(
                f"{environment!r} cannot be an Amplify environment: it becomes a part of the stack's name, "
                "which templates take apart at its hyphens, and of other names",
                remedy="use 2 to 10 lower-case letters and digits, beginning with a letter",
            )
        if suffix is not None and not _PART.fullmatch(suffix):
            raise ConfigError(
                f"{suffix!r} cannot be a stack name's suffix",
                remedy="use letters and digits, as in amplify-app-dev-5af8b",
            )
        name = replace(self, environment=environment, suffix=suffix or self.suffix)
        bucket = f"{name}-deployment"
        if len(bucket) > MAX_BUCKET_NAME:
            raise ConfigError(
                f"the deployment bucket {bucket} has {len(bucket)} characters, S3 allows {MAX_BUCKET_NAME}",
                remedy="shorten the environment's name or its suffix",
            )
        return name

    def to_json(self) -> dict[str, str]:
        return {
            "prefix": self.prefix,
            "project": self.project,
            "environment": self.environment,
            "suffix": self.suffix,
        }

    @classmethod
    def from_json(cls, data: dict[str, str]) -> StackName:
        return cls(data["prefix"], data["project"], data["environment"], data["suffix"])

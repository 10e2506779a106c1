"""What an assembly says of container images, and what is given to it of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "sha256:"
_DIGEST = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")
UNBUILT = PREFIX + 64 * "0"
"""Stands for the digest of an image that is declared, and not built here: nothing is ever published of it."""


@dataclass(frozen=True)
class AssemblyImage:
    """One image of an assembly. `digest` is its manifest's (`sha256:HEX`), by which it is deployed; `size` is in bytes,
    of the manifest and all that it names."""

    name: str
    digest: str
    size: int
    platform: str

    @property
    def built(self) -> bool:
        """Whether there is anything to publish."""
        return self.digest != UNBUILT

    @property
    def tag(self) -> str:
        """Its tag in a repository: its name and its digest, so that a tag can never mean two images."""
        return f"{self.name}-{self.digest.removeprefix(PREFIX)}"


@dataclass(frozen=True)
class GivenImage:
    """An image that an export is assembled with. `parameters` are the (nested stack, parameter) pairs that get its
    address; `container` is the (nested stack, container) of a container API that runs it."""

    image: AssemblyImage
    parameters: tuple[tuple[str, str], ...] = ()
    container: tuple[str, str] | None = None


@dataclass(frozen=True)
class Images:
    """The images that an export is assembled with. `layout` is the OCI image layout with their bytes; None where none
    is needed: to check an export, or to tell what roles may do."""

    given: tuple[GivenImage, ...] = ()
    layout: Path | None = None


def digests_in(text: str) -> frozenset[str]:
    """The digests of images that a text names: a template, a manifest, a state."""
    return frozenset(_DIGEST.findall(text))


def repository_of(app: str, environment: str) -> str:
    """The ECR repository of an environment's images: one for all of them, in its account and region."""
    return f"{app}/{environment}".lower()


def address(app: str, environment: str, image: AssemblyImage) -> Mapping[str, Any]:
    """Where an environment's image lies, by digest, as an expression of CloudFormation."""
    registry = "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}"
    return {"Fn::Sub": f"{registry}/{repository_of(app, environment)}@{image.digest}"}

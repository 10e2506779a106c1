"""The container images of an environment, as its stack file names them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from amplify_delivery.components.documents.fields import BadValueError, List, Model, Text, pattern

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PLACE = r"[A-Za-z][A-Za-z0-9]*\.[A-Za-z0-9_-]+"
Place = Annotated[str, pattern(_PLACE, "nested stack and what is in it, as in customorders.Image")]


class ContainerImage(Model):
    """A container image: built once, pushed into each environment's repository, deployed by digest
    (docs/containers.md). It has one of `dockerfile`, `container` and `layout`."""

    dockerfile: Text | None = Field(
        default=None, description="Dockerfile, relative to Pulumi.yaml: built with Docker in the pipeline's Build"
    )
    context: Text | None = Field(
        default=None, description="folder that the Dockerfile is built in. Default: the one that it lies in"
    )
    target: Text | None = Field(default=None, description="stage of the Dockerfile. Default: its last one")
    args: Mapping[str, Text] = Field(
        default_factory=dict, description="build arguments; no secrets: an image's history tells them"
    )
    container: Place | None = Field(
        default=None,
        description="container of an Amplify container API, as in apiorders.api: built from the export's own sources, "
        "in place of the pipeline that Amplify puts into every environment",
    )
    layout: Text | None = Field(
        default=None,
        description="OCI image layout, a folder or a tar file, that something else has built: a command of "
        "`build.commands`, for example",
    )
    platform: Literal["linux/amd64", "linux/arm64"] = Field(
        default="linux/amd64", description="what it runs on: another machine cannot start it"
    )
    parameters: Annotated[tuple[Place, ...], List] = Field(
        default=(),
        description="parameters of nested stacks that get its address, as in customorders.Image: "
        "`ACCOUNT.dkr.ecr.REGION.amazonaws.com/APP/ENV@sha256:...`",
    )

    @model_validator(mode="after")
    def _one_source(self) -> ContainerImage:
        named = [key for key in ("dockerfile", "container", "layout") if getattr(self, key)]
        if len(named) != 1:
            what = f"{' and '.join(named)} exclude each other" if named else "it says nothing of where it comes from"
            raise BadValueError(what, "set one of `dockerfile`, `container`, `layout`")
        alone = [key for key in ("context", "target", "args") if getattr(self, key) and not self.dockerfile]
        if alone:
            raise BadValueError(f"`{alone[0]}` belongs to a `dockerfile`", "remove it")
        return self

    @property
    def needs_builder(self) -> bool:
        """Whether Docker builds it."""
        return self.layout is None


def _named(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise BadValueError(f"{value!r} is not a mapping", "write `NAME:`, and below it what the image is made of")
    for name in value:
        if not _NAME.fullmatch(str(name)):
            raise BadValueError(
                f"{name!r} is not a name of an image", "up to 40 lower-case letters, digits and hyphens"
            )
    return value


ContainerImages = Annotated[Mapping[str, ContainerImage], BeforeValidator(_named)]

SEVERITIES = ("critical", "high", "medium", "low", "informational", "undefined")
"""Of Amazon ECR's findings, the gravest first."""


class AcceptedFinding(Model):
    """A finding of an image's scan that does not keep it back, with a reason."""

    id: Annotated[str, pattern(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}", "id of a finding, as in CVE-2026-12345")] = Field(
        description="the finding, as in CVE-2026-12345; or how a scan stands that cannot be made, as in "
        "UNSUPPORTED_IMAGE"
    )
    reason: Text = Field(description="why it does not count here; plans show it")


class ImageFindings(Model):
    """What Amazon ECR's scan may find in a container image that is deployed (docs/containers.md)."""

    refuse: Literal["critical", "high", "medium", "low"] | None = Field(
        default=None,
        description="`plan`, `deploy` and `up` refuse an image with findings as grave as this, or graver, and one that "
        "was not scanned. Only with `bootstrapped`. Default: nobody asks",
    )
    accepted: Annotated[tuple[AcceptedFinding, ...], List] = Field(
        default=(), description="findings that are known, with reasons"
    )

    @model_validator(mode="after")
    def _once(self) -> ImageFindings:
        ids = [a.id for a in self.accepted]
        for id in ids:
            if ids.count(id) > 1:
                raise BadValueError(f"{id} is accepted twice", "keep one of them, with its reason")
        return self

    def refuses(self, severity: str) -> bool:
        """Whether a finding of that severity, as Amazon ECR writes it, is refused."""
        order = [s.upper() for s in SEVERITIES]
        return bool(self.refuse) and severity in order[: order.index(str(self.refuse).upper()) + 1]

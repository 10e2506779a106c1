"""Between the engine and a team's own program: what the program of an environment gives to the team's stage, and what
it wants back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import pulumi
import pulumi_aws as aws

from amplify_delivery.components.amplify_backend import AmplifyBackend
from amplify_delivery.components.backend.arguments import AmplifyBackendArgs
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.providers import Access, aws_native_provider
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import EnvironmentConfig

NATIVE = "native"
"""The name, in Pulumi's state, of an environment's provider `aws-native`."""


@dataclass(frozen=True)
class Environment:
    """The environment that is deployed: what a stage needs to declare its backend, and other resources beside it.

    A stage's own configuration is Pulumi's: `pulumi.Config().get_bool("helloService")`, of keys that Pulumi.yaml
    declares.
    """

    config: EnvironmentConfig
    """The environment's stack file, as the engine reads it (docs/configuration.md)."""
    names: EnvironmentNames
    """App, account, region and environment; `names.prefix` is what names of further resources begin with, since
    `deploy` may make no others in an account that a pipeline delivers to; `names.arn(service, resource)` is an ARN."""
    backend_args: AmplifyBackendArgs
    """Arguments of the one `AmplifyBackend`: the checked and rendered export, where it is published, what guards it."""
    backend_options: pulumi.ResourceOptions
    """Its options: provider, and the staging area that it waits for."""
    access: Access
    """Account and region, and how they are reached."""
    aws: aws.Provider
    """Of the classic AWS package: `opts=pulumi.ResourceOptions(provider=environment.aws)`."""
    permissions_boundary: str | None
    """ARN of what every role here has to carry in an account that a pipeline delivers to: the account denies the
    creation of any other. None in a personal stack."""
    images: Mapping[str, pulumi.Output[str]]
    """Container images of the stack file, by name: where each lies in the environment's repository, by digest, as
    `image_uri` of a function or `image` of an ECS container takes it. What takes one waits until it is there."""
    only_here: pulumi.ResourceOptions
    """Options of further providers: nothing is planned with them while the stack file names another place than the one
    that the stack was deployed to."""

    @cached_property
    def aws_native(self) -> pulumi.ProviderResource:
        """Of the AWS Cloud Control package. It is made when it is first asked for."""
        return aws_native_provider(NATIVE, self.access, self.only_here)


class Stage(Protocol):
    """What a team declares for each of its environments."""

    @property
    def backend(self) -> AmplifyBackend:
        """The environment's Amplify backend."""


StageFactory = Callable[[Environment], Stage]
"""A class whose only argument is the environment, or a function."""


def declared_backend(stage: object) -> AmplifyBackend:
    """The backend of what a stage's factory has given. Raises `ConfigError` if there is none: an environment without
    its backend would be one whose backend is to be deleted."""
    backend = getattr(stage, "backend", None)
    if isinstance(backend, AmplifyBackend):
        return backend
    raise ConfigError(
        f"the stage has no backend: `backend` is {backend!r}",
        where=f"{type(stage).__module__}.{type(stage).__qualname__}",
        remedy='`self.backend = AmplifyBackend("backend", environment.backend_args, environment.backend_options)`',
    )

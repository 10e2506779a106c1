"""`AmplifyBackend` for other languages: what the program of an environment declares, in one component.

No `from __future__ import annotations` here: the SDK makes the schema of the types themselves.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi

from amplify_delivery.components import amplify_backend, staging_area
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.providers import Access, aws_provider
from amplify_delivery.components.publisher import BucketPublisher
from amplify_delivery.components.remembered import unchanged
from amplify_delivery.export import render_root
from amplify_delivery.stacks.access import staging_bucket
from amplify_delivery.stacks.backend import backend_args, first_create, place_of, same_staging_area
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.config.parameters import SecretKey
from amplify_delivery.stacks.inputs import environment_values
from amplify_delivery.stacks.packaged.arguments import AmplifyBackendArgs
from amplify_delivery.stacks.packaged.inputs import PROGRAMS_FOLDER, assembly_of, validated

TYPE = "amplify-delivery:index:AmplifyBackend"


class AmplifyBackend(pulumi.ComponentResource):
    """An Amplify backend from an export: its staging area, unless the account was bootstrapped, its secrets, and its
    root stack with all nested stacks. Nothing is published or made of what `amplify-delivery check` refuses, or what
    would delete data that `dataLoss` does not name."""

    stack_name: pulumi.Output[str]
    """Name of the root stack."""
    stack_id: pulumi.Output[str]
    """ARN of the root stack."""
    template_key: pulumi.Output[str]
    """Key of the root template in the staging bucket: made from its content."""
    staging_bucket: pulumi.Output[str]
    """Name of the bucket that CloudFormation reads the templates from."""
    outputs: pulumi.Output[dict[str, str]]
    """The root stack's own outputs, as Amplify defines them."""
    nested_outputs: pulumi.Output[dict[str, dict[str, str]]]
    """All outputs of the first-level nested stacks, by nested stack and output."""
    graphql_endpoint: pulumi.Output[str | None]
    """Address of the AppSync API, if there is one."""
    user_pool_id: pulumi.Output[str | None]
    """Id of the Cognito user pool, if there is one."""

    def __init__(self, name: str, args: AmplifyBackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, {}, opts)
        with as_run_error():
            backend, bucket = self._backend(name, dict(args), PROGRAMS_FOLDER)
        self.stack_name, self.stack_id = backend.stack_name, backend.stack_id
        self.template_key = pulumi.Output.from_input(backend.template_key)
        self.staging_bucket = bucket
        self.outputs = backend.outputs.apply(dict)
        self.nested_outputs = backend.nested_outputs.apply(lambda found: {k: dict(v) for k, v in found.items()})
        self.graphql_endpoint = _optional(backend.graphql_endpoint)
        self.user_pool_id = _optional(backend.user_pool_id)
        self.register_outputs(
            {
                "stackName": self.stack_name,
                "stackId": self.stack_id,
                "templateKey": self.template_key,
                "stagingBucket": self.staging_bucket,
                "outputs": self.outputs,
                "nestedOutputs": self.nested_outputs,
                "graphqlEndpoint": self.graphql_endpoint,
                "userPoolId": self.user_pool_id,
            }
        )

    def _backend(
        self, name: str, args: dict[str, Any], directory: Path
    ) -> tuple[amplify_backend.AmplifyBackend, pulumi.Output[str]]:
        """The component of ours, and the name of the bucket that it is published to."""
        secrets = _secrets(args.pop("secrets", None) or {})
        config = validated(EnvironmentConfig, {**args, "secretNames": frozenset(secrets)}, name)
        now = datetime.now(UTC)
        assembly = assembly_of(config, directory)
        bucket = staging_bucket(assembly.project, config)
        root = render_root(assembly, environment_values(config, directory, now, assembly.project), bucket)
        guard = config.guard(pulumi.get_stack(), now.date())
        access = Access(config.account, config.region, config.profile, config.role_arn)
        publisher = BucketPublisher(bucket, access, guard)
        place = unchanged(
            f"{name}-place",
            place_of(config),
            "put it back; another place is another component, with another name",
            pulumi.ResourceOptions.merge(
                first_create(publisher, assembly, root, examine=not config.bootstrapped, name=f"{name}-first-create"),
                pulumi.ResourceOptions(parent=self),
            ),
        )
        below = pulumi.ResourceOptions(parent=self)
        area = same_staging_area(f"{name}-staging-owner", f"{name}-staging", config, place, below)
        # Elsewhere, nothing at all is planned: not even the staging area would move.
        only_here = pulumi.ResourceOptions(parent=self, depends_on=area.apply(lambda _: []))
        provider = aws_provider(f"{name}-aws", access, only_here)
        staging = [] if config.bootstrapped else [self._staging(name, config, bucket, provider)]
        made = amplify_backend.AmplifyBackend(
            name,
            backend_args(config, assembly, root, publisher, secrets),
            pulumi.ResourceOptions(parent=self, providers=[provider], depends_on=staging),
        )
        return made, staging[0].bucket_name if staging else pulumi.Output.from_input(bucket)

    def _staging(
        self, name: str, config: EnvironmentConfig, bucket: str, provider: pulumi.ProviderResource
    ) -> staging_area.StagingArea:
        # It goes with its backend: what it holds was published from an export and can be published again.
        args = staging_area.StagingAreaArgs(bucket, config.account, config.region, force_destroy=True)
        return staging_area.StagingArea(
            f"{name}-staging", args, pulumi.ResourceOptions(parent=self, providers=[provider])
        )


def _secrets(given: Mapping[str, Mapping[str, Any]]) -> dict[SecretKey, pulumi.Output[str]]:
    return {
        (nested, parameter): pulumi.Output.secret(value)
        for nested, parameters in given.items()
        for parameter, value in parameters.items()
    }


def _optional(output: pulumi.Output[str] | None) -> pulumi.Output[str | None]:
    return pulumi.Output.from_input(None) if output is None else output.apply(lambda text: text)

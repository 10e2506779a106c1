"""An environment's program before there was a stage, as it was: what states of that time were made by."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial

import pulumi

from amplify_delivery.changes.guard import PLAN_VARIABLE
from amplify_delivery.components.amplify_backend import AmplifyBackend
from amplify_delivery.components.backend.arguments import AmplifyBackendArgs
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.names import staging_bucket_name
from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
from amplify_delivery.components.publisher import BucketPublisher
from amplify_delivery.components.remembered import unchanged
from amplify_delivery.export import render_root
from amplify_delivery.export.values.bindings import told
from amplify_delivery.stacks.backend import first_create, own_staging_area, say
from amplify_delivery.stacks.config import from_pulumi
from amplify_delivery.stacks.inputs import environment_values, read_assembly
from components.hello_service import HelloService, HelloServiceArgs


def program() -> None:
    """Deploy the environment that the stack file describes.

    Long: as it was then.
    """
    configuration = from_pulumi()
    config, directory = configuration.environment, configuration.directory
    assembly = read_assembly(config, directory, pulumi.get_project())
    say(told(assembly, config.kept_literals))
    bucket = staging_bucket_name(assembly.project, config.environment, config.account, config.region)
    values = environment_values(config, directory, datetime.now(UTC), assembly.project)
    root = render_root(assembly, values, bucket)

    guard = config.guard(pulumi.get_stack(), datetime.now(UTC).date(), os.environ.get(PLAN_VARIABLE))
    access = Access(config.account, config.region, config.profile, config.role_arn)
    publisher = BucketPublisher(bucket, access, guard)
    same_place = unchanged(
        "place",
        {"account": config.account, "region": config.region, "environment": config.environment},
        "put it back, or make a new Pulumi stack for the new place (`pulumi stack init`); if nothing was deployed yet, "
        "`pulumi destroy` lets you begin again",
        # In the pipeline Build and PublishAssets have examined it.
        first_create(publisher, assembly, root, examine=not config.bootstrapped),
    )
    # Elsewhere, nothing at all is planned: not even the staging area would move.
    only_here = pulumi.ResourceOptions(depends_on=same_place.apply(lambda _: []))
    provider = aws_provider("aws", access, only_here)
    account = EnvironmentNames(assembly.project, config.account, config.region, config.environment)
    staging = own_staging_area(config, bucket, provider)
    backend = AmplifyBackend(
        "backend",
        AmplifyBackendArgs(
            assembly=assembly,
            root=root,
            staging_bucket=bucket,
            region=config.region,
            publisher=publisher,
            may_change=partial(publisher.check, assembly),
            explain=publisher.first_causes,
            secrets=configuration.secrets,
            execution_role_arn=config.execution_role_arn
            or (account.execution_role_arn if config.bootstrapped else None),
            protect=config.protect,
            keep_api_key_expiry=config.api_key_expires is None,
        ),
        pulumi.ResourceOptions(providers=[provider], depends_on=staging),
    )

    pulumi.export("account", config.account)
    pulumi.export("region", config.region)
    pulumi.export("environment", config.environment)
    pulumi.export("stackName", backend.stack_name)
    pulumi.export("stackId", backend.stack_id)
    pulumi.export("stagingBucket", staging[0].bucket_name if staging else bucket)
    pulumi.export("rootTemplate", backend.template_key)
    pulumi.export("rootOutputs", backend.outputs)
    pulumi.export("outputs", backend.nested_outputs)
    endpoint = backend.graphql_api.endpoint if backend.has("AWS::AppSync::GraphQLApi") else None
    if endpoint is not None:
        pulumi.export("graphqlEndpoint", endpoint)
    if backend.has("AWS::Cognito::UserPool"):
        pulumi.export("userPoolId", backend.user_pool.id)

    if pulumi.Config().get_bool("helloService"):
        # The account asks for the boundary of every role, not only the backend's (docs/configuration.md,
        # `bootstrapped`).
        hello = HelloService(
            "hello",
            HelloServiceArgs(account, endpoint, values.permissions_boundary),
            pulumi.ResourceOptions(providers=[aws_native_provider("native", access, only_here)]),
        )
        pulumi.export("helloUrl", hello.url)


if __name__ == "__main__":
    program()

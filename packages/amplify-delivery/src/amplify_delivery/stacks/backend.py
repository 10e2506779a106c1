"""The program of an environment: what the team's stage declares, given the environment as the stack file describes it.

What every environment has in common is made here: its place, its provider, its own staging area, its outputs. The
backend and whatever stands beside it are the stage's (`amplify_delivery.stacks.stage`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pulumi

from amplify_delivery.changes.guard import PLAN_VARIABLE
from amplify_delivery.changes.ordered.handed import COPIED_VARIABLE, taken
from amplify_delivery.components.amplify_backend import AmplifyBackend
from amplify_delivery.components.backend.arguments import AmplifyBackendArgs, Terminable
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.image_repository import image_repository
from amplify_delivery.components.lost_state import state_holds
from amplify_delivery.components.providers import Access, aws_provider
from amplify_delivery.components.publisher import BucketPublisher
from amplify_delivery.components.remembered import (
    ITS_ACCOUNTS,
    ITS_OWN,
    STAGING,
    STAGING_OWNER,
    WHOSE_STAGING,
    unchanged,
)
from amplify_delivery.components.staging_area import StagingArea, StagingAreaArgs
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, Finding, RootStack, render_root
from amplify_delivery.export.values.bindings import told
from amplify_delivery.publishing.stack_states import RECOVERED_VARIABLE
from amplify_delivery.stacks import secret_outputs
from amplify_delivery.stacks.access import environment_names, staging_bucket
from amplify_delivery.stacks.config import EnvironmentConfig, from_pulumi
from amplify_delivery.stacks.config.parameters import SecretKey
from amplify_delivery.stacks.images import IMAGES, PUSHED_IMAGES, check_built
from amplify_delivery.stacks.inputs import (
    ADOPT_VARIABLE,
    environment_values,
    is_adopting,
    keeps_api_key_expiry,
    permissions_boundary,
    read_assembly,
)
from amplify_delivery.stacks.output_names import NESTED_OUTPUTS, ROOT_OUTPUTS
from amplify_delivery.stacks.stage import Environment, StageFactory, declared_backend


def program(stage: StageFactory) -> None:
    """Deploy what `stage` declares for the environment that the stack file describes.

    Long: one thing after the other, in the order in which they need each other.
    """
    configuration = from_pulumi()
    config, directory = configuration.environment, configuration.directory
    assembly = read_assembly(config, directory, pulumi.get_project())
    say(told(assembly, config.kept_literals))
    bucket = staging_bucket(assembly.project, config)
    values = environment_values(config, directory, datetime.now(UTC), assembly.project)
    root = render_root(assembly, values, bucket)
    guard = config.guard(pulumi.get_stack(), datetime.now(UTC).date(), os.environ.get(PLAN_VARIABLE))
    access = Access(config.account, config.region, config.profile, config.role_arn)
    account = environment_names(assembly.project, config)
    check_built(assembly, configuration.where)
    publisher = BucketPublisher(
        bucket,
        access,
        guard,
        update=taken(os.environ),
        copied=frozenset(os.environ.get(COPIED_VARIABLE, "").split()),
        recovered=os.environ.get(RECOVERED_VARIABLE),
        repository=account.repository,
    )
    same_place = unchanged(
        "place",
        place_of(config),
        "put it back, or make a new Pulumi stack for the new place (`pulumi stack init`); if nothing was deployed yet, "
        f"put it back, and `amplify-delivery destroy {pulumi.get_stack()}` lets you begin again",
        # In the pipeline Build and PublishAssets have examined it.
        first_create(publisher, assembly, root, examine=not config.bootstrapped),
    )
    same_area = same_staging_area(STAGING_OWNER, STAGING, config, same_place)
    # Elsewhere, nothing at all is planned: not even the staging area would move.
    only_here = pulumi.ResourceOptions(depends_on=same_area.apply(lambda _: []))
    provider = aws_provider("aws", access, only_here)
    staging = own_staging_area(config, bucket, provider)
    images, pushed = image_addresses(config, assembly, account, publisher, provider)
    environment = Environment(
        config=config,
        names=account,
        backend_args=replace(
            backend_args(config, assembly, root, publisher, configuration.secrets),
            instead=publisher.instead(root),
            adopted=os.environ.get(ADOPT_VARIABLE),
        ),
        backend_options=pulumi.ResourceOptions(providers=[provider], depends_on=[*staging, *pushed]),
        access=access,
        aws=provider,
        permissions_boundary=permissions_boundary(config, assembly.project),
        images=images,
        only_here=only_here,
    )
    backend = declared_backend(stage(environment))
    export(
        {
            "account": config.account,
            "region": config.region,
            "environment": config.environment,
            "stagingBucket": staging[0].bucket_name if staging else bucket,
            **outputs(backend),
        }
    )


def backend_args(
    config: EnvironmentConfig,
    assembly: Assembly,
    root: RootStack,
    publisher: BucketPublisher,
    secrets: Mapping[SecretKey, pulumi.Output[str]],
) -> AmplifyBackendArgs:
    """The component's arguments, as a stack file or another language's program describes the environment."""
    names = environment_names(assembly.project, config)
    return AmplifyBackendArgs(
        assembly=assembly,
        root=root,
        staging_bucket=publisher.bucket,
        region=config.region,
        publisher=publisher,
        may_change=partial(publisher.check, assembly),
        free_secret=publisher.free_secret,
        keep_trust=publisher.keep_trust,
        explain=publisher.first_causes,
        terminable=Terminable(config.termination_protection, publisher.set_termination),
        secrets=secrets,
        execution_role_arn=config.execution_role_arn or (names.execution_role_arn if config.bootstrapped else None),
        protect=config.protect,
        keep_api_key_expiry=keeps_api_key_expiry(config),
    )


def place_of(config: EnvironmentConfig) -> dict[str, str]:
    """What an environment is remembered by: where it lies."""
    return {"account": config.account, "region": config.region, "environment": config.environment}


def same_staging_area(
    name: str,
    area: str,
    config: EnvironmentConfig,
    place: pulumi.Output[dict[str, str]],
    opts: pulumi.ResourceOptions | None = None,
) -> pulumi.Output[list[dict[str, str]]]:
    """`place`, once it is sure that the root stack runs from the staging area that it ran from before. With its
    account's in place of its own (the component `area`) a plain `pulumi up` would delete its own, with all that is
    published there: both have one name.

    Remembered apart from the place, by the first run that does not adopt: an adopted environment has no area when its
    place is remembered, and one that was deployed before this was remembered has a place already. Whether it holds an
    area of its own its state tells then. Nothing is made, nor asked, while a root stack is adopted.
    """
    if is_adopting():
        return pulumi.Output.all(place)
    remedy = (
        f"put it back; or, to have a pipeline deliver it with the data that it has, `amplify-delivery bootstrap "
        f"{config.environment} --take-over` as the account's administrator: the account takes the area over "
        "(docs/how-to.md)"
        if config.bootstrapped
        else "put it back: its account has made the area, or has taken it over"
    )

    async def check(_: pulumi.ResourceHookArgs) -> None:
        if config.bootstrapped and await state_holds(f"amplify-delivery:index:StagingArea::{area}"):
            error = ConfigError(
                "`bootstrapped` is true now, but this stack holds a staging area of its own, which would be deleted "
                "with all that the root stack runs from",
                where=f"stack {pulumi.get_stack()}",
                remedy=remedy,
            )
            raise pulumi.RunError(str(error))

    hook = pulumi.ResourceHook(f"{name}-first", check, pulumi.ResourceHookOptions(on_dry_run=True))
    first = pulumi.ResourceOptions(
        depends_on=place.apply(lambda _: []), hooks=pulumi.ResourceHookBinding(before_create=[hook])
    )
    facts = {WHOSE_STAGING: ITS_ACCOUNTS if config.bootstrapped else ITS_OWN}
    return pulumi.Output.all(place, unchanged(name, facts, remedy, pulumi.ResourceOptions.merge(opts, first)))


def outputs(backend: AmplifyBackend) -> dict[str, pulumi.Input[Any]]:
    """What tools and people ask for of a backend, by the names of the stack's outputs."""
    found: dict[str, pulumi.Input[Any]] = {
        "stackName": backend.stack_name,
        "stackId": backend.stack_id,
        "rootTemplate": backend.template_key,
        ROOT_OUTPUTS: backend.outputs,
        NESTED_OUTPUTS: backend.nested_outputs,
    }
    asked = {"graphqlEndpoint": backend.graphql_endpoint, "userPoolId": backend.user_pool_id}
    return found | {name: output for name, output in asked.items() if output is not None}


def export(standard: Mapping[str, pulumi.Input[Any]]) -> None:
    """Export these beside what the stage has exported. Raises `ConfigError` for a name that is given twice: commands
    and steps rely on what ours mean."""
    stack = pulumi.runtime.get_root_resource()
    taken = sorted(standard.keys() & (stack.outputs.keys() if isinstance(stack, pulumi.runtime.stack.Stack) else ()))
    if taken:
        raise ConfigError(
            f"the stage exports {', '.join(taken)}, which every environment has anyway",
            where="pulumi.export",
            remedy="take another name",
        )
    if isinstance(stack, pulumi.runtime.stack.Stack):
        secret_outputs.stash(stack.outputs)
    for name, value in standard.items():
        pulumi.export(name, value)


def first_create(
    publisher: BucketPublisher, assembly: Assembly, root: RootStack, *, examine: bool, name: str = "first-create"
) -> pulumi.ResourceOptions:
    """Options of whatever is made first: it is not made, in previews neither, where the backend cannot be made. So a
    first `up` that is refused leaves nothing, not even the place that it was for. In an adoption nothing is made."""
    adopting = bool(os.environ.get(ADOPT_VARIABLE))

    async def check(_: pulumi.ResourceHookArgs) -> None:
        if adopting:
            return
        await asyncio.to_thread(partial(publisher.check_first, assembly, root, pulumi.log.warn, examine=examine))

    hook = pulumi.ResourceHook(name, check, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook]))


def own_staging_area(config: EnvironmentConfig, bucket: str, provider: pulumi.ProviderResource) -> list[StagingArea]:
    """A personal stack's own staging area; none where the account's stack has made it (`bootstrapped`), nor while a
    root stack is adopted, which waits for nothing, and with which nothing is made."""
    if config.bootstrapped or os.environ.get(ADOPT_VARIABLE):
        return []
    return [
        StagingArea(
            STAGING,
            # It goes with its backend: what it holds was published from an export and can be published again.
            StagingAreaArgs(bucket, config.account, config.region, force_destroy=True),
            pulumi.ResourceOptions(providers=[provider]),
        )
    ]


def image_addresses(
    config: EnvironmentConfig,
    assembly: Assembly,
    names: EnvironmentNames,
    publisher: BucketPublisher,
    provider: pulumi.ProviderResource,
) -> tuple[dict[str, pulumi.Output[str]], list[pulumi.Resource]]:
    """Where each container image lies, by name, and what the backend waits for.

    In an account of a pipeline `publish` has pushed them by then. A personal stack has its own repository, as it has
    its staging area, and pushes whenever one has changed: whatever takes an address waits for that.
    """
    addresses = {image.name: names.image(image.digest) for image in assembly.images}
    if not addresses or config.bootstrapped or os.environ.get(ADOPT_VARIABLE):
        return {name: pulumi.Output.from_input(address) for name, address in addresses.items()}, []
    opts = pulumi.ResourceOptions(provider=provider)
    # It goes with its backend, as the staging area does.
    repository, policy = image_repository(IMAGES, names, opts, scan=False, force_delete=True)

    def progress(text: str) -> None:
        pulumi.log.info(text, ephemeral=True)

    async def push(_: pulumi.ResourceHookArgs) -> None:
        await asyncio.to_thread(publisher.push, assembly, progress)

    hook = pulumi.ResourceHook("push-images", push)
    hooks = pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])
    pushed = pulumi.Stash(
        PUSHED_IMAGES, input=addresses, opts=pulumi.ResourceOptions(depends_on=[repository], hooks=hooks)
    )

    def once_pushed(address: str) -> pulumi.Output[str]:
        return pushed.urn.apply(lambda _: address)

    return {name: once_pushed(address) for name, address in addresses.items()}, [repository, policy, pushed]


def say(findings: Sequence[Finding]) -> None:
    """Show warnings one by one, repairs in one line."""
    repaired = [f for f in findings if f.severity == "repaired"]
    for finding in findings:
        if finding.severity == "warning":
            pulumi.log.warn(str(finding))
    if repaired:
        ids = ", ".join(sorted({f.id for f in repaired}))
        pulumi.log.info(
            f"the export was repaired in {len(repaired)} places ({ids}): `amplify-delivery check` lists them"
        )

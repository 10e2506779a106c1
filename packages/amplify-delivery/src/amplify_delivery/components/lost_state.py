"""Whether what an account's or a pipeline's stack makes is there already, while its state holds nothing: that was lost,
or lies elsewhere. AWS refuses such an update at the first name that is taken, and has made keys a second time by then.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.providers import Access
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import suppressing, suppressing_all
from amplify_delivery.publishing.credentials import client_config, provider_session


def bootstrapped(ssm: Any, names: EnvironmentNames) -> str:
    """What tells that an account was bootstrapped for an environment; empty if it was not. Raises botocore's errors."""
    with suppressing("ParameterNotFound") as missing:
        ssm.get_parameter(Name=names.version_parameter)
    return "" if missing else f"what bootstraps {names.environment} ({names.version_parameter})"


def running(codepipeline: Any, names: PipelineNames) -> str:
    """The pipeline, if it is there; else empty. Raises botocore's errors."""
    with suppressing("PipelineNotFoundException") as missing:
        codepipeline.get_pipeline(name=names.pipeline)
    return "" if missing else f"the pipeline {names.pipeline}"


def refusal(stack: str, runs: str) -> RefusedError:
    """Of `stack`, beside whose state that `runs`."""
    return RefusedError(
        f"{runs} is there already, and the engine's state of {stack} does not hold it",
        where=stack,
        remedy="nothing was changed. Use the state that knows it: `pulumi whoami -v` says which is used here "
        f"(`pulumi login`, PULUMI_BACKEND_URL). What a StackSet has made of `bootstrap --template` has no such state, "
        "and stays with the StackSet. If a state is lost for good: `amplify-delivery adopt "
        f"{stack} --state-lost` takes in what runs, as it is, and changes nothing in AWS",
    )


def first_create(
    name: str, access: Access, service: str, runs: Callable[[Any], str], *, adopting: bool
) -> pulumi.ResourceOptions:
    """Options of what a stack makes before all else: it is not made, in previews neither, where something `runs`, which
    is asked with a client of that service. Where AWS does not tell, the update itself will. Not while that very thing
    is adopted."""

    def look() -> None:
        found = ""
        with suppressing_all():
            session = provider_session(access.region, access.profile, access.role_arn)
            found = runs(session.client(service, config=client_config()))
        if found:
            with as_run_error():
                raise refusal(pulumi.get_stack(), found)

    async def check(_: pulumi.ResourceHookArgs) -> None:
        if not adopting:
            await asyncio.to_thread(look)

    hook = pulumi.ResourceHook(name, check, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook]))

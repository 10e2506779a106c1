"""Whether what an account's or a pipeline's stack makes is there already, while its state holds nothing: that was lost,
or lies elsewhere. AWS refuses such an update at the first name that is taken, and has made keys a second time by then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import invoke_async

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.providers import Access
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing, suppressing_all
from amplify_delivery.publishing.credentials import client_config, provider_session
from amplify_delivery.publishing.stack_state import resources_called

Client = Callable[[str], Any]
"""Gives a client of a service in the account."""


@dataclass(frozen=True)
class Runs:
    """What tells that it was made, and the CloudFormation stack that has made it; empty if none has. `way`: what takes
    in what no lost state has held."""

    what: str
    stack: str = ""
    way: str = ""


def bootstrapped(client: Client, names: EnvironmentNames) -> Runs | None:
    """What tells that an account was bootstrapped for an environment; None if it was not. Raises botocore's errors."""
    with suppressing("ParameterNotFound") as missing:
        client("ssm").get_parameter(Name=names.version_parameter)
    if missing:
        return None
    what = f"what bootstraps {names.environment} ({names.version_parameter})"
    return Runs(what, _stack_of(client, names.version_parameter))


def taken_place(client: Client, names: EnvironmentNames) -> Runs | None:
    """What tells that an environment has its place already: `bootstrapped`, or a staging bucket that its own program
    has made, as `up` does it. Raises botocore's errors."""
    found = bootstrapped(client, names)
    if found:
        return found
    with suppressing(*ACCESS_DENIED, "404", "NoSuchBucket") as none:
        client("s3").head_bucket(Bucket=names.staging_bucket, ExpectedBucketOwner=names.account)
    if none:
        return None
    way = (
        f"`amplify-delivery bootstrap {names.environment} --take-over` shows how the account takes over what `up` has "
        "made, with all that is in it"
    )
    return Runs(f"the staging bucket {names.staging_bucket}", way=way)


def _stack_of(client: Client, parameter: str) -> str:
    """The CloudFormation stack that a parameter of SSM belongs to, as one of a StackSet; empty for none, and where
    these credentials may not ask."""
    found = None
    with suppressing(*ACCESS_DENIED), suppressing("ValidationError"):
        found = resources_called(client("cloudformation"), "AWS::SSM::Parameter", parameter)
    stack, states = found or ("", [])
    return "" if all(state.startswith("DELETE_") for state in states) else stack


def running(client: Client, names: PipelineNames) -> Runs | None:
    """The pipeline, if it is there; else None. Raises botocore's errors."""
    with suppressing("PipelineNotFoundException") as missing:
        client("codepipeline").get_pipeline(name=names.pipeline)
    return None if missing else Runs(f"the pipeline {names.pipeline}")


def refusal(stack: str, runs: Runs, way_back: str = "") -> RefusedError:
    """Of `stack`, beside whose state that `runs`. `way_back` is what takes it in, unless it is our command."""
    if runs.stack:
        return RefusedError(
            f"{runs.what} is there already: the CloudFormation stack {runs.stack} has made it, with all that belongs "
            f"to it, and {stack} would be its second owner",
            where=stack,
            remedy="nothing was changed. It stays with that stack, or the StackSet that it is one of: what "
            "`amplify-delivery bootstrap ENV --template` prints is its next version (docs/many-environments.md)",
        )
    if runs.way:
        return RefusedError(
            f"{runs.what} is there already, and {stack} has not made it",
            where=stack,
            remedy=f"nothing was changed. {runs.way}",
        )
    way_back = way_back or (
        f"`amplify-delivery adopt {stack} --state-lost` takes in what runs, as it is, and changes nothing in AWS"
    )
    return RefusedError(
        f"{runs.what} is there already, and the engine's state of {stack} does not hold it",
        where=stack,
        remedy="nothing was changed. Use the state that knows it: `pulumi whoami -v` says which is used here "
        f"(`pulumi login`, PULUMI_BACKEND_URL). If a state is lost for good: {way_back}",
    )


def held_by(component: str, name: str) -> tuple[str, ...]:
    """The ends of the URNs by which a state that holds what a component makes is known, whatever version has written
    it: of an account the key of its environments' states, or the staging bucket, which comes into it before all else
    where the account takes over what `up` has made; of a pipeline itself."""
    own = f"amplify-delivery:index:{component}$"
    if component == "TargetAccount":
        area = f"{own}amplify-delivery:index:StagingArea$"
        return f"{own}aws:kms/key:Key::{name}-state", f"{area}aws:s3/bucket:Bucket::{name}-staging"
    return (f"{own}aws-native:codepipeline:Pipeline::{name}",)


def first_create(
    name: str,
    access: Access,
    runs: Callable[[Client], Runs | None],
    *,
    held: tuple[str, ...],
    adopting: bool,
    way_back: str = "",
) -> pulumi.ResourceOptions:
    """Options of what a stack makes before all else: it is not made, in previews neither, where something `runs`,
    unless the state has a resource whose URN has one of the ends `held`: an earlier version has written it, which did
    not make this, or what runs was taken over. Where AWS does not tell, the update itself will. Not while that very
    thing is adopted."""

    def look() -> Runs | None:
        with suppressing_all():
            session = provider_session(access.region, access.profile, access.role_arn)
            return runs(lambda service: session.client(service, config=client_config()))
        return None

    async def check(_: pulumi.ResourceHookArgs) -> None:
        found = None if adopting else await asyncio.to_thread(look)
        if found and not await state_holds(*held):
            with as_run_error():
                raise refusal(pulumi.get_stack(), found, way_back)

    hook = pulumi.ResourceHook(name, check, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook]))


OTHER_LANGUAGES = 'docs/other-languages.md, "A lost state"'
"""What takes in what the program of another language has made."""


async def state_holds(*ends: str) -> bool:
    """Whether this stack's own state has a resource whose URN has one of these ends. The engine reads the state for it,
    as for any other stack that a program refers to (`pulumi.StackReference`)."""
    own = "/".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()))
    found = await invoke_async("pulumi:pulumi:readStackResourceOutputs", {"stackName": own})
    return any(str(urn).endswith(ends) for urn in found["outputs"])

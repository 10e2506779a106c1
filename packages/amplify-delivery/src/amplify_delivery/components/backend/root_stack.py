"""The root stack of a backend, as CloudFormation gets it: what it remembers, what keeps it, what is around a change."""

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

import pulumi
import pulumi_aws as aws
from pulumi.runtime import mocks, settings

from amplify_delivery.components import names
from amplify_delivery.components.backend import hooks
from amplify_delivery.components.backend.arguments import AmplifyBackendArgs, Terminable
from amplify_delivery.components.remembered import ROOT_STACK_NAME, unchanged

_REPLACING = ("onFailure", "disableRollback", "timeoutInMinutes")
"""What the provider replaces a stack for, although it counts for a first create only. A stack that `amplify push` or
another tool has made lacks what we set."""

_SOMEBODY_ELSES = ("notificationArns",)
"""What we never set, and what whoever watches the account's stacks may have: the provider would take it back."""

_AS_IT_RUNS = (
    *_REPLACING,
    "capabilities",
    "iamRoleArn",
    "notificationArns",
    "parameters",
    "policyBody",
    "policyUrl",
    "tags",
    "templateBody",
    "templateUrl",
)
"""Everything but its name: the engine imports only what is wanted exactly as it is."""


def root_stack(
    parent: pulumi.Resource,
    name: str,
    args: AmplifyBackendArgs,
    versions: Mapping[str, aws.secretsmanager.SecretVersion],
    *,
    protect: bool,
    kept: bool,
    transforms: bool,
    after: pulumi.ResourceOptions | None,
) -> aws.cloudformation.Stack:
    """The root stack from `args.root`, or from what stands `instead` of it now.

    `versions` are those of the backend's secrets, by parameter. It is `kept` by CloudFormation's termination
    protection, has `transforms` where a template has macros, and depends on what the component does (`after`)."""
    identity = _identity(parent, name, args, versions, protect=protect, after=after)
    root = args.instead or args.root
    declared = {
        parameter: version.version_id
        for parameter, version in versions.items()
        if parameter in root.template["Parameters"] and parameter not in root.parameters
    }
    return aws.cloudformation.Stack(
        name,
        name=identity.apply(lambda facts: facts[ROOT_STACK_NAME]),
        # The key is made from the content: the same address with other bytes would not be noticed.
        template_url=names.object_url(args.staging_bucket, root.object.key, args.region),
        parameters={**root.parameters, **declared},
        capabilities=["CAPABILITY_NAMED_IAM", *(["CAPABILITY_AUTO_EXPAND"] if transforms else [])],
        # A failed first create leaves nothing, so that the next `up` starts afresh.
        on_failure="DELETE",
        iam_role_arn=args.execution_role_arn,
        tags=dict(args.root.tags) or None,
        opts=pulumi.ResourceOptions(
            parent=parent,
            protect=protect,
            import_=args.adopted,
            # The date was chosen when the stack was first deployed, and the engine's state remembers it: with a
            # date that moves by itself, each `up` would be an update. It can only be left alone while the root
            # always has this parameter: the engine drops an ignored property that is new.
            ignore_changes=[
                *(_AS_IT_RUNS if args.adopted else (*_REPLACING, *_SOMEBODY_ELSES)),
                *(["parameters.ApiKeyExpires"] if args.keep_api_key_expiry and not args.adopted else []),
            ],
            # The provider would delete first, since the name is fixed. The other way round the first step of a
            # replacement is a create, which `hooks.check` refuses while the stack is there.
            delete_before_replace=False,
            custom_timeouts=pulumi.CustomTimeouts(create=args.timeout, update=args.timeout, delete=args.timeout),
            depends_on=after.depends_on if after else None,
            hooks=_around_a_change(name, args, kept=kept),
        ),
    )


def _around_a_change(name: str, args: AmplifyBackendArgs, *, kept: bool) -> pulumi.ResourceHookBinding:
    """What is asked, published, put back, protected and told before and after the stack is created or updated."""
    before = [
        *hooks.check(name, args.may_change, args.root),
        hooks.publish(name, args.publisher, args.assembly, args.root),
    ]
    trust = hooks.KeepTrust(name, args.keep_trust, args.root)
    protected = hooks.protected(name, args.terminable.set_to if args.terminable and kept else None, args.root)
    return pulumi.ResourceHookBinding(
        before_create=[*before],
        before_update=[*before, *trust.before],
        after_create=[*protected],
        after_update=[*trust.after, *protected],
        on_error=[*trust.failed, *hooks.explain(name, args.explain)] or None,
    )


def _identity(
    parent: pulumi.Resource,
    name: str,
    args: AmplifyBackendArgs,
    versions: Mapping[str, aws.secretsmanager.SecretVersion],
    *,
    protect: bool,
    after: pulumi.ResourceOptions | None,
) -> pulumi.Output[dict[str, str]]:
    """Remembers the root stack's name: a stack cannot be renamed, and a new name would mean a new backend without
    the data of the old one. `protect` refuses that too, but it may be off, and it cannot say what to do.

    It holds what the root stack needs while that runs: a destroy begins with what depends on others, and ends
    there if that is protected. The root itself holds it only as long as the state has it: one that was made by a
    run that was killed, or that `pulumi state delete` has taken out, runs on without.
    """
    needed = pulumi.ResourceOptions.merge(
        pulumi.ResourceOptions(depends_on=after.depends_on if after else None),
        pulumi.ResourceOptions(depends_on=[*versions.values()]),
    )
    return unchanged(
        f"{name}-identity",
        {ROOT_STACK_NAME: args.root.stack_name},
        "put `environment` and `suffix` of the stack file back; another backend is another Pulumi stack",
        pulumi.ResourceOptions.merge(needed, pulumi.ResourceOptions(parent=parent, protect=protect)),
    )


def may_be_deleted(stack: aws.cloudformation.Stack, terminable: Terminable | None) -> None:
    """Take the stack's termination protection off. Neither `protect: false` nor data that went earlier changes
    anything of the stack, so no hook runs; and left on, a plain `pulumi destroy` would forget the stack and say
    that it is done (pulumi-aws 6422)."""
    if terminable is None or pulumi.runtime.is_dry_run() or isinstance(settings.get_monitor(), mocks.MockMonitor):
        return

    async def turn_off(name: str) -> None:
        await asyncio.to_thread(terminable.set_to, name, False)

    # The SDK waits for what is applied; its type wants a value.
    stack.name.apply(cast("Callable[[str], str]", turn_off))

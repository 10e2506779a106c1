"""An Amplify backend as one Pulumi component: its root stack, its secrets, and typed access to what it made."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import pulumi
import pulumi_aws as aws
from pulumi.runtime import mocks, settings

from amplify_delivery.components import names
from amplify_delivery.components.backend import hooks
from amplify_delivery.components.backend.accessors import Directory, Found
from amplify_delivery.components.backend.contents import contents
from amplify_delivery.components.backend.pages import upload_pages
from amplify_delivery.components.backend.parts import (
    Bucket,
    Function,
    GraphqlApi,
    IdentityPool,
    Nested,
    RestApi,
    Table,
    UserPool,
)
from amplify_delivery.components.backend.secrets import SecretKey, secret_versions
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.publisher import Publisher
from amplify_delivery.components.remembered import ROOT_STACK_NAME, unchanged
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly, RootStack

_REPLACING = ("onFailure", "disableRollback", "timeoutInMinutes")
"""What the provider replaces a stack for, although it counts for a first create only. A stack that `amplify push` or
another tool has made lacks what we set."""

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


@dataclass(frozen=True)
class Terminable:
    """The root stack's termination protection. `wanted` is asked with whether the templates have something that holds
    data, and says None for: as it is. `set_to` is given the stack's name, reports what AWS refuses, and raises
    nothing."""

    wanted: Callable[[bool], bool | None]
    set_to: hooks.SetTermination


@dataclass(frozen=True)
class AmplifyBackendArgs:
    """Arguments of `AmplifyBackend`."""

    assembly: Assembly
    root: RootStack
    """The root of `assembly`, rendered for this environment and for `staging_bucket`."""
    staging_bucket: str
    """Name of the bucket from which CloudFormation reads the templates."""
    region: str
    publisher: Publisher
    """Brings the objects into `staging_bucket`, before the stack is created or updated."""
    secrets: Mapping[SecretKey, pulumi.Input[str]] = field(default_factory=dict)
    """A value for each of `root.secrets`."""
    instead: RootStack | None = None
    """What the root stack is updated to now, on the way to `root`, where AWS does not take that in one update. What
    `root` has more is not there yet."""
    may_change: hooks.MayChange | None = None
    """Refuses, with a `DeliveryError`, a change that the root stack cannot take; told whether it is a first create.
    Asked in previews too; without it nothing keeps a replacement from deleting the stack but `protect`."""
    keep_trust: hooks.Keep | None = None
    """Looks, before the stack is updated, at what an update may take that the template does not hold: the trust of the
    auth roles. Gives what puts it back, which is called when the update has ended, well or not; both may raise a
    `DeliveryError`. It reports to the second argument."""
    explain: hooks.Explain | None = None
    """Says which resources of nested stacks failed, and why, when asked with the provider's error, which knows the
    root stack's own events only."""
    execution_role_arn: pulumi.Input[str] | None = None
    """The role that CloudFormation uses; without it, the deploying credentials."""
    protect: bool = True
    """Refuse to destroy the root stack while a nested stack holds data."""
    keep_api_key_expiry: bool = True
    """Leave the expiry of API keys at the date of the first deployment, whatever `root` says now."""
    terminable: Terminable | None = None
    """Whether CloudFormation refuses to delete the root stack; without it that stays as it is."""
    adopted: str | None = None
    """ARN of a root stack that runs and is to become this one: it is taken into the engine's state as it is, protected,
    and nothing of it is changed or made (`amplify-delivery adopt`). Its parameters are completed afterwards."""
    timeout: str = "3h"
    """How long CloudFormation may take to create, update or delete. The provider's own 30 minutes are too short for a
    large schema: each model is a nested stack with a table."""


class AmplifyBackend(pulumi.ComponentResource):
    """What `amplify push` deploys, from an assembly: one CloudFormation stack with nested stacks.

    Ask it for what it made by kind, not by Amplify's logical ids::

        backend.graphql_api.endpoint
        backend.user_pool.id
        backend.function("resize").arn

    An accessor raises an error that says what there is, when the export has no such thing. `has` asks beforehand.
    """

    stack_name: pulumi.Output[str]
    stack_id: pulumi.Output[str]
    """ARN of the root stack."""
    template_key: str
    """Key of the root template in the staging bucket: made from its content."""
    outputs: pulumi.Output[Mapping[str, str]]
    """The root stack's own outputs, as Amplify defines them."""

    def __init__(self, name: str, args: AmplifyBackendArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amplify-delivery:index:AmplifyBackend", name, None, opts)
        self._args = args
        self._directory = Directory(args.assembly)
        with as_run_error():
            versions = {} if args.adopted else secret_versions(self, args.root, args.secrets)
            held = contents(args.assembly)
            kept = args.terminable.wanted(held.stateful) if args.terminable and not args.adopted else None
            # What CloudFormation keeps the engine must not give up: it would forget a stack that stays.
            protect = bool(args.adopted) or bool(kept) or (args.protect and held.stateful)
            self._stack = self._root_stack(
                name, args, versions, protect=protect, kept=bool(kept), transforms=held.transforms, after=opts
            )
            # On the way to `root` what it no longer holds may be there still.
            if kept is False and args.instead is None:
                self._may_be_deleted()
            upload_pages(self, args.assembly, args.root.stack_name, self._stack)
        self.stack_name = self._stack.name
        self.stack_id = self._stack.id
        self.template_key = (args.instead or args.root).object.key
        repeated = frozenset(args.root.outputs.values())
        self.outputs = self._stack.outputs.apply(lambda o: {k: v for k, v in (o or {}).items() if k not in repeated})
        self.register_outputs(
            {
                "stack_name": self.stack_name,
                "stack_id": self.stack_id,
                "template_key": self.template_key,
                "outputs": self.outputs,
                "nested_outputs": self.nested_outputs,
            }
        )

    # --- what it made -------------------------------------------------------------------------------------------

    def has(self, resource_type: str) -> bool:
        """Whether a first-level nested stack holds a resource of that CloudFormation type."""
        return next(self._directory.all(resource_type), None) is not None

    def output(self, nested: str, output: str) -> pulumi.Output[str]:
        """An output of a first-level nested stack, by both names as they stand in the export."""
        with as_run_error():
            known = self._args.root.outputs
            root_output = known.get((nested, output))
            if root_output is None:
                own = sorted(o for n, o in known if n == nested)
                stacks = ", ".join(sorted({n for n, _ in known}))
                raise ConfigError(
                    f"the backend has no output {output!r} of {nested!r}",
                    where=self._args.assembly.project,
                    remedy=f"{nested} has {', '.join(own)}" if own else f"stacks with outputs are {stacks}",
                )
        # It is not there yet when only other resources are deployed (`--target`) after an export that adds it.
        none_yet = None if self._args.instead is None else ""
        return self._stack.outputs.apply(lambda outputs: cast("str", (outputs or {}).get(root_output, none_yet)))

    def nested(self, logical_id: str) -> Nested:
        """A first-level nested stack, by its logical id (category and resource name, as in `apimyapp`)."""
        with as_run_error():
            if logical_id not in self._args.assembly.root.nested:
                raise ConfigError(
                    f"there is no nested stack {logical_id!r}",
                    where=self._args.assembly.project,
                    remedy=f"there are {', '.join(sorted(self._args.assembly.root.nested))}",
                )
        return Nested(logical_id, {o: self.output(n, o) for n, o in sorted(self._args.root.outputs) if n == logical_id})

    @property
    def nested_outputs(self) -> pulumi.Output[Mapping[str, Mapping[str, str]]]:
        """All outputs of the first-level nested stacks, by nested stack and output."""
        known = sorted(self._args.root.outputs.items())

        def by_nested(outputs: Mapping[str, str] | None) -> dict[str, dict[str, str]]:
            result: dict[str, dict[str, str]] = {}
            for (nested, output), root_output in known:
                if outputs and root_output in outputs:
                    result.setdefault(nested, {})[output] = outputs[root_output]
            return result

        return self._stack.outputs.apply(by_nested)

    @cached_property
    def graphql_api(self) -> GraphqlApi:
        """The AppSync API. Raises `RunError` if the backend has none, or several."""
        with as_run_error():
            api = self._directory.one("AWS::AppSync::GraphQLApi")
            keys = [k for k in self._directory.all("AWS::AppSync::ApiKey") if k.nested == api.nested]
            return GraphqlApi(
                self._give(api, "ApiId"),
                self._give(api, "GraphQLUrl"),
                self._give_if_any(keys[0], "ApiKey") if keys else None,
            )

    @property
    def graphql_endpoint(self) -> pulumi.Output[str] | None:
        """Address of the AppSync API; None where there is none, or no output that gives it."""
        return self._only("AWS::AppSync::GraphQLApi", "GraphQLUrl")

    @property
    def user_pool_id(self) -> pulumi.Output[str] | None:
        """Id of the user pool; None where there is none, or no output that gives it."""
        return self._only("AWS::Cognito::UserPool")

    @cached_property
    def user_pool(self) -> UserPool:
        """The user pool with its clients, as far as their ids are outputs. Raises `RunError` if there is none."""
        with as_run_error():
            pool = self._directory.one("AWS::Cognito::UserPool")
            clients = self._directory.all("AWS::Cognito::UserPoolClient")
            return UserPool(
                self._give(pool),
                self._give(pool, "Arn"),
                {
                    c.logical_id: self._give(c)
                    for c in clients
                    if c.nested == pool.nested and self._directory.output(c) is not None
                },
            )

    @cached_property
    def identity_pool(self) -> IdentityPool:
        """The pool that signs users in to AWS. Raises `RunError` if there is none."""
        with as_run_error():
            return IdentityPool(self._give(self._directory.one("AWS::Cognito::IdentityPool")))

    def function(self, name: str) -> Function:
        """The function that the Amplify CLI calls `name`."""
        with as_run_error():
            nested = self._directory.named("function", name, "AWS::Lambda::Function")
            function = self._directory.one("AWS::Lambda::Function", nested)
            role = self._directory.role_of(function)
            return Function(self._give(function), self._give(function, "Arn"), self._give(role, "Arn"))

    def rest_api(self, name: str) -> RestApi:
        """The REST API that the Amplify CLI calls `name`."""
        with as_run_error():
            nested = self._directory.named("api", name, "AWS::ApiGateway::RestApi")
            api = self._directory.one("AWS::ApiGateway::RestApi", nested)
            url = self._directory.mentioning(api, "execute-api")
            if url is None:
                raise self._not_given(api, "its address")
            return RestApi(self._give(api), self.output(nested, url))

    @cached_property
    def bucket(self) -> Bucket:
        """The bucket of Amplify's storage category."""
        with as_run_error():
            return Bucket(self._give(self._directory.one("AWS::S3::Bucket")))

    def table(self, name: str) -> Table:
        """The table that the Amplify CLI calls `name` (`amplify add storage`, NoSQL)."""
        with as_run_error():
            nested = self._directory.named("storage", name, "AWS::DynamoDB::Table")
            table = self._directory.one("AWS::DynamoDB::Table", nested)
            return Table(self._give(table), self._give(table, "Arn"))

    def _only(self, resource_type: str, attribute: str | None = None) -> pulumi.Output[str] | None:
        try:
            found = self._directory.one(resource_type)
        except ConfigError:
            return None
        return self._give_if_any(found, attribute)

    def _give_if_any(self, found: Found, attribute: str | None = None) -> pulumi.Output[str] | None:
        output = self._directory.output(found, attribute)
        return None if output is None else self.output(found.nested, output)

    def _give(self, found: Found, attribute: str | None = None) -> pulumi.Output[str]:
        output = self._directory.output(found, attribute)
        if output is None:
            raise self._not_given(found, attribute or "Ref")
        return self.output(found.nested, output)

    @staticmethod
    def _not_given(found: Found, what: str) -> ConfigError:
        return ConfigError(
            f"{found.logical_id} is there, but no output gives {what}",
            where=found.nested,
            remedy="add an output to its template with `amplify override`, and export again",
        )

    # --- what it makes ------------------------------------------------------------------------------------------

    def _identity(
        self,
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
            pulumi.ResourceOptions.merge(needed, pulumi.ResourceOptions(parent=self, protect=protect)),
        )

    def _root_stack(
        self,
        name: str,
        args: AmplifyBackendArgs,
        versions: Mapping[str, aws.secretsmanager.SecretVersion],
        *,
        protect: bool,
        kept: bool,
        transforms: bool,
        after: pulumi.ResourceOptions | None,
    ) -> aws.cloudformation.Stack:
        identity = self._identity(name, args, versions, protect=protect, after=after)
        before = [
            *hooks.check(name, args.may_change, args.root),
            hooks.publish(name, args.publisher, args.assembly, args.root),
        ]
        trust = hooks.KeepTrust(name, args.keep_trust, args.root)
        protected = hooks.protected(name, args.terminable.set_to if args.terminable and kept else None, args.root)
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
                parent=self,
                protect=protect,
                import_=args.adopted,
                # The date was chosen when the stack was first deployed, and the engine's state remembers it: with a
                # date that moves by itself, each `up` would be an update. It can only be left alone while the root
                # always has this parameter: the engine drops an ignored property that is new.
                ignore_changes=[
                    *(_AS_IT_RUNS if args.adopted else _REPLACING),
                    *(["parameters.ApiKeyExpires"] if args.keep_api_key_expiry and not args.adopted else []),
                ],
                # The provider would delete first, since the name is fixed. The other way round the first step of a
                # replacement is a create, which `hooks.check` refuses while the stack is there.
                delete_before_replace=False,
                custom_timeouts=pulumi.CustomTimeouts(create=args.timeout, update=args.timeout, delete=args.timeout),
                depends_on=after.depends_on if after else None,
                hooks=pulumi.ResourceHookBinding(
                    before_create=[*before],
                    before_update=[*before, *trust.before],
                    after_create=[*protected],
                    after_update=[*trust.after, *protected],
                    on_error=[*trust.failed, *hooks.explain(name, args.explain)] or None,
                ),
            ),
        )

    def _may_be_deleted(self) -> None:
        """Take the stack's termination protection off. Neither `protect: false` nor data that went earlier changes
        anything of the stack, so no hook runs; and left on, a plain `pulumi destroy` would forget the stack and say
        that it is done (pulumi-aws 6422)."""
        terminable = self._args.terminable
        if terminable is None or pulumi.runtime.is_dry_run() or isinstance(settings.get_monitor(), mocks.MockMonitor):
            return

        async def turn_off(stack: str) -> None:
            await asyncio.to_thread(terminable.set_to, stack, False)

        # The SDK waits for what is applied; its type wants a value.
        self._stack.name.apply(cast("Callable[[str], str]", turn_off))

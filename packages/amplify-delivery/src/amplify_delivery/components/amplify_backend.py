"""An Amplify backend as one Pulumi component: its root stack, its secrets, and typed access to what it made."""

from collections.abc import Mapping
from functools import cached_property
from typing import cast

import pulumi

from amplify_delivery.components.backend.accessors import Directory, Found
from amplify_delivery.components.backend.arguments import AmplifyBackendArgs
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
from amplify_delivery.components.backend.root_stack import may_be_deleted, root_stack
from amplify_delivery.components.backend.secrets import secret_versions
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.errors import ConfigError


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
            versions = {} if args.adopted else secret_versions(self, args.root, args.secrets, args.free_secret)
            held = contents(args.assembly)
            kept = args.terminable.wanted(held.stateful) if args.terminable and not args.adopted else None
            # What CloudFormation keeps the engine must not give up: it would forget a stack that stays.
            protect = bool(args.adopted) or bool(kept) or (args.protect and held.stateful)
            self._stack = root_stack(
                self, name, args, versions, protect=protect, kept=bool(kept), transforms=held.transforms, after=opts
            )
            # On the way to `root` what it no longer holds may be there still.
            if kept is False and args.instead is None:
                may_be_deleted(self._stack, args.terminable)
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

"""An example of a service beside the backend: a Lambda function behind an HTTP API. Replace it with your own."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws_native as native

from amplify_delivery.components import EnvironmentNames

_LOG_DAYS = 30
_CODE = """\
import json
import os


def handler(event, context):
    body = {"message": "Hello", "environment": os.environ["ENVIRONMENT"], "graphql": os.environ.get("GRAPHQL_ENDPOINT")}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
"""


@dataclass(frozen=True)
class HelloServiceArgs:
    """Arguments of `HelloService`."""

    names: EnvironmentNames
    """The environment: names begin with app and environment, which is what `deploy` may make."""
    graphql_endpoint: pulumi.Input[str] | None = None
    """The backend's API, as an example of what such a service needs to know."""
    boundary_arn: str | None = None
    """The permissions boundary of the environment, which its role must carry; none in a personal stack."""


class HelloService(pulumi.ComponentResource):
    """Says hello at `url`. Needs the provider `aws-native`."""

    url: pulumi.Output[str]
    """Where it answers; a step of the pipeline asks it."""
    function_arn: pulumi.Output[str]

    def __init__(self, name: str, args: HelloServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Long: one resource declared after the other."""
        super().__init__("amplify-delivery:index:HelloService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names = args.names
        called = f"{names.prefix}-{name}"

        log = native.logs.LogGroup(
            name, log_group_name=f"/aws/lambda/{called}", retention_in_days=_LOG_DAYS, opts=child
        )
        role = native.iam.Role(
            name,
            role_name=called,
            description=f"The function {called} runs with it",
            assume_role_policy_document=_policy(
                {
                    "Sid": "Lambda",
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ),
            policies=[
                native.iam.RolePolicyArgs(
                    policy_name="log",
                    policy_document=_policy(
                        {
                            "Sid": "Log",
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": names.arn("logs", f"log-group:/aws/lambda/{called}:*"),
                        }
                    ),
                )
            ],
            permissions_boundary=args.boundary_arn,
            opts=child,
        )
        variables: dict[str, pulumi.Input[str]] = {"ENVIRONMENT": names.environment}
        if args.graphql_endpoint is not None:
            variables["GRAPHQL_ENDPOINT"] = args.graphql_endpoint
        function = native.lambda_.Function(
            name,
            function_name=called,
            runtime="python3.13",
            handler="index.handler",
            code=native.lambda_.FunctionCodeArgs(zip_file=_CODE),
            role=role.arn,
            timeout=10,
            environment=native.lambda_.FunctionEnvironmentArgs(variables=variables),
            # Otherwise Lambda creates the group itself, and it stays for ever.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log]),
        )
        api = native.apigatewayv2.Api(name, name=called, protocol_type="HTTP", opts=child)
        integration = native.apigatewayv2.Integration(
            name,
            api_id=api.api_id,
            integration_type="AWS_PROXY",
            integration_uri=function.arn,
            payload_format_version="2.0",
            opts=child,
        )
        route = native.apigatewayv2.Route(
            name,
            api_id=api.api_id,
            route_key="GET /",
            target=integration.integration_id.apply(lambda found: f"integrations/{found}"),
            opts=child,
        )
        stage = native.apigatewayv2.Stage(
            name,
            api_id=api.api_id,
            stage_name="$default",
            auto_deploy=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[route]),
        )
        permission = native.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function_name=function.arn,
            principal="apigateway.amazonaws.com",
            source_account=names.account,
            source_arn=api.api_id.apply(lambda found: names.arn("execute-api", f"{found}/*")),
            opts=child,
        )

        # Not before it answers.
        self.url = pulumi.Output.all(api.api_endpoint, stage.id, permission.id).apply(lambda made: f"{made[0]}/")
        self.function_arn = function.arn
        self.register_outputs({"url": self.url, "function_arn": self.function_arn})


def _policy(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}

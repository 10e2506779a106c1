"""Which resources belong to one environment: ARN patterns by service, from the names in Amplify's templates."""

from collections.abc import Callable, Iterable, Mapping

from amplify_delivery.components.documents.environment import EnvironmentAccess

Scope = Callable[[EnvironmentAccess, frozenset[str]], list[str]]


def resources_of(service: str, access: EnvironmentAccess, types: Iterable[str]) -> list[str]:
    """ARN patterns of what belongs to the environment in `service`; the account and region where names are unknown."""
    scope = _SCOPES.get(service)
    if scope is None:
        return [access.names.arn(service, "*")]
    return scope(access, frozenset(types))


def data_reads(action: str) -> bool:
    """True for a read that gives back data or a credential instead of a description."""
    return action in _DATA_READS or action.startswith(("s3:GetObject", "ssm:GetParameter"))


def is_foreign_identity(action: str) -> bool:
    """True for IAM actions on users and groups. The schemas of IAM policies list them; a backend has roles only."""
    service, _, name = action.partition(":")
    return service == "iam" and ("User" in name or "Group" in name)


def services_passed_to(types: Iterable[str]) -> list[str]:
    """The services that resources of `types` hand a role to."""
    prefixes = {name.split("::")[1] for name in types if name.startswith("AWS::")}
    return sorted(
        {service for prefix in prefixes for service in _PASSED_TO.get(prefix, ())} or {"lambda.amazonaws.com"}
    )


_DATA_READS = frozenset(
    {
        "appsync:ListApiKeys",  # an API key's id is the key
        "cognito-idp:DescribeIdentityProvider",  # holds the provider's client secret
        "cognito-idp:DescribeUserPoolClient",  # holds the client's secret
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "kinesis:GetRecords",
        "kms:Decrypt",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "secretsmanager:GetSecretValue",
        "sqs:ReceiveMessage",
    }
)

_PASSED_TO: Mapping[str, tuple[str, ...]] = {
    "Amplify": ("amplify.amazonaws.com",),
    "ApiGateway": ("apigateway.amazonaws.com",),
    "ApiGatewayV2": ("apigateway.amazonaws.com",),
    "ApplicationAutoScaling": ("application-autoscaling.amazonaws.com",),
    "AppSync": ("appsync.amazonaws.com",),
    "CodeBuild": ("codebuild.amazonaws.com",),
    "CodePipeline": ("codepipeline.amazonaws.com",),
    "Cognito": ("cognito-identity.amazonaws.com", "cognito-idp.amazonaws.com", "cognito-sync.amazonaws.com"),
    "DynamoDB": ("dynamodb.amazonaws.com",),
    "EFS": ("elasticfilesystem.amazonaws.com",),
    "ECS": ("ecs-tasks.amazonaws.com", "ecs.amazonaws.com"),
    "Elasticsearch": ("es.amazonaws.com",),
    "Events": ("events.amazonaws.com",),
    "KinesisFirehose": ("firehose.amazonaws.com",),
    "Lambda": ("lambda.amazonaws.com",),
    "Lex": ("lexv2.amazonaws.com",),
    "Logs": ("logs.amazonaws.com",),
    "OpenSearchService": ("es.amazonaws.com",),
    "RDS": ("monitoring.rds.amazonaws.com", "rds.amazonaws.com"),
    "S3": ("s3.amazonaws.com",),
    "SES": ("ses.amazonaws.com",),
    "Scheduler": ("scheduler.amazonaws.com",),
    "SecretsManager": ("secretsmanager.amazonaws.com",),
    "SNS": ("sns.amazonaws.com",),
    "StepFunctions": ("states.amazonaws.com",),
}


_FIFO = ".fifo"
"""How queues and topics that keep an order have to be called at their ends ("CreateQueue", "CreateTopic")."""


def _named(service: str, *kinds: str, tails: tuple[str, ...] = ("",), region: str | None = None) -> Scope:
    """Resources that Amplify names with `-ENV`, CloudFormation after the stack, and the program after the app."""

    def scope(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
        del types
        names = access.names
        patterns = (f"*-{names.environment}", f"{names.stack_role_prefix}*", f"{names.prefix}-*")
        ends = [pattern + tail for pattern in patterns for tail in tails]
        return [names.arn(service, kind + end, region=region) for kind in kinds for end in ends]

    return scope


def _anywhere(service: str, *kinds: str, region: str | None = None) -> Scope:
    """Resources with random ids: the account's, in this region."""

    def scope(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
        del types
        return [access.names.arn(service, kind, region=region) for kind in kinds]

    return scope


def _lambda(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    found = _named("lambda", "function:", tails=("", ":*"))(access, types)
    if any(name.startswith("AWS::Lambda::Layer") for name in types):
        found += _named("lambda", "layer:", tails=("", ":*"))(access, types)
    if "AWS::Lambda::EventSourceMapping" in types:
        found.append(access.names.arn("lambda", "event-source-mapping:*"))
    return found


def _iam(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    found = [*access.backend_role_patterns, access.program_role_pattern]
    if "AWS::IAM::ManagedPolicy" in types:
        names = access.names
        # Not `*-ENV`, as for roles: a policy that ends so may be a person's, and who writes it has its holders' rights.
        # Amplify leaves its policies unnamed.
        patterns = [f"{names.stack_role_prefix}*"]
        if "AWS::IAM::ManagedPolicy" in access.program_types:
            patterns.append(f"{names.prefix}-*")
        found += [names.iam_arn("policy", "/", pattern) for pattern in patterns]
    found.append(access.names.iam_arn("role", "/aws-service-role/", "*"))
    return found


def _s3(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    del types
    names = access.names
    patterns = (f"*-{names.environment}", f"{names.stack_role_prefix.lower()}*", f"{names.prefix.lower()}-app-*")
    return [names.bucket_arn(pattern) for pattern in patterns]


NAMED_AFTER_LOGICAL_ID: Mapping[str, tuple[str, str]] = {
    "AWS::CloudWatch::Dashboard": ("DashboardName", ""),
    "AWS::CodeBuild::Project": ("Name", "ApiPipelineCodeBuild"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "AwaiterMyProviderwaiter"),
    "AWS::Serverless::StateMachine": ("Name", ""),
}
"""Types that CloudFormation calls `LOGICALID-RANDOM` where a template gives no name: it tells no environment.

Each with the property that names it, and what the logical ids of Amplify's container API begin with: those are allowed.
"""


def _dynamodb(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    """A global table's replicas are in other regions, under the same name."""
    region = "*" if "AWS::DynamoDB::GlobalTable" in types else None
    return _named("dynamodb", "table/", tails=("", "/*"), region=region)(access, types)


def _events(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    """AWS puts an id of its own behind the name of a connection and of a destination."""
    found = _named("events", "rule/", "rule/*/", "event-bus/")(access, types)
    if "AWS::Events::Archive" in types:
        found += _named("events", "archive/")(access, types)
    behind = [f"{kind}/" for kind in ("connection", "api-destination") if _CALLING[kind] in types]
    return found + _named("events", *behind, tails=("", "/*"))(access, types)


_CALLING = {"connection": "AWS::Events::Connection", "api-destination": "AWS::Events::ApiDestination"}


def _secretsmanager(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    """EventBridge keeps a connection's credentials in a secret that it calls after the connection."""
    found = _named("secretsmanager", "secret:", tails=("", "-*"))(access, types)
    if "AWS::Events::Connection" in types:
        found += _named("secretsmanager", "secret:events!connection/", tails=("/*",))(access, types)
    return found


def key_aliases(access: EnvironmentAccess) -> list[str]:
    """ARN patterns of what keys of the environment may be called: few actions know an alias. None begins with the
    app's name, as those of the delivery's own keys do."""
    names = access.names
    return [
        names.arn("kms", f"alias/{pattern}") for pattern in (f"*-{names.environment}", f"{names.stack_role_prefix}*")
    ]


def _codebuild(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    found = _named("codebuild", "project/")(access, types)
    if access.containers:
        found.append(access.names.arn("codebuild", f"project/{NAMED_AFTER_LOGICAL_ID['AWS::CodeBuild::Project'][1]}*"))
    return found


def _states(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    found = _named("states", "stateMachine:")(access, types)
    if access.containers:
        machine = NAMED_AFTER_LOGICAL_ID["AWS::StepFunctions::StateMachine"][1]
        found.append(access.names.arn("states", f"stateMachine:{machine}*"))
    return found


def _logs(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    kinds = ["log-group:", "log-group:/aws/lambda/"]
    if any(name.startswith("AWS::ECS::") for name in types):
        kinds.append("log-group:/ecs/")
    if "AWS::StepFunctions::StateMachine" in types:
        # Where AWS lets a state machine log without a limit of policies ("Logging using CloudWatch Logs").
        kinds.append("log-group:/aws/vendedlogs/states/waiter-state-machine-")
    return _named("logs", *kinds, tails=("", ":*"))(access, types)


_DOMAINS = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
}


def _apigateway(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    paths = ["/tags/*"]
    if any(name.startswith("AWS::ApiGateway::") for name in types):
        paths += ["/restapis", "/restapis/*"]
    if any(name.startswith("AWS::ApiGatewayV2::") for name in types):
        paths += ["/apis", "/apis/*", "/vpclinks", "/vpclinks/*"]
    if "AWS::ApiGateway::ApiKey" in types:
        paths += ["/apikeys", "/apikeys/*"]
    if any(name.startswith("AWS::ApiGateway::UsagePlan") for name in types):
        paths += ["/usageplans", "/usageplans/*"]
    if "AWS::ApiGateway::Account" in types:
        paths.append("/account")
    if types & _DOMAINS:
        paths += ["/domainnames", "/domainnames/*"]
    return [f"arn:{access.names.partition}:apigateway:{access.names.region}::{path}" for path in paths]


def _appsync(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    kinds = ["apis/*", "/v1/apis/*"]
    if any(name.startswith("AWS::AppSync::DomainName") for name in types):
        kinds.append("domainnames/*")
    return [access.names.arn("appsync", kind) for kind in kinds]


def _cloudformation(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    del types
    return [access.stack_arns[1]]


def _cloudwatch(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    found = [access.names.arn("cloudwatch", "*")]
    if "AWS::CloudWatch::Dashboard" in types:
        # Dashboards are the account's, whatever region they show.
        found += _named("cloudwatch", "dashboard/", region="")(access, types)
    return found


def _ses(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    found = _named("ses", "configuration-set/", "template/")(access, types)
    if "AWS::SES::EmailIdentity" in types:
        # Called after a domain or an address: its tags tell whose it is.
        found.append(access.names.arn("ses", "identity/*"))
    return found


def _wafv2(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    """What CloudFormation calls `LOGICALID-RANDOM` without a name; and, of an association, what it stands before."""
    names = access.names
    reaches = ("regional", "global") if names.region == "us-east-1" else ("regional",)
    kinds = ("webacl", "ipset", "regexpatternset", "managedruleset", "rulegroup")
    found = [names.arn("wafv2", f"{reach}/{kind}/*") for reach in reaches for kind in kinds]
    if "AWS::WAFv2::WebACLAssociation" in types:
        found += [
            names.arn("appsync", "apis/*"),
            names.arn("cognito-idp", "userpool/*"),
            f"arn:{names.partition}:apigateway:{names.region}::/restapis/*/stages/*",
        ]
    return found


def _scheduler(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    """AWS::Serverless calls a schedule after its function and event. Whoever deletes a group deletes what is in it."""
    groups = _named("scheduler", "schedule-group/")(access, types) if "AWS::Scheduler::ScheduleGroup" in types else []
    return [access.names.arn("scheduler", "schedule/*"), *groups]


def _route53(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    del types
    return [f"arn:{access.names.partition}:route53:::hostedzone/*"]


def _rds(access: EnvironmentAccess, types: frozenset[str]) -> list[str]:
    """A cluster may be one of a global one, which belongs to no region."""
    del types
    return [access.names.arn("rds", "*"), access.names.arn("rds", "global-cluster:*", region="")]


_SCOPES: Mapping[str, Scope] = {
    "amplify": _anywhere("amplify", "apps/*"),
    "apigateway": _apigateway,
    "appsync": _appsync,
    "cloudformation": _cloudformation,
    "cloudfront": _anywhere("cloudfront", "*", region=""),
    "cloudwatch": _cloudwatch,
    "codebuild": _codebuild,
    "codepipeline": _named("codepipeline", ""),
    "cognito-identity": _anywhere("cognito-identity", "identitypool/*"),
    "cognito-idp": _anywhere("cognito-idp", "userpool/*"),
    "dynamodb": _dynamodb,
    "es": _anywhere("es", "domain/*"),
    "events": _events,
    "iam": _iam,
    "kms": _anywhere("kms", "key/*"),
    "lambda": _lambda,
    "lex": _anywhere("lex", "bot/*", "bot-alias/*"),
    "logs": _logs,
    "mobiletargeting": _anywhere("mobiletargeting", "apps/*"),
    "rds": _rds,
    "rekognition": _named("rekognition", "collection/"),
    "route53": _route53,
    "s3": _s3,
    "scheduler": _scheduler,
    "secretsmanager": _secretsmanager,
    "ses": _ses,
    "sns": _named("sns", "", tails=("", ":*", _FIFO, f"{_FIFO}:*")),
    "sqs": _named("sqs", "", tails=("", _FIFO)),
    "ssm": _named("ssm", "parameter/", "parameter/amplify/"),
    "states": _states,
    "wafv2": _wafv2,
}

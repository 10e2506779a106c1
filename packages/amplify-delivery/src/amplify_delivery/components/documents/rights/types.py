"""The rights to make and change resources of given types: the execution role's policy, computed from the export.

Actions come from `handler_table`, resources from the names that Amplify's templates use: most end with `-ENV`, the rest
CloudFormation makes up from the stack's name. Where AWS gives a random id (user pools, APIs), only the account, the
region and the tags tell one environment from another; where an action knows no resource at all, it stands in
`UNSCOPED_WRITES`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import APP_TAG, PROJECTS
from amplify_delivery.components.documents.rights.boundary import guards, nested_stacks
from amplify_delivery.components.documents.rights.handler_table import table
from amplify_delivery.components.documents.rights.pinpoint import PINPOINT
from amplify_delivery.components.documents.rights.provider_calls import actions_for_types
from amplify_delivery.components.documents.rights.scopes import (
    data_reads,
    is_foreign_identity,
    key_aliases,
    resources_of,
    services_passed_to,
)
from amplify_delivery.components.documents.rights.serverless import expanded, transform_statements
from amplify_delivery.components.documents.rights.unscoped import (
    GLOBAL_SERVICES,
    NO_TAGS_AT_ONCE,
    NOT_GRANTED,
    UNSCOPED_READS,
    UNSCOPED_WRITES,
)
from amplify_delivery.components.documents.statements import Statement, allow, deny, keys_of
from amplify_delivery.errors import ConfigError
from amplify_delivery.export.model import STACK_TYPE

_LOG_POLICIES = "it changes who may write into the account's log groups, that of the audit log among them"
_INCOMING = "SES compares none of its rules: it would be all of the account's incoming mail"
WITHHELD: Mapping[str, str] = {
    "AWS::Cognito::LogDeliveryConfiguration": f"{_LOG_POLICIES} (`logs:PutResourcePolicy`)",
    "AWS::Events::EventBusPolicy": "it opens any event bus of the account (`events:PutPermission`)",
    "AWS::IoT::Policy": "what it allows a device or a user in IoT, no permissions boundary limits",
    "AWS::IoT::TopicRule": "it hears every topic of the account, whatever device or environment it is of",
    "AWS::Logs::ResourcePolicy": f"{_LOG_POLICIES} (`logs:PutResourcePolicy`)",
    "AWS::Pipes::Pipe": f"{_LOG_POLICIES} (`logs:PutResourcePolicy`), for the log of a pipe",
    "AWS::SES::ReceiptFilter": _INCOMING,
    "AWS::SES::ReceiptRule": _INCOMING,
    "AWS::SES::ReceiptRuleSet": _INCOMING,
    "AWS::WAFv2::LoggingConfiguration": f"{_LOG_POLICIES} (`logs:PutResourcePolicy`)",
}
"""Types that no account gives a backend rights for, with the reason."""

EXTRA: Mapping[str, tuple[str, ...]] = {
    # Its schema lists besides what an app that is connected to CodeCommit needs; `amplify add hosting` adds a branch to
    # an app that is there.
    "AWS::Amplify::Branch": (
        "amplify:CreateBranch",
        "amplify:DeleteBranch",
        "amplify:GetBranch",
        "amplify:ListBranches",
        "amplify:ListTagsForResource",
        "amplify:TagResource",
        "amplify:UntagResource",
        "amplify:UpdateBranch",
    ),
    # That of every `@searchable` API: an older kind, whose calls are those of the service's first API.
    "AWS::Elasticsearch::Domain": (
        "es:AddTags",
        "es:CreateElasticsearchDomain",
        "es:DeleteElasticsearchDomain",
        "es:DescribeElasticsearchDomain",
        "es:DescribeElasticsearchDomainConfig",
        "es:DescribeElasticsearchDomains",
        "es:GetUpgradeStatus",
        "es:ListTags",
        "es:RemoveTags",
        "es:UpdateElasticsearchDomainConfig",
        "es:UpgradeElasticsearchDomain",
    ),
    "AWS::CodeBuild::Project": (
        "codebuild:BatchGetProjects",
        "codebuild:CreateProject",
        "codebuild:DeleteProject",
        "codebuild:UpdateProject",
    ),
    STACK_TYPE: (
        "cloudformation:CancelUpdateStack",
        "cloudformation:ContinueUpdateRollback",
        "cloudformation:CreateStack",
        "cloudformation:DeleteStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStackResources",
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
        "cloudformation:TagResource",
        "cloudformation:UntagResource",
        "cloudformation:UpdateStack",
    ),
    **PINPOINT,
    "AWS::CloudFormation::CustomResource": ("lambda:InvokeFunction",),
    # CloudFormation's own, without a call to any other service. An export's template without resources has one, and the
    # CDK adds its own.
    "AWS::CDK::Metadata": (),
    "AWS::CloudFormation::WaitCondition": (),
    "AWS::CloudFormation::WaitConditionHandle": (),
}
"""Types whose schema says nothing: of an older kind, or CloudFormation's own."""


def known_types() -> frozenset[str]:
    """The types that rights can be computed for; any `Custom::` type as well."""
    return frozenset(table()) | frozenset(EXTRA)


def actions_for(types: Iterable[str], kind: str = "change") -> frozenset[str]:
    """The actions for resources of `types`; `kind` is `change` or `read`.

    Raises `ConfigError` with all types that the table does not know.
    """
    found: set[str] = set()
    unknown = []
    types = frozenset(types)
    for name in sorted(types):
        key = "AWS::CloudFormation::CustomResource" if name.startswith("Custom::") else name
        if key in table():
            found.update(table()[key][kind])
        elif key in EXTRA:
            found.update(a for a in EXTRA[key] if kind == "change" or _reads(a))
        else:
            unknown.append(name)
    withheld = [
        f"no account gives a backend the rights for {name}: {WITHHELD[name]}" for name in unknown if name in WITHHELD
    ]
    unheard_of = ", ".join(name for name in unknown if name not in WITHHELD)
    if unknown:
        raise ConfigError(
            "; ".join(
                [*([f"it is not known what CloudFormation needs for {unheard_of}"] if unheard_of else []), *withheld]
            ),
            where="resource types",
            remedy="have the program make it beside the backend (components/), with `deployRights` or `deployPolicies` "
            "of the account, or take it out of the export",
        )
    if "AWS::KMS::Key" not in types:
        aliased = frozenset(a for a in found if "AWS::KMS::Alias" in types and a.endswith("Alias"))
        # Many schemas list the use of a customer's key, for the case that the resource is encrypted with one. Without
        # a name for that key it would mean every key of the account, that of the state among them.
        found = {a for a in found if not a.startswith("kms:")} | aliased
    return frozenset(a for a in found - NOT_GRANTED.keys() if not is_foreign_identity(a))


def program_actions(types: Iterable[str], kind: str = "change") -> frozenset[str]:
    """The actions for resources of `types` in a program, with either provider.

    `aws-native` has CloudFormation's handlers make them. The classic one calls the services itself, and not the same:
    its Read of a bucket asks for settings that the handlers never look at, and a refusal ends it.
    """
    types = frozenset(types)
    return actions_for(types, kind) | actions_for_types(types, kind)


def statements_for(
    access: EnvironmentAccess, types: Iterable[str], kind: str = "change", program: Iterable[str] = ()
) -> list[Statement]:
    """Statements that allow what resources of `types`, made by CloudFormation, and of `program`, made by the program
    itself, need: service by service, as narrow as AWS allows."""
    program = frozenset(program)
    types = expanded(types) | program
    wanted = actions_for(types, kind) | program_actions(program, kind)
    if kind == "read":
        wanted = frozenset(a for a in wanted if _reads(a) and not data_reads(a))
    scoped: dict[str, set[str]] = defaultdict(set)
    anywhere: dict[str, set[str]] = defaultdict(set)
    blind_reads: set[str] = set()
    for action in sorted(wanted - set(NOT_GRANTED)):
        service = action.split(":")[0]
        if action in UNSCOPED_WRITES:
            anywhere[service].add(action)
        elif action in UNSCOPED_READS:
            blind_reads.add(action)
        else:
            scoped[service].add(action)
    statements: list[Statement] = []
    for service, actions in sorted(scoped.items()):
        statements.extend(_scoped(access, service, actions, types, program_roles=bool(program)))
    aliases = ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias")
    if scoped.get("kms", set()) & {*aliases}:
        # Whoever moves an alias of ours has ours encrypt with a key of its own.
        ours = access.names.arn("kms", f"alias/{access.names.app}-*")
        statements.append(deny("OurAliasesStay", aliases, ours))
    if blind_reads:
        statements.append(allow("ReadsThatKnowNoResource", blind_reads, "*"))
    for service, actions in sorted(anywhere.items()):
        region = "us-east-1" if service in GLOBAL_SERVICES else access.names.region
        conditions: dict[str, dict[str, str]] = {"StringEquals": {"aws:RequestedRegion": region}}
        if service not in NO_TAGS_AT_ONCE:
            conditions |= _tags("RequestTag", access)
        statements.append(allow(f"{_word(service)}KnowsNoResource", actions, "*", conditions))
    return statements


def execution_statements(access: EnvironmentAccess) -> list[Statement]:
    """All statements of the execution role: the export's types, its objects, its roles, and what stays out of reach."""
    names = access.names
    types = expanded(access.resource_types) | {STACK_TYPE}
    functions = [arn for arn in resources_of("lambda", access, types) if ":function:" in arn]
    statements = statements_for(access, types)
    statements.append(
        allow(
            "ReadStaging",
            ["s3:GetObject", "s3:GetObjectVersion"],
            f"{names.bucket_arn(names.staging_bucket)}/*",
            {"StringEquals": {"aws:ResourceAccount": names.account}},
        )
    )
    statements.append(
        allow(
            "PassRoles",
            "iam:PassRole",
            access.backend_role_patterns,
            {"StringEquals": {"iam:PassedToService": services_passed_to(types)}},
        )
    )
    if "AWS::ApplicationAutoScaling::ScalableTarget" in types:
        # "ScalableTarget", `RoleARN`: of a table it is the service's own role, as the CDK writes it into templates.
        linked = names.iam_arn("role", "/aws-service-role/", "*.application-autoscaling.amazonaws.com/*")
        scaling = {"StringEquals": {"iam:PassedToService": "application-autoscaling.amazonaws.com"}}
        statements.append(allow("PassScalingRoles", "iam:PassRole", linked, scaling))
    statements.append(nested_stacks(access))
    statements.extend(transform_statements(names, access.resource_types))
    if any(name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource" for name in types):
        # Not part of the table: the handler of a custom resource is the export's own function.
        statements = [s for s in statements if s["Action"] != "lambda:InvokeFunction"]
        statements.append(allow("CustomResources", "lambda:InvokeFunction", functions))
    # Dynamic references, ours in the root template and a backend's own, and parameters that are called after one in
    # Parameter Store ("Dynamic references", "CloudFormation-supplied parameter types" in the user guide).
    secrets, stored = readable("secretsmanager", access), readable("ssm", access)
    statements.append(allow("Secrets", "secretsmanager:GetSecretValue", secrets))
    statements.append(allow("Stored", "ssm:GetParameters", stored))
    # A secret or a parameter may be encrypted with a key of the account's own.
    keys, endpoint = names.arn("kms", "key/*"), f"{names.region}.{names.dns_suffix}"
    statements.append(keys_of("SecretKeys", "secretsmanager", secrets, keys, endpoint))
    statements.append(keys_of("StoredKeys", "ssm", stored, keys, endpoint))
    ours = [names.project_arn(what) for what in PROJECTS]
    statements.append(deny("OurProjectsStay", "codebuild:*", ours))
    statements.extend(guards(access, nests_stacks=True))
    return statements


def secret_arns(access: EnvironmentAccess) -> list[str]:
    """The Secrets Manager secrets that hold the backend's secret parameters: named after the root stack."""
    return [access.names.arn("secretsmanager", f"secret:{access.stack_name}/*")]


def readable(service: str, access: EnvironmentAccess) -> list[str]:
    """The secrets or parameters that CloudFormation may read for a template: the environment's own, and what AWS gives
    everybody (`/aws/service/ami-...`)."""
    own = resources_of(service, access, ())
    names = access.names
    public = f"arn:{names.partition}:ssm:{names.region}::parameter/aws/service/*"
    return [*own, public] if service == "ssm" else [*secret_arns(access), *own]


def missing(access: EnvironmentAccess, types: Iterable[str]) -> list[Statement]:
    """What `deploy` lacks for resources of `types` that are not declared in the account's file."""
    lacking = set(types) - access.program_types
    return statements_for(access, (), program=lacking) if lacking else []


def _scoped(
    access: EnvironmentAccess, service: str, actions: set[str], types: frozenset[str], *, program_roles: bool
) -> Iterator[Statement]:
    resources = resources_of(service, access, types)
    if service == "iam" and "iam:UpdateAssumeRolePolicy" in actions:
        # Whoever may rewrite a role's trust may become that role; so the role must be one of ours.
        actions = actions - {"iam:UpdateAssumeRolePolicy"}
        bounded = {"StringEquals": {"iam:PermissionsBoundary": access.names.boundary_arn}}
        roles = [*access.backend_role_patterns, *([access.program_role_pattern] if program_roles else [])]
        yield allow("IamTrust", "iam:UpdateAssumeRolePolicy", roles, bounded)
        yield allow("IamAuthTrust", "iam:UpdateAssumeRolePolicy", access.auth_role_arns)
    conditions: dict[str, dict[str, str]] = {}
    if service == "s3":
        # A bucket's ARN names no account. Where there is no bucket yet, there is no owner to compare either.
        conditions = {"StringEqualsIfExists": {"aws:ResourceAccount": access.names.account}}
    elif service == "kms":
        if any(action.endswith("Alias") for action in actions):
            resources = [*resources, *key_aliases(access)]
        # Whatever keys the stack makes: ours are told by their aliases, and those of any app by their tag.
        conditions = {
            "ForAllValues:StringNotLike": {"kms:ResourceAliases": f"alias/{access.names.app}-*"},
            "Null": {f"aws:ResourceTag/{APP_TAG}": "true"},
        }
    elif service in _TAGGED:
        conditions = _tags("ResourceTag", access)
    elif "events:CreateArchive" in actions:
        # Asked of the bus whose events are kept as well, which is the account's own where a template names no other.
        yield allow("EventsArchived", "events:CreateArchive", access.names.arn("events", "event-bus/default"))
    if actions:
        yield allow(_word(service), actions, resources, conditions)


_TAGGED = frozenset(
    {
        "acm",
        "appsync",
        "cognito-identity",
        "cognito-idp",
        "elasticfilesystem",
        "lex",
        "mobiletargeting",
        "rds",
        "ses",
        "wafv2",
    }
)
"""Services whose resources have random ids, or names of another kind (an address), but carry the tags of their stack.
All document `aws:ResourceTag` for these resources; of what stands below an app of Pinpoint, none."""


def _tags(kind: str, access: EnvironmentAccess) -> dict[str, dict[str, str]]:
    """A condition that keeps away from what carries another environment's tags. Not every handler sends or reads tags,
    so what has none passes."""
    if not access.tags:
        return {}
    return {"StringEqualsIfExists": {f"aws:{kind}/{key}": value for key, value in sorted(access.tags.items())}}


def _reads(action: str) -> bool:
    return action.split(":")[1].startswith(("BatchGet", "Describe", "Get", "List", "GET"))


def _word(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("-"))

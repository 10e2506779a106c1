"""What the code of a backend never reaches, whatever its roles are given: the delivery's own things in the account.

A backend is a stranger in the account that it is deployed to. Its functions and custom resources may use their
services; state, plans, staging area, keys, audit log, projects and records are the delivery's, and decide what is
deployed next. So the boundary of its roles denies them, by name where AWS has names, else by tag. "Actions, resources,
and condition keys for AWS services" in the service authorization reference tells which.

Names of other apps' things are not known here: their buckets are told by how all of ours end, their keys by the tag
that an account's stack puts on what it makes. A policy has 6,144 characters, so what is denied wholly is one statement.
"""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import APP_TAG, ROOT_PATH
from amplify_delivery.components.documents.statements import Statement, deny

_KINDS = ("artifacts", "staging", "state")
"""What our buckets and the aliases of our keys end with, but for account and region."""

_IMAGE_CHANGES = ("ecr:*Delete*", "ecr:*Upload*", "ecr:Put*", "ecr:Set*")
_FUNCTION_CHANGES = tuple(
    f"lambda:{verb}*" for verb in ("Add", "Create", "Delete", "Publish", "Put", "Remove", "Update")
)
_BUCKET_CHANGES = tuple(f"s3:{verb}*" for verb in ("Bypass", "Create", "Delete", "Put", "Replicate"))

_DIGEST, _HASH = "?" * 64, "-????????"
_UNCUT = 20
"""Characters that a bucket's name keeps of the app's in every region, however long the rest is."""

_APP_OF, _STACK_OF = "aws:ResourceTag/user:Application", "aws:ResourceTag/user:Stack"
"""The tags that Amplify gives to every stack: the app and the environment."""


BUCKETS, TABLES, PARAMETERS = "buckets", "tables", "parameters"
NEIGHBOURS_KINDS = (BUCKETS, TABLES, PARAMETERS)
"""What of the app's other environments is denied by name, the most needed first: buckets compare no tags."""


def off_limits(access: EnvironmentAccess, kinds: Collection[str] = NEIGHBOURS_KINDS) -> list[Statement]:
    """Denials for the boundary of `access`; `kinds` of what its neighbours have are denied by name as well."""
    return [
        deny("Deliverys", "*", [*_deliverys(access), *_neighbours(access, kinds)]),
        # A bucket is reached through an access point under another ARN.
        deny("NoAccessPoints", "s3:*AccessPoint*", "*"),
        *_keys(access),
        *_published(access),
        deny("DeliverysImages", _IMAGE_CHANGES, access.names.arn("ecr", f"repository/{access.names.app.lower()}/*")),
        deny("LogsStayClosed", _all_log_groups(access), "*"),
        _other_functions(access),
        *_other_stacks(access),
    ]


def _deliverys(access: EnvironmentAccess) -> Iterator[str]:
    """Buckets, keys, logs, projects, pipelines and records of the delivery."""
    names = access.names

    def anywhere(service: str, *resources: str) -> Iterator[str]:
        """In any region: another environment's may be another one."""
        yield from (names.arn(service, resource, region="*") for resource in resources)

    yield from map(names.bucket_arn, _bucket_patterns(access))
    yield from (arn for arn in (access.state_key_arn, access.staging_key_arn) if arn)
    # Whoever turns an alias to another key has the state encrypted with that one.
    yield from anywhere("kms", *_aliases(access))
    # The audit log admits rollbacks.
    yield from anywhere("logs", f"log-group:{ROOT_PATH}*", f"log-group:/aws/codebuild/{names.app}-*")
    yield from anywhere("codebuild", f"project/{names.app}-*")
    yield from anywhere("codepipeline", f"{names.app}-*")
    # The version and the record of types.
    yield from anywhere("ssm", f"parameter{ROOT_PATH}*")
    # The secret parameters of all backends, named after root stacks (`rights.secret_arns`): CloudFormation reads them.
    yield from anywhere("secretsmanager", "secret:amplify-*-*/*")


def _bucket_patterns(access: EnvironmentAccess) -> list[str]:
    """State, plans, staging areas and artifacts of every app in the account, and what is in them.

    They are called `NAME-KIND-ACCOUNT-REGION-an`. A name that is too long, or had capitals, has a hash before the
    account; what such a name begins with is known of this app only. The staging area of a backend with Amplify's
    container API is treated apart.
    """
    names, open_staging = access.names, access.containers
    kinds = [kind for kind in _KINDS if kind != "staging" or not open_staging]
    general = {f"*-{kind}{cut}-{names.account}-*-an*" for kind in kinds for cut in ("", _HASH)}
    places = (names, *access.neighbours)
    buckets = {place.state_bucket for place in places}
    buckets |= {place.staging_bucket for place in places if place != names or not open_staging}
    rest = {bucket for bucket in buckets if not any(fnmatchcase(bucket, pattern) for pattern in general)}
    if rest and not open_staging:
        rest = {f"{names.app.lower()[:_UNCUT]}*{_HASH}-{names.account}-*-an"}
    return sorted(general | {f"{name}*" for name in rest})


def _aliases(access: EnvironmentAccess) -> list[str]:
    return [f"alias/{access.names.app}-*-{kind}" for kind in _KINDS]


def _keys(access: EnvironmentAccess) -> list[Statement]:
    """Keys of states, staging areas and artifacts, whose ARNs are random: every action on them, so that nobody takes
    away the tag or the alias that they are told by. Both count some minutes after they were made."""
    keys = access.names.arn("kms", "key/*", region="*")
    return [
        deny("DeliverysKeys", "kms:*", keys, {"Null": {f"aws:ResourceTag/{APP_TAG}": "false"}}),
        deny("KeysByAlias", "kms:*", keys, {"ForAnyValue:StringLike": {"kms:ResourceAliases": _aliases(access)}}),
    ]


def _published(access: EnvironmentAccess) -> list[Statement]:
    """Amplify's container API has a pipeline of its own, which takes the deployment bucket (the staging area here) for
    its source and its artifacts: it may write beside what is published, and nothing else."""
    if not access.containers:
        return []
    bucket = access.names.bucket_arn(access.names.staging_bucket)
    # A published key ends with a digest and the type of file; an artifact's is PIPELINE/NAME/RANDOM, and much shorter.
    return [deny("PublishedStays", _BUCKET_CHANGES, [bucket, f"{bucket}/*/{_DIGEST}*"])]


def _all_log_groups(access: EnvironmentAccess) -> list[str]:
    """What would open or change all log groups of the account at once."""
    found = ["logs:DeleteAccountPolicy", "logs:PutAccountPolicy"]
    if "AWS::StepFunctions::StateMachine" not in access.resource_types:
        # A state machine that logs lets the logs service in by itself ("Logging using CloudWatch Logs" in its guide).
        found += ["logs:DeleteResourcePolicy", "logs:PutResourcePolicy"]
    return found


def _other_functions(access: EnvironmentAccess) -> Statement:
    """Who changes a function's code has its role's rights, and nobody says that such a role carries a boundary."""
    names = access.names
    mine = (f"*-{names.environment}", f"*-{names.environment}:*", f"{names.stack_role_prefix}*", f"{names.prefix}-*")
    functions = [names.arn("lambda", f"function:{pattern}") for pattern in mine]
    statement = deny("OtherFunctionsStay", _FUNCTION_CHANGES)
    return {**statement, "NotResource": sorted([*functions, names.arn("lambda", "event-source-mapping:*")])}


def _other_stacks(access: EnvironmentAccess) -> list[Statement]:
    """Other environments of the app in this account, by the tags of their stacks."""
    if not {"user:Application", "user:Stack"} <= set(access.tags):
        return []
    conditions = {
        "Null": {_STACK_OF: "false"},
        "StringEquals": {_APP_OF: access.tags["user:Application"]},
        "StringNotEquals": {_STACK_OF: access.tags["user:Stack"]},
    }
    return [deny("OtherStacks", "*", "*", conditions)]


def _neighbours(access: EnvironmentAccess, kinds: Collection[str]) -> Iterator[str]:
    """What belongs to the app's other environments by name."""
    for other in access.neighbours:
        ends = f"*-{other.environment}"
        if BUCKETS in kinds:
            yield from (other.bucket_arn(ends), other.bucket_arn(f"{ends}/*"))
            prefix = f"amplify-{other.app}-{other.environment}-"
            if prefix.startswith(other.stack_role_prefix):
                # Not cut, so it is no other environment's prefix.
                yield other.bucket_arn(f"{prefix.lower()}*")
        if TABLES in kinds:
            yield from (other.arn("dynamodb", f"table/{ends}{tail}") for tail in ("", "/*"))
        if PARAMETERS in kinds:
            yield other.arn("ssm", f"parameter/amplify/*/{other.environment}/*")

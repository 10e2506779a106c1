"""What a service looks at when it is given it, and refuses, fails in a stack.

MiniStack takes variables of any name, two versions of a layer, a stream without a position, a queue with one, users
that are invited without a password, notifications that overlap, public policies where those are blocked, patterns
without lists, schedules on any bus, and any tag.
AWS: Lambda API Reference, Environment and CreateEventSourceMapping; Developer Guide, "Adding layers to functions",
"Defining Lambda function permissions with an execution role"; Cognito Developer Guide, "Customizing user invitation
messages", "User pool feature plans", "Adding custom attributes"; S3 User Guide, "Configuring event notifications using
object key name filtering", "Blocking public access"; EventBridge User Guide, "Creating event patterns", "Schedule
types"; IAM User Guide, "Tags for IAM resources". The sentences are what users report.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from ministack.services import iam, s3, sns, sqs

from ._documents import several, statements_of
from ._resources import Properties, before_create_or_update

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_SCHEDULE = re.compile(
    r"rate\(\s*\d+\s+(minute|hour|day)s?\s*\)|cron\(\s*\S+(\s+\S+){5}\s*\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)"
)
_OF_STREAMS = (
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)
_STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "identities"),
        *("locale", "middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture"),
        *("preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo"),
    }
)
_MARKS = frozenset("_.:/=+-@")


def apply() -> None:
    """Look at the properties first."""
    before_create_or_update({"AWS::Lambda::Function"}, _function)
    before_create_or_update({"AWS::Lambda::EventSourceMapping"}, _mapping)
    before_create_or_update({"AWS::Cognito::UserPool"}, _pool)
    before_create_or_update({"AWS::Cognito::UserPoolClient"}, _client)
    before_create_or_update({"AWS::S3::Bucket"}, _bucket)
    before_create_or_update({"AWS::S3::BucketPolicy"}, _bucket_policy)
    before_create_or_update({"AWS::Events::Rule"}, _rule)
    before_create_or_update({"AWS::Scheduler::Schedule"}, _schedule)
    before_create_or_update({"AWS::StepFunctions::StateMachine"}, _machine)
    before_create_or_update({"AWS::IAM::Role"}, _role)
    before_create_or_update({"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"}, _policy)
    before_create_or_update({"AWS::ApiGateway::RestApi"}, _rest_api)
    before_create_or_update({"AWS::ApiGateway::Model"}, _model)
    before_create_or_update({"AWS::ApiGateway::Stage"}, _stage)


def _function(new: Properties, _: Properties | None) -> Properties:
    names = (new.get("Environment") or {}).get("Variables") or {}
    if not all(_VARIABLE.fullmatch(str(name)) for name in names):
        raise ValueError(
            "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must "
            "satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
        )
    layers = [str(layer).rpartition(":") for layer in new.get("Layers") or []]
    for layer, _colon, version in layers:
        if not version.isdecimal():
            raise ValueError(f"1 validation error detected: Value '[{layer}:{version}]' at 'layers' failed to satisfy")
    if len({layer for layer, *_ in layers}) < len({tuple(parts) for parts in layers}):
        raise ValueError(
            "Two different versions of the same layer are not allowed to be referenced in the same function"
        )
    if new.get("FileSystemConfigs") and not (new.get("VpcConfig") or {}).get("SubnetIds"):
        raise ValueError("Function must be configured to execute in a VPC to reference access point")
    if not _may_assume(new.get("Role"), "lambda"):
        raise ValueError("The role defined for the function cannot be assumed by Lambda.")
    return new


def _may_assume(role: Any, service: str) -> bool:
    """Whether a role of this account lets a service assume it; one that is not there is not ours to judge."""
    found = iam._roles.get(str(role).rpartition("/")[2])
    document = (found or {}).get("AssumeRolePolicyDocument")
    if not document:
        return True
    return any(_trusts(statement, service) for statement in statements_of(document))


def _trusts(statement: dict[str, Any], service: str) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        return principal == "*"
    named = [principal.get("Service"), principal.get("AWS")]
    names = [str(item) for value in named for item in several(value)]
    return any(n == "*" or (n.split(".")[0] == service and "amazonaws" in n) for n in names)


def _mapping(new: Properties, _: Properties | None) -> Properties:
    source = str(new.get("EventSourceArn") or "")
    if (":kinesis:" in source or ":dynamodb:" in source) and not new.get("StartingPosition"):
        raise ValueError("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint")
    if ":sqs:" not in source:
        return new
    if new.get("StartingPosition"):
        raise ValueError("StartingPosition is not valid for SQS event sources.")
    for name in _OF_STREAMS:
        if new.get(name) not in (None, False, "false"):
            raise ValueError(f"Unsupported parameter for given event source mapping type: {name}")
    if int(new.get("BatchSize") or 0) > 10 and not int(new.get("MaximumBatchingWindowInSeconds") or 0):
        raise ValueError(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    return new


def _pool(new: Properties, _: Properties | None) -> Properties:
    problem = next(_of_pool(new), "")
    if problem:
        raise ValueError(problem)
    return new


def _of_pool(new: Properties) -> Iterator[str]:
    created, policies = new.get("AdminCreateUserConfig") or {}, new.get("Policies") or {}
    invitation = created.get("InviteMessageTemplate") or {}
    passwordless = (policies.get("SignInPolicy") or {}).get("AllowedFirstAuthFactors")
    for name in ("EmailMessage", "SMSMessage"):
        message = invitation.get(name)
        if message is not None and not all(
            w in message for w in ("{username}", *(() if passwordless else ("{####}",)))
        ):
            where = f"adminCreateUserConfig.inviteMessageTemplate.{name[0].lower()}{name[1:]}"
            yield f"1 validation error detected: Value at '{where}' failed to satisfy constraint"
    if any(a.get("Required") in (True, "true") and a.get("Name") not in _STANDARD for a in new.get("Schema") or []):
        yield "Required custom attributes are not supported currently."
    triggers = new.get("LambdaConfig") or {}
    if triggers.keys() & {"CustomEmailSender", "CustomSMSSender"} and not triggers.get("KMSKeyID"):
        yield "KMSKeyID is required for custom sender triggers."
    if "UnusedAccountValidityDays" in created and "TemporaryPasswordValidityDays" in (
        policies.get("PasswordPolicy") or {}
    ):
        yield "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"
    plan = new.get("UserPoolTier") or "ESSENTIALS"
    mode = (new.get("UserPoolAddOns") or {}).get("AdvancedSecurityMode")
    if plan == "ESSENTIALS" and mode in ("AUDIT", "ENFORCED"):
        yield f"The following features need to be disabled for the {plan} pricing tier configured: Threat Protection"
    tokens = (triggers.get("PreTokenGenerationConfig") or {}).get("LambdaVersion")
    if plan == "LITE" and tokens in ("V2_0", "V3_0"):
        yield f"The following features need to be disabled for the {plan} pricing tier configured: Access Token"
    asked = "EMAIL_OTP" in (new.get("EnabledMfas") or []) and new.get("MfaConfiguration") in ("ON", "OPTIONAL")
    if asked and (new.get("EmailConfiguration") or {}).get("EmailSendingAccount") != "DEVELOPER":
        yield "Email MFA requires an EmailConfiguration with EmailSendingAccount DEVELOPER"


def _client(new: Properties, _: Properties | None) -> Properties:
    secret = str(new.get("GenerateSecret", "false")).lower() == "true"
    if "client_credentials" in (new.get("AllowedOAuthFlows") or []) and not secret:
        raise ValueError("client_credentials flow can not be selected if client does not have a client secret.")
    return new


def _bucket(new: Properties, _: Properties | None) -> Properties:
    told = []
    configuration = new.get("NotificationConfiguration") or {}
    for kind in ("LambdaConfigurations", "QueueConfigurations", "TopicConfigurations"):
        for one in configuration.get(kind) or []:
            rules = ((one.get("Filter") or {}).get("S3Key") or {}).get("Rules") or []
            names = [str(rule.get("Name")).lower() for rule in rules]
            twice = next((name for name in names if names.count(name) > 1), "")
            if twice:
                raise ValueError(f"Cannot specify more than one {twice} rule in a filter.")
            found = {str(rule.get("Name")).lower(): str(rule.get("Value")) for rule in rules}
            told.append((str(one.get("Event")), found.get("prefix", ""), found.get("suffix", "")))
        for one in configuration.get(kind) or [] if kind in _POLICIES else []:
            property, policy_of = _POLICIES[kind]
            policy = policy_of(str(one.get(property)))
            if policy is not None and not _lets(policy, "s3"):
                raise ValueError("Unable to validate the following destination configurations")
    if any(_overlap(*two) for two in combinations(told, 2)):
        raise ValueError("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
    versions = (new.get("VersioningConfiguration") or {}).get("Status")
    if new.get("ReplicationConfiguration") and versions != "Enabled":
        raise ValueError("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
    return new


def _of_queue(arn: str) -> str | None:
    """The policy of a queue; None if it is not here."""
    found = next((q for q in sqs._queues.values() if q["attributes"].get("QueueArn") == arn), None)
    return found and (found["attributes"].get("Policy") or "{}")


def _of_topic(arn: str) -> str | None:
    found = sns._topics.get(arn)
    return found and (found["attributes"].get("Policy") or "{}")


_POLICIES = {"QueueConfigurations": ("Queue", _of_queue), "TopicConfigurations": ("Topic", _of_topic)}


def _lets(policy: str, service: str) -> bool:
    """Whether a policy lets a service send: not that of a new topic, which lets its owner (`aws:SourceOwner`, which
    MiniStack leaves out)."""
    allowing = (s for s in statements_of(policy) if s.get("Effect") == "Allow" and _trusts(s, service))
    return "__default_policy_ID" not in policy and any(allowing)


def _overlap(one: tuple[str, str, str], other: tuple[str, str, str]) -> bool:
    events, prefixes, suffixes = (sorted(pair, key=len) for pair in zip(one, other, strict=True))
    kinds = [event.removesuffix("*") for event in sorted(events, key=lambda e: len(e.removesuffix("*")))]
    shared = events[0] == events[1] or (kinds[0].endswith(":") and kinds[1].startswith(kinds[0]))
    return shared and prefixes[1].startswith(prefixes[0]) and suffixes[1].endswith(suffixes[0])


def _bucket_policy(new: Properties, _: Properties | None) -> Properties:
    """A bucket that says nothing blocks public policies, as every one does that was made since April 2023."""
    name = str(new.get("Bucket"))
    bucket = s3._buckets.get(name) or {}
    blocks = "_public_access_block" not in bucket or s3._public_access_blocked(
        s3.get_account_id(), name, "BlockPublicPolicy"
    )
    public = any(
        s.get("Effect") == "Allow" and s.get("Principal") in ("*", {"AWS": "*"}) and not s.get("Condition")
        for s in statements_of(new.get("PolicyDocument"))
    )
    _of_its_bucket(name, statements_of(new.get("PolicyDocument")))
    if public and blocks:
        raise ValueError("because public policies are blocked by the BlockPublicPolicy block public access setting.")
    return new


_OF_OBJECTS = re.compile(r"s3:(Get|Put|Delete|Restore|Replicate)Object(Version)?(Acl|Tagging|Torrent)?", re.IGNORECASE)
_OF_BUCKETS = re.compile(
    r"s3:(List(Bucket|BucketVersions|BucketMultipartUploads)|GetBucket(Location|Acl|Policy|Versioning|CORS))",
    re.IGNORECASE,
)


def _of_its_bucket(name: str, statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        resources = _texts(statement.get("Resource"))
        buckets = {r.rpartition(":::")[2].partition("/")[0] for r in resources if ":::" in r}
        if any("*" not in bucket and bucket != name for bucket in buckets):
            raise ValueError("Policy has invalid resource")
        kinds = set(map(_is_of_objects, resources))
        for action in _texts(statement.get("Action")):
            if (kinds == {False} and _OF_OBJECTS.fullmatch(action)) or (
                kinds == {True} and _OF_BUCKETS.fullmatch(action)
            ):
                raise ValueError("Action does not apply to any resource(s) in statement")


def _is_of_objects(resource: str) -> bool | None:
    """Whether a policy's resource is objects, or a bucket; None for what may be either."""
    named, slash, _ = resource.rpartition(":::")[2].partition("/")
    return bool(slash) if ":::" in resource and (slash or "*" not in named) else None


def _rule(new: Properties, _: Properties | None) -> Properties:
    pattern = new.get("EventPattern")
    name = next(_no_lists(json.loads(pattern) if isinstance(pattern, str) else pattern), "")
    if name:
        raise ValueError(f'Event pattern is not valid. Reason: "{name}" must be an object or an array')
    bus = str(new.get("EventBusName") or "default").rpartition("/")[2]
    if new.get("ScheduleExpression") and bus != "default":
        raise ValueError("ScheduleExpression is supported only on the default event bus.")
    return new


def _no_lists(pattern: Any) -> Iterator[str]:
    for name, value in pattern.items() if isinstance(pattern, dict) else ():
        if isinstance(value, dict):
            yield from _no_lists(value)
        elif not isinstance(value, list) or not value:
            yield name


def _of_time(expression: str) -> None:
    if not _SCHEDULE.fullmatch(expression):
        raise ValueError(f"Invalid Schedule Expression {expression}.")
    if expression.startswith("cron("):
        _minute, _hour, day, _month, weekday, _year = expression[5:-1].split()
        if "?" not in (day, weekday):
            raise ValueError(f"Invalid Schedule Expression {expression}.")


def _schedule(new: Properties, _: Properties | None) -> Properties:
    _of_time(str(new.get("ScheduleExpression")))
    if not _may_assume((new.get("Target") or {}).get("RoleArn"), "scheduler"):
        raise ValueError("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
    return new


def _machine(new: Properties, _: Properties | None) -> Properties:
    if not _may_assume(new.get("RoleArn"), "states"):
        raise ValueError(
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
            "the provided role."
        )
    return new


def _policy(new: Properties, _: Properties | None) -> Properties:
    for statement in statements_of(new.get("PolicyDocument")):
        for resource in _texts(statement.get("Resource", statement.get("NotResource"))):
            parts = resource.split(":", 5)
            if resource != "*" and ((len(parts) < 6 and not resource.endswith("*")) or parts[0] not in ("arn", "*")):
                raise ValueError(f'Resource {resource} must be in ARN format or "*".')
            if len(parts) == 6 and parts[2] == "iam" and parts[3] not in ("", "*"):
                raise ValueError(f"IAM resource {resource} cannot contain region information.")
        for action in _texts(statement.get("Action", statement.get("NotAction"))):
            if action != action.strip() or (action.startswith("*:") and action != "*:*"):
                raise ValueError("The policy failed legacy parsing")
    return new


def _texts(given: Any) -> list[str]:
    return [one for one in several(given) if isinstance(one, str)]


def _rest_api(new: Properties, _: Properties | None) -> Properties:
    body = new.get("Body") if isinstance(new.get("Body"), dict) else {}
    for path in (body or {}).get("paths") or {}:
        if re.search(r"\+\}/.", path):
            raise ValueError(f"Cannot create a child of a resource with a greedy path variable: {path}")
    return new


def _model(new: Properties, _: Properties | None) -> Properties:
    if not str(new.get("Name") or "a").isalnum():
        raise ValueError(f"Model name must be alphanumeric: {new.get('Name')}")
    return new


def _stage(new: Properties, _: Properties | None) -> Properties:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(new.get("StageName") or "a")):
        raise ValueError("Stage name only allows a-zA-Z0-9_-")
    return new


def _role(new: Properties, _: Properties | None) -> Properties:
    """Tags, which a stack's are among."""
    keys = [str(tag.get("Key")) for tag in new.get("Tags") or []]
    for place, tag in enumerate(new.get("Tags") or [], 1):
        for part in ("Key", "Value"):
            if any(c not in _MARKS and unicodedata.category(c)[0] not in "LZN" for c in str(tag.get(part))):
                raise ValueError(
                    f"1 validation error detected: Value '{tag.get(part)}' at 'tags.{place}.member.{part.lower()}' "
                    "failed to satisfy constraint: Member must satisfy regular expression pattern: "
                    r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"
                )
    if len({key.lower() for key in keys}) < len(keys):
        raise ValueError("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    return new


def probe(aws: Any) -> bool:
    """A rule with a pattern without lists, and a pool that requires an attribute of its own, fail their stacks."""
    rule = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": {"source": "aws.s3"}}}
    schema = [{"Name": "tenant", "AttributeDataType": "String", "Required": True}]
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {"Schema": schema}}
    return all(aws.stack({"Wrong": resource}) == "ROLLBACK_COMPLETE" for resource in (rule, pool))

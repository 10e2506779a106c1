"""What UpdatePipeline may change: this pipeline's own resources, and of its roles the list of action roles, and tags.

Whoever can write the role that the action roles trust could assume them. So the one thing it may write there is the
inline policy, which needs a line per environment; the pipeline role's boundary keeps that to action roles and
artifacts. Its own rights, all trust policies and all boundaries are for a person with `pulumi up`.
"""

from collections.abc import Sequence

from amplify_delivery.components.documents.naming import (
    EVENT_RULES,
    LEASES_PREFIX,
    PIPELINE_TAG,
    STATE_PREFIX,
    TAGS,
    PipelineNames,
)
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.notifications import service_role
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    S3Source,
)
from amplify_delivery.components.documents.statements import (
    PolicyDocument,
    Statement,
    actions_of,
    allow,
    deny,
    document,
    keys_of,
)

ROLE_READS = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
    "iam:ListRoleTags",
)
POLICY_READS = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions")
BUCKET_READS = ("s3:GetAccelerateConfiguration", "s3:GetReplicationConfiguration")
"""What the provider's Read of a bucket asks for beside `s3:GetBucket*` and the settings; a refusal ends it."""
BUCKET_TAGS = ("s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource")
"""S3's newer calls for tags, which the provider tries before `s3:PutBucketTagging`."""
BUCKET_SETTINGS = (
    "BucketOwnershipControls",
    "BucketPolicy",
    "BucketPublicAccessBlock",
    "BucketTagging",
    "BucketVersioning",
    "EncryptionConfiguration",
    "LifecycleConfiguration",
)

SERVICES = (
    "codebuild",
    "codeconnections",
    "codepipeline",
    "codestar-connections",
    "codestar-notifications",
    "events",
    "kms",
    "logs",
    "s3",
    "sns",
)
"""The services of a pipeline's resources."""


def update_statements(model: PipelineModel) -> list[Statement]:
    """The rights of UpdatePipeline's project role, beside its log and the artifact key."""
    names = model.names
    found = [
        *_pipeline(names),
        *_roles(names),
        *_storage(names),
        *_state(model),
        *_events(names),
        *_cloud_control(names),
    ]
    source = model.source
    if isinstance(source, ConnectionSource):
        for sid, service in (("Connection", "codeconnections"), ("OlderConnection", "codestar-connections")):
            # To be passed on, not to be used: whoever may use it reads and writes every repository behind it.
            passed = {"StringEquals": {f"{service}:PassedToService": "codepipeline.amazonaws.com"}}
            found.append(allow(sid, f"{service}:PassConnection", source.connection, passed))
    if isinstance(source, GitHubTokenSource):
        webhook = names.arn("codepipeline", f"webhook:{names.webhook}")
        actions = [f"codepipeline:{verb}Webhook" for verb in ("Delete", "Put")]
        actions += [f"codepipeline:{verb}WebhookWithThirdParty" for verb in ("Deregister", "Register")]
        found.append(allow("Webhook", actions, [webhook, names.pipeline_arn]))
        # Cloud Control finds a webhook by listing all of them.
        found.append(allow("Webhooks", "codepipeline:ListWebhooks", names.arn("codepipeline", "webhook:*")))
    if model.before:
        # What was cancelled by a change is started again with what it was started with.
        found.append(allow("HandedOn", "codepipeline:GetPipelineExecution", names.pipeline_arn))
    if isinstance(source, S3Source):
        found.append(allow("SourceBucket", "s3:GetBucketVersioning", names.bucket_arn(source.bucket)))
    return [*found, *_of_source(model), *_token_key(model)]


def _of_source(model: PipelineModel) -> list[Statement]:
    """Of services that no other source has: they stand in the boundary as they stand in the policy."""
    names, source = model.names, model.source
    if isinstance(source, GitHubTokenSource):
        # The program reads the token whenever it runs.
        return [allow("Token", "secretsmanager:GetSecretValue", _token(names, source))]
    if isinstance(source, CodeCommitSource):
        return [allow("Repository", "codecommit:GetRepository", names.arn("codecommit", source.repository))]
    return []


def _token(names: PipelineNames, source: GitHubTokenSource) -> str:
    """Secrets Manager puts six random characters behind a name."""
    whole = source.token_secret.startswith("arn:")
    return source.token_secret if whole else names.arn("secretsmanager", f"secret:{source.token_secret}-??????")


def _token_key(model: PipelineModel) -> list[Statement]:
    """Use of the key that a customer has encrypted the token with."""
    names, source = model.names, model.source
    if not isinstance(source, GitHubTokenSource):
        return []
    secret = _token(names, source)
    _, _, _, region, account, *_ = secret.split(":")
    keys, endpoint = f"arn:{names.partition}:kms:{region}:{account}:key/*", f"{region}.{names.dns_suffix}"
    return [keys_of("TokenKey", "secretsmanager", [secret], keys, endpoint)]


def update_boundary(model: PipelineModel, pull: Sequence[Statement] = ()) -> PolicyDocument:
    """The most that UpdatePipeline can ever do: no role that an action role trusts is made, trusted again or assumed in
    it. `pull` is what its image needs."""
    names = model.names
    own_role = names.role_arn()
    services = [f"{service}:*" for service in SERVICES]
    # What is only being made has no account yet.
    own = {"StringEqualsIfExists": {"aws:ResourceAccount": names.account}}
    return PolicyDocument(
        name=names.boundary("update"),
        path=names.path,
        description=f"The most that the update of {names.pipeline} can do",
        document=document(
            [
                allow("PipelineResources", services, "*", own),
                # Cloud Control and what it lists have no resource, and so no account.
                allow("NoResource", [*_CLOUD_CONTROL, *_LISTS, "kms:CreateKey"], "*"),
                allow("RoleReads", [*ROLE_READS, *POLICY_READS], _own_iam(names)),
                allow("ActionRoleList", "iam:PutRolePolicy", own_role),
                allow("PassOwnRoles", "iam:PassRole", names.iam_arn("role", names.path, "*")),
                *_iam_tags(names),
                service_role(names),
                *_of_source(model),
                # Keys of its own account are among the pipeline's resources.
                *(key for key in _token_key(model) if key["Resource"].split(":")[4] != names.account),
                *pull,
                deny("NoOtherIdentity", "sts:*", "*"),
                deny("NoOtherKey", _KEY_POWERS, names.arn("kms", "key/*", region="*"), _not_ours(names)),
            ]
        ),
        arn=names.boundary_arn("update"),
    )


def _own_iam(names: PipelineNames) -> list[str]:
    return [names.iam_arn(kind, names.path, "*") for kind in ("role", "policy")]


def _pipeline(names: PipelineNames) -> list[Statement]:
    groups = [names.arn("logs", f"log-group:{names.project_log_group(what)}") for what in ("build", "update")]
    return [
        allow(
            "Pipeline",
            actions_of(
                "codepipeline",
                "GetPipeline GetPipelineState ListPipelineExecutions ListTagsForResource "
                "StartPipelineExecution TagResource UntagResource UpdatePipeline",
            ),
            names.pipeline_arn,
        ),
        allow(
            "Projects",
            ["codebuild:BatchGetProjects", "codebuild:UpdateProject"],
            [names.project_arn(what) for what in ("build", "update")],
        ),
        allow(
            "LogGroups",
            actions_of(
                "logs", "GetDataProtectionPolicy ListTagsForResource PutRetentionPolicy TagResource UntagResource"
            ),
            # AWS asks for the group's ARN with `:*` behind it in some calls, and without in others.
            [arn for group in groups for arn in (group, f"{group}:*")],
        ),
    ]


def _roles(names: PipelineNames) -> list[Statement]:
    def passed(sid: str, service: str, *roles: str) -> Statement:
        condition = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
        return allow(sid, "iam:PassRole", [names.role_arn(role) for role in roles], condition)

    return [
        allow("RoleReads", [*ROLE_READS, *POLICY_READS], _own_iam(names)),
        allow("ActionRoleList", "iam:PutRolePolicy", names.role_arn()),
        *_iam_tags(names),
        passed("PassPipelineRole", "codepipeline", ""),
        passed("PassProjectRoles", "codebuild", "build", "update"),
        passed("PassTriggerRole", "events", "trigger"),
    ]


def _storage(names: PipelineNames) -> list[Statement]:
    # A new environment may be the first one of its region: so the bucket's name has any region in it.
    bucket = names.artifact_bucket_pattern
    here = names.bucket_arn(names.artifact_bucket(names.region))
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    alias = {"kms:ResourceAliases": names.artifact_key_alias}
    key = names.arn("kms", "key/*", region="*")
    settings = [f"s3:{verb}{setting}" for verb in ("Get", "Put") for setting in BUCKET_SETTINGS]
    changes = actions_of(
        "kms", "DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy"
    )
    return [
        allow(
            "ArtifactBuckets",
            ["s3:CreateBucket", "s3:GetBucket*", "s3:ListBucket", *BUCKET_READS, *BUCKET_TAGS, *settings],
            bucket,
        ),
        allow("Artifact", ["s3:GetObject", "s3:GetObjectVersion"], f"{here}/*", own),
        allow("NewKey", "kms:CreateKey", "*", _tagged_as_ours(names)),
        # Tags of a new key are a right of their own, on a key that has neither ARN nor tags yet. Without an alias is
        # all that can be said of it: so no key with one can be tagged as ours.
        allow("TagNewKey", "kms:TagResource", key, {**_tagged_as_ours(names), "Null": {"kms:ResourceAliases": "true"}}),
        # By tag and alias. A new key has no alias yet, and may be without for five minutes after it was given one ("Use
        # aliases to control access to KMS keys"): so no other alias, rather than this one.
        allow("Keys", [*changes, "kms:CreateAlias"], key, {**_ours(names), "ForAllValues:StringEquals": alias}),
        allow(
            "KeyTags",
            ["kms:TagResource", "kms:UntagResource"],
            key,
            {**_ours(names), "ForAnyValue:StringEquals": alias, **_no_tag_of_ours()},
        ),
        allow("Alias", "kms:CreateAlias", names.arn("kms", names.artifact_key_alias, region="*")),
    ]


def _state(model: PipelineModel) -> list[Statement]:
    names, other = model.names, model.program
    project, stack = (other.project, other.stack) if other else (names.app, names.name)
    bucket = names.bucket_arn(names.state_bucket)
    own = {"StringEquals": {"aws:ResourceAccount": names.account}}
    return [
        allow(
            "State",
            ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            # The bucket is that of all pipelines of the app: a lease is one's own.
            [f"{bucket}/{STATE_PREFIX}*", f"{bucket}/{LEASES_PREFIX}{project}/{stack}.json"],
            own,
        ),
        allow("LeaseHolders", "codebuild:BatchGetBuilds", names.project_arn("update")),
        allow("StateList", ["s3:GetBucketLocation", "s3:ListBucket"], bucket, own),
        allow(
            "StateKey",
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            names.arn("kms", "key/*"),
            {"ForAnyValue:StringEquals": {"kms:ResourceAliases": names.state_key_alias}},
        ),
    ]


def _events(names: PipelineNames) -> list[Statement]:
    rules = (
        "DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets TagResource "
        "UntagResource"
    )
    notes = "CreateNotificationRule DeleteNotificationRule DescribeNotificationRule UpdateNotificationRule"
    own = [names.event_rule(what) for what in EVENT_RULES]
    note = names.arn("codestar-notifications", "notificationrule/*")
    tagging = ["codestar-notifications:TagResource", "codestar-notifications:UntagResource"]
    topic = names.arn("sns", names.topic)
    return [
        # By their whole names: what `main-` begins with may be another pipeline's, `main-two`.
        allow("Rules", actions_of("events", rules), [names.arn("events", f"rule/{rule}") for rule in own]),
        allow(
            "Notifications",
            actions_of("codestar-notifications", notes),
            note,
            {"StringEquals": {"codestar-notifications:NotificationsForResource": names.pipeline_arn}},
        ),
        service_role(names),
        # Tagging does not know what a rule is about. A new one is tagged in its creation, with our tag among all.
        allow("TagNewNotifications", tagging[0], note, _tagged_as_ours(names)),
        allow("TagNotifications", tagging, note, {**_ours(names), **_no_tag_of_ours()}),
        # A target has no ARN of its own. The provider deletes it after a change of targets, unless a rule names it.
        allow("NotificationTargets", "codestar-notifications:DeleteTarget", "*", _here(names)),
        # A subscription's ARN is its topic's with an id behind it. What is asked for it, SNS refuses by its topic's.
        allow("Topic", actions_of("sns", _TOPIC_ACTIONS), [topic, f"{topic}:*"]),
        # Nobody's queue, function or server: whoever is told is told by e-mail.
        allow("Subscribers", "sns:Subscribe", topic, {"StringEquals": {"sns:Protocol": "email"}}),
    ]


_TOPIC_ACTIONS = (
    "CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes ListTagsForResource SetTopicAttributes "
    "TagResource Unsubscribe UntagResource"
)


def _iam_tags(names: PipelineNames) -> list[Statement]:
    """Tags of the pipeline's roles and boundaries, but those that policies hang on."""
    roles, policies = (names.iam_arn(kind, names.path, "*") for kind in ("role", "policy"))
    return [
        allow("RoleTags", ["iam:TagRole", "iam:UntagRole"], roles, _no_tag_of_ours()),
        allow("BoundaryTags", ["iam:TagPolicy", "iam:UntagPolicy"], policies, _no_tag_of_ours()),
    ]


_KEY_POWERS = ("kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")

_CLOUD_CONTROL = ("cloudformation:CancelResourceRequest", "cloudformation:UpdateResource")
_LISTS = (
    "cloudformation:GetResource",
    "cloudformation:GetResourceRequestStatus",
    "codestar-notifications:ListNotificationRules",
    "kms:ListAliases",
    "kms:ListKeys",
    "logs:DescribeIndexPolicies",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
)


def _cloud_control(names: PipelineNames) -> list[Statement]:
    return [allow("CloudControl", _CLOUD_CONTROL, "*", _here(names)), allow("Lists", _LISTS, "*")]


def _tagged_as_ours(names: PipelineNames) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{PIPELINE_TAG}": names.tag}}


def _ours(names: PipelineNames) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:ResourceTag/{PIPELINE_TAG}": names.tag}}


def _not_ours(names: PipelineNames) -> dict[str, dict[str, str]]:
    return {"StringNotEquals": {f"aws:ResourceTag/{PIPELINE_TAG}": names.tag}}


def _no_tag_of_ours() -> dict[str, dict[str, str]]:
    return {"ForAllValues:StringNotLike": {"aws:TagKeys": f"{TAGS}*"}}


def _here(names: PipelineNames) -> dict[str, dict[str, str]]:
    return {"StringEquals": {"aws:RequestedRegion": names.region}}

"""The pipeline in the tooling account: artifacts, roles, projects, CodePipeline, and what starts it and tells of it."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_aws_native as native

from amplify_delivery.components import declared
from amplify_delivery.components.documents.account.storage import KEY_DAYS
from amplify_delivery.components.documents.environment import BuildEnvironment
from amplify_delivery.components.documents.limits import (
    check_definition,
    check_model,
    check_projects,
    check_resource_policies,
    check_roles,
)
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.pipeline.definition import definition_digest, pipeline_properties
from amplify_delivery.components.documents.pipeline.model import ArtifactStore, PipelineModel
from amplify_delivery.components.documents.pipeline.notifications import notification_rule, start_rules, topic_policy
from amplify_delivery.components.documents.pipeline.pipeline_documents import PipelineDocuments, pipeline_documents
from amplify_delivery.components.documents.pipeline.source_models import GitHubTokenSource
from amplify_delivery.components.documents.statements import to_json
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.components.first_notification import UntilServiceHasItsRole
from amplify_delivery.components.private_bucket import PrivateBucketArgs, private_bucket

ARTIFACT_DAYS = 365
"""How long artifacts stay: as long a stage can be rolled back to them."""


_Buckets = dict[str, aws.s3.Bucket]
_Stores = dict[str, tuple[pulumi.Resource, ...]]
_Keys = dict[str, aws.kms.Key]


@dataclass(frozen=True)
class DeliveryPipelineArgs:
    """Arguments of `DeliveryPipeline`."""

    model: PipelineModel
    """The pipeline; without `stores`, which the component makes, and without a token."""
    build: BuildEnvironment = field(default_factory=BuildEnvironment)
    """Where Build and UpdatePipeline run."""
    engine: EngineDownload | None = None
    """Where builds get the engine from, if it is not in their image."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of Build from Secrets Manager: `NAME`, or `NAME:KEY` of a JSON secret."""
    regional: Mapping[str, pulumi.ProviderResource] = field(default_factory=dict)
    """A provider `aws` for each further region of the model."""
    token: pulumi.Input[str] | None = None
    """The personal access token of a `GitHubTokenSource`."""
    schedule: str | None = None
    """Starts the pipeline also at these times: an EventBridge expression, UTC."""
    emails: tuple[str, ...] | None = None
    """Who is told of executions, through a topic of the pipeline's own; None: there is no topic."""
    protect: bool = True
    """Refuse to destroy the artifact buckets and their keys."""


class DeliveryPipeline(pulumi.ComponentResource):
    """Source, Build, UpdatePipeline, PublishAssets, and for each stage Plan, Approve and Deploy.

    Whatever AWS would refuse is refused before anything is declared. Projects and actions per environment are always
    the same number, however many files an export has. It wants two providers of the tooling account, `aws` and
    `aws-native`.
    """

    pipeline_name: pulumi.Output[str]
    pipeline_arn: pulumi.Output[str]
    role_arn: pulumi.Output[str]
    """The one role that the action roles let in."""
    artifact_buckets: pulumi.Output[Mapping[str, str]]
    """The artifact bucket of each region."""
    topic_arn: pulumi.Output[str | None]
    """The topic of notifications, if there is one."""
    definition_digest: pulumi.Output[str]
    """SHA-256 of the definition: it changes if and only if the pipeline does."""

    def __init__(self, name: str, args: DeliveryPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amplify-delivery:index:DeliveryPipeline", name, None, opts)
        names = args.model.names
        with as_run_error():
            model = with_placeholders(args.model)
            check_model(model)
            properties = pipeline_properties(model)
            check_definition(properties)
            documents = pipeline_documents(model, build=args.build, engine=args.engine, secrets=args.secrets)
            check_roles(documents.roles, (*documents.boundaries, *documents.policies))
            check_projects(documents.projects)
            for region in model.store_regions:
                readers = model.environments
                check_resource_policies(
                    bucket_policy(names, region, readers, model.organization),
                    key_policy(names, region, readers, model.organization),
                    region,
                )

        buckets, stores, keys = self._stores(name, args)
        known: dict[str, pulumi.Input[str]] = {_key_placeholder(model, r): key.arn for r, key in keys.items()}
        if isinstance(model.source, GitHubTokenSource) and args.token is not None:
            known[_TOKEN] = pulumi.Output.secret(args.token)
        made = self._roles_and_projects(documents, keys[names.region])
        pipeline = native.codepipeline.Pipeline(
            name,
            **_arguments(properties, known),
            # It starts by itself, and its first update must not meet the engine still at work on its stores. A store
            # that is only kept can go without the pipeline.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*made, *(part for r in args.model.regions for part in stores[r])]
            ),
        )
        self._starts(args, pipeline, made)
        topic = self._notifications(name, args, pipeline)
        if isinstance(model.source, GitHubTokenSource) and not model.source.poll:
            self._webhook(name, args, pipeline)

        self.pipeline_name = pipeline.name.apply(lambda _: names.pipeline)
        self.pipeline_arn = pipeline.id.apply(lambda _: names.pipeline_arn)
        self.role_arn = pulumi.Output.from_input(names.role_arn())
        self.artifact_buckets = pulumi.Output.all(**{r: bucket.bucket for r, bucket in buckets.items()})
        self.topic_arn = topic.arn if topic else pulumi.Output.from_input(None)
        self.definition_digest = pulumi.Output.from_input(definition_digest(properties))
        self.register_outputs(
            {
                "pipeline_name": self.pipeline_name,
                "pipeline_arn": self.pipeline_arn,
                "role_arn": self.role_arn,
                "artifact_buckets": self.artifact_buckets,
                "topic_arn": self.topic_arn,
                "definition_digest": self.definition_digest,
            }
        )

    def _stores(self, name: str, args: DeliveryPipelineArgs) -> tuple[_Buckets, _Stores, _Keys]:
        """An artifact bucket and its key in each region: opened to the environments of that region, for reading. And
        all that belongs to them, to depend on."""
        names, environments = args.model.names, args.model.environments
        buckets, stores, keys = {}, {}, {}
        for region in args.model.store_regions:
            provider = None if region == names.region else args.regional[region]
            kept = pulumi.ResourceOptions(parent=self, protect=args.protect, provider=provider)
            key = aws.kms.Key(
                f"{name}-{region}",
                description=f"Artifacts of {names.pipeline}",
                enable_key_rotation=True,
                deletion_window_in_days=KEY_DAYS,
                policy=to_json(key_policy(names, region, environments, args.model.organization)),
                opts=kept,
            )
            # Policies of the target accounts know the key by its alias: its ARN is random.
            alias = aws.kms.Alias(f"{name}-{region}", name=names.artifact_key_alias, target_key_id=key.id, opts=kept)
            bucket_args = PrivateBucketArgs(
                names.artifact_bucket(region),
                to_json(bucket_policy(names, region, environments, args.model.organization)),
                key_arn=key.arn,
                objects_days=ARTIFACT_DAYS,
            )
            made = private_bucket(f"{name}-{region}", bucket_args, self, protect=args.protect, provider=provider)
            buckets[region], keys[region] = made.bucket, key
            stores[region] = (*made.whole, key, alias)
        return buckets, stores, keys

    def _roles_and_projects(self, documents: PipelineDocuments, key: aws.kms.Key) -> list[pulumi.Resource]:
        child = pulumi.ResourceOptions(parent=self)
        managed = {p.arn: declared.managed_policy(p, child) for p in (*documents.boundaries, *documents.policies)}
        roles: dict[str, list[pulumi.Resource]] = {}
        for document in documents.roles:
            after = [managed[arn] for arn in (document.boundary, *document.managed_policies) if arn]
            roles[document.arn] = declared.classic_role(document, child, after)
        projects = [declared.project(p, child, roles[p.role_arn], key_arn=key.arn) for p in documents.projects]
        return [*managed.values(), *(made for role in roles.values() for made in role), *projects]

    def _starts(
        self, args: DeliveryPipelineArgs, pipeline: native.codepipeline.Pipeline, after: Iterable[pulumi.Resource]
    ) -> None:
        """EventBridge rules that start the pipeline."""
        names = args.model.names
        for rule_name, rule in start_rules(args.model, args.schedule).items():
            made = aws.cloudwatch.EventRule(
                rule_name,
                name=rule_name,
                description=f"Starts {names.pipeline}",
                schedule_expression=rule.get("schedule_expression"),
                event_pattern=rule.get("event_pattern"),
                opts=pulumi.ResourceOptions(parent=self),
            )
            aws.cloudwatch.EventTarget(
                rule_name,
                rule=made.name,
                arn=names.pipeline_arn,
                role_arn=names.role_arn("trigger"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[pipeline, *after]),
            )

    def _notifications(
        self, name: str, args: DeliveryPipelineArgs, pipeline: native.codepipeline.Pipeline
    ) -> aws.sns.Topic | None:
        if args.emails is None:
            return None
        names, child = args.model.names, pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(name, name=names.topic, opts=child)
        opened = aws.sns.TopicPolicy(name, arn=topic.arn, policy=to_json(topic_policy(names)), opts=child)
        for email in args.emails:
            aws.sns.TopicSubscription(email, topic=topic.arn, protocol="email", endpoint=email, opts=child)
        rule = notification_rule(names, names.arn("sns", names.topic))
        aws.codestarnotifications.NotificationRule(
            name,
            name=rule["Name"],
            detail_type=rule["DetailType"],
            event_type_ids=rule["EventTypeIds"],
            resource=rule["Resource"],
            targets=[aws.codestarnotifications.NotificationRuleTargetArgs(type="SNS", address=topic.arn)],
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[pipeline, opened],
                hooks=pulumi.ResourceHookBinding(on_error=[UntilServiceHasItsRole(name).hook]),
            ),
        )
        return topic

    def _webhook(self, name: str, args: DeliveryPipelineArgs, pipeline: native.codepipeline.Pipeline) -> None:
        """GitHub calls it at each push, and signs with a secret of its own: never with the token itself."""
        # Made once: the engine's state keeps it, encrypted.
        secret = pulumi.Stash(
            f"{name}-webhook",
            input=pulumi.Output.secret(secrets.token_urlsafe(32)),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["input"]),
        )
        native.codepipeline.Webhook(
            name,
            name=args.model.names.webhook,
            authentication=native.codepipeline.WebhookAuthentication.GITHUB_HMAC,
            authentication_configuration=native.codepipeline.WebhookAuthConfigurationArgs(secret_token=secret.output),
            filters=[native.codepipeline.WebhookFilterRuleArgs(json_path="$.ref", match_equals="refs/heads/{Branch}")],
            register_with_third_party=True,
            target_action="Source",
            target_pipeline=args.model.names.pipeline,
            target_pipeline_version=1,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[pipeline]),
        )


_TOKEN = "token of the source"  # noqa: S105 - stands for it until the definition is complete


def _key_placeholder(model: PipelineModel, region: str) -> str:
    """Stands for the ARN of a region's key, which only AWS knows: of the same length, so that sizes can be checked."""
    return model.names.arn("kms", "key/00000000-0000-0000-0000-000000000000", region=region)


def with_placeholders(model: PipelineModel) -> PipelineModel:
    """The model with stores whose keys are not known yet, as its definition is checked and counted."""
    stores = tuple(
        ArtifactStore(region, model.names.artifact_bucket(region), _key_placeholder(model, region))
        for region in model.regions
    )
    return replace(model, stores=stores, token=_TOKEN)


def _arguments(properties: Mapping[str, Any], known: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
    """CloudFormation's properties as the SDK's arguments, with what only AWS knows in the placeholders' places."""
    return {_snake_case(key): _argument(value, known) for key, value in properties.items()}


def _argument(value: Any, known: Mapping[str, pulumi.Input[str]]) -> Any:
    if isinstance(value, Mapping):
        return {
            # The keys of a configuration are its own: nothing translates them.
            key[:1].lower() + key[1:]: _values(item, known) if key == "Configuration" else _argument(item, known)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_argument(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


def _values(configuration: Mapping[str, str], known: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    return {key: known.get(value, value) for key, value in configuration.items()}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()

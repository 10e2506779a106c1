"""The program of a pipeline, in the tooling account. After the first time the pipeline runs it by itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pulumi
import pulumi_aws as aws

from amplify_delivery.components import lost_state
from amplify_delivery.components.delivery_pipeline import DeliveryPipeline, DeliveryPipelineArgs
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import GitHubTokenSource
from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
from amplify_delivery.components.remembered import unchanged
from amplify_delivery.stacks.access import build_environment, engine_download
from amplify_delivery.stacks.config import PipelineConfig
from amplify_delivery.stacks.config.program import pipeline_config, running
from amplify_delivery.stacks.inputs import is_adopting
from amplify_delivery.stacks.model import pipeline_model
from amplify_delivery.stacks.sources import source_digest


def program() -> None:
    """Make the pipeline that the stack file describes."""
    config, here = pipeline_config(), running()
    model = pipeline_model(here.project, pulumi.get_project(), here.stack, config)

    _warn_of_own_credentials(config, here.project.file(here.stack).name, here.stack)
    tags = {**config.tags, **model.names.tags}
    regions = model.store_regions
    access = {region: Access(config.account, region, config.profile, config.role_arn, tags) for region in regions}
    same_place = unchanged(
        "place",
        {"account": config.account, "region": config.region},
        "put it back, or make a new Pulumi stack for the new place (`pulumi stack init`) and destroy this one",
        lost_state.first_create(
            "first-create",
            access[config.region],
            partial(lost_state.running, names=model.names),
            held=lost_state.held_by("DeliveryPipeline", here.stack),
            adopting=is_adopting(),
        ),
    )
    # Elsewhere, nothing at all is planned: neither buckets nor the role that action roles trust would move.
    only_here = pulumi.ResourceOptions(depends_on=same_place.apply(lambda _: []))
    provider = aws_provider("aws", access[config.region], only_here)
    pipeline = DeliveryPipeline(
        here.stack,
        arguments(
            config,
            model,
            regional={r: aws_provider(f"aws-{r}", access[r], only_here) for r in regions if r != config.region},
            token=token(config, provider),
        ),
        pulumi.ResourceOptions(providers=[provider, aws_native_provider("native", access[config.region], only_here)]),
    )

    pulumi.export("account", config.account)
    pulumi.export("region", config.region)
    pulumi.export("pipeline", pipeline.pipeline_name)
    pulumi.export("role", pipeline.role_arn)
    pulumi.export("artifactBuckets", pipeline.artifact_buckets)
    pulumi.export("topic", pipeline.topic_arn)
    pulumi.export("definitionDigest", pipeline.definition_digest)
    pulumi.export("sourceDigest", source_digest(here.project.directory))


def _warn_of_own_credentials(config: PipelineConfig, file: str, stack: str) -> None:
    """UpdatePipeline runs the program as well, and would fail only when a push changes the pipeline."""
    for key, value in (("profile", config.profile), ("roleArn", config.role_arn)):
        if value:
            pulumi.log.warn(
                f"{file}: `{key}` is for whoever runs `pulumi up`. UpdatePipeline runs this program as well, and its "
                "build has neither your profiles nor the right to assume a role: the first push that changes the "
                f"pipeline would fail there. Remove it (`pulumi config rm {key} -s {stack}`), and have the SDK of AWS "
                "find your credentials (`AWS_PROFILE`)"
            )


def arguments(
    config: PipelineConfig,
    model: PipelineModel,
    *,
    regional: Mapping[str, pulumi.ProviderResource],
    token: pulumi.Input[str] | None,
) -> DeliveryPipelineArgs:
    """The component's arguments: `model` and whatever else the configuration says of the pipeline."""
    return DeliveryPipelineArgs(
        model=model,
        build=build_environment(config.build, privileged=config.build.privileged),
        engine=engine_download(config.engine),
        secrets=config.build.secrets,
        regional=regional,
        token=token,
        schedule=config.schedule,
        emails=config.notifications.emails if config.notifications else None,
        protect=config.protect,
    )


def token(config: PipelineConfig, provider: pulumi.ProviderResource) -> pulumi.Output[str] | None:
    """The personal access token of a GitHub source, from Secrets Manager: it stands in no file. The end of a line that
    an editor wrote into the file it was taken from is no part of it."""
    if not isinstance(config.source, GitHubTokenSource):
        return None
    version = aws.secretsmanager.get_secret_version_output(
        secret_id=config.source.token_secret, opts=pulumi.InvokeOutputOptions(provider=provider)
    )
    return pulumi.Output.secret(version.secret_string.apply(str.strip))

"""From documents to resources: how a role, a policy, a project and its log group are declared, in one place."""

from collections.abc import Iterable, Mapping

import pulumi
import pulumi_aws as aws
import pulumi_aws_native as native

from amplify_delivery.components.documents.account.storage import BUILD_LOG_DAYS
from amplify_delivery.components.documents.statements import (
    Document,
    PolicyDocument,
    ProjectDocument,
    RoleDocument,
    to_json,
)


def managed_policy(
    document: PolicyDocument, opts: pulumi.ResourceOptions, text: pulumi.Input[str] | None = None
) -> aws.iam.Policy:
    """A customer-managed policy; `text` is what it says, if that is known only once other resources are made."""
    return aws.iam.Policy(
        document.name,
        name=document.name,
        path=document.path,
        description=document.description,
        policy=to_json(document.document) if text is None else text,
        opts=opts,
    )


def role(
    document: RoleDocument,
    opts: pulumi.ResourceOptions,
    after: Iterable[pulumi.Resource] = (),
    policies: Mapping[str, pulumi.Input[Document]] | None = None,
) -> native.iam.Role:
    """A role, whole: with its inline policies, and nothing attached elsewhere. `after` are its managed policies;
    `policies` stand for the document's own where these are known only once other resources are made."""
    inline = document.policies if policies is None else policies
    return native.iam.Role(
        document.name,
        role_name=document.name,
        path=document.path,
        description=document.description,
        assume_role_policy_document=document.trust,
        policies=[native.iam.RolePolicyArgs(policy_name=name, policy_document=inline[name]) for name in sorted(inline)],
        managed_policy_arns=list(document.managed_policies) or None,
        permissions_boundary=document.boundary,
        # By name: IAM refuses a boundary or a managed policy that is not there yet.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(after))),
    )


def classic_role(
    document: RoleDocument, opts: pulumi.ResourceOptions, after: Iterable[pulumi.Resource] = ()
) -> list[pulumi.Resource]:
    """A role, and each of its policies as a resource of its own: what changes one of them calls nothing else of IAM.
    `after` are its boundary and its managed policies.

    Not the native role: what the handler of a role calls for a change of one inline policy, or of tags, is not said;
    and a refresh takes a policy that was put beside it for the role's own, which the next update takes away.
    """
    made = aws.iam.Role(
        document.name,
        name=document.name,
        path=document.path,
        description=document.description,
        assume_role_policy=to_json(document.trust),
        permissions_boundary=document.boundary,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(after))),
    )
    policies = [
        aws.iam.RolePolicy(
            f"{document.name}-{name}", name=name, role=made.name, policy=to_json(document.policies[name]), opts=opts
        )
        for name in sorted(document.policies)
    ]
    attached = [
        aws.iam.RolePolicyAttachment(f"{document.name}-{number}", role=made.name, policy_arn=arn, opts=opts)
        for number, arn in enumerate(document.managed_policies, start=1)
    ]
    return [made, *policies, *attached]


def project(
    document: ProjectDocument,
    opts: pulumi.ResourceOptions,
    after: Iterable[pulumi.Resource],
    *,
    key_arn: pulumi.Input[str] | None = None,
    native_opts: pulumi.ResourceOptions | None = None,
) -> aws.codebuild.Project:
    """A CodeBuild project and its log group; `after` is its role. `key_arn` encrypts its
    output artifact: CodeBuild ignores the artifact store's key and takes the project's."""
    log = log_group(document.log_group, native_opts or opts, BUILD_LOG_DAYS)
    return aws.codebuild.Project(
        document.name,
        name=document.name,
        description=document.description,
        service_role=document.role_arn,
        artifacts=aws.codebuild.ProjectArtifactsArgs(type="CODEPIPELINE"),
        source=aws.codebuild.ProjectSourceArgs(type="CODEPIPELINE", buildspec=document.buildspec),
        environment=aws.codebuild.ProjectEnvironmentArgs(
            type=document.environment_type,
            image=document.image,
            image_pull_credentials_type=document.pull_credentials,
            compute_type=document.compute_type,
            privileged_mode=document.privileged,
            environment_variables=_variables(document),
        ),
        build_timeout=document.timeout_minutes,
        queued_timeout=document.queued_timeout_minutes,
        logs_config=aws.codebuild.ProjectLogsConfigArgs(
            cloudwatch_logs=aws.codebuild.ProjectLogsConfigCloudwatchLogsArgs(
                status="ENABLED", group_name=document.log_group
            )
        ),
        encryption_key=key_arn,
        vpc_config=_network(document),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[*after, log])),
    )


def log_group(name: str, opts: pulumi.ResourceOptions, days: int) -> native.logs.LogGroup:
    """A log group whose entries stay so many days."""
    return native.logs.LogGroup(name.strip("/"), log_group_name=name, retention_in_days=days, opts=opts)


def _variables(document: ProjectDocument) -> list[aws.codebuild.ProjectEnvironmentEnvironmentVariableArgs] | None:
    values = {name: ("PLAINTEXT", value) for name, value in document.variables.items()}
    values |= {name: ("SECRETS_MANAGER", reference) for name, reference in document.secrets.items()}
    return [
        aws.codebuild.ProjectEnvironmentEnvironmentVariableArgs(name=name, value=value, type=kind)
        for name, (kind, value) in sorted(values.items())
    ] or None


def _network(document: ProjectDocument) -> aws.codebuild.ProjectVpcConfigArgs | None:
    network = document.network
    if network is None:
        return None
    return aws.codebuild.ProjectVpcConfigArgs(
        vpc_id=network.vpc, subnets=[*network.subnets], security_group_ids=[*network.security_groups]
    )

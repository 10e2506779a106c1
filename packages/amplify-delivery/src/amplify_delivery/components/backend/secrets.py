"""The values of secret parameters, which a root stack takes from Secrets Manager."""

import hashlib
from collections.abc import Mapping
from functools import partial

import pulumi
import pulumi_aws as aws

from amplify_delivery.components.backend import hooks
from amplify_delivery.components.errors import as_run_error
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import RootStack
from amplify_delivery.export.assembling.root import Secret
from amplify_delivery.export.quotas import MAX_VALUE

SecretKey = tuple[str, str]
"""A secret parameter: (logical id of the nested stack, parameter)."""

RECOVERY_DAYS = 30
"""For how long AWS keeps a secret that was deleted: the most it does, and its own default ("DeleteSecret" in the
Secrets Manager API reference)."""


def secret_versions(
    parent: pulumi.Resource,
    root: RootStack,
    values: Mapping[SecretKey, pulumi.Input[str]],
    free: hooks.FreeSecret | None = None,
) -> dict[str, aws.secretsmanager.SecretVersion]:
    """A Secrets Manager secret for each secret parameter; gives their versions, by the root parameters that take
    the version ids.

    Not a NoEcho parameter of the stack: CloudFormation gives `****` back for it, so that each refresh would show a
    difference, and ignoring the difference would write `****` for real (terraform-provider-aws issue 29405,
    pulumi-aws issue 2492). The root refers to the secret in the nested stack's `Parameters`, where CloudFormation
    resolves it; the nested template keeps its own NoEcho parameter. The version id is a plain parameter: it changes
    when the value does, and so a rotated secret updates the nested stack exactly once.

    The value is write-only: the provider lists the secret's versions then, where it would read the value itself at
    each refresh (terraform-provider-aws pull request 44876). So `plan` needs no right to read a secret. The
    engine is told that the value has changed by a number.

    AWS keeps a secret that goes, for as long as it can: somebody may have given it another value than the stack file's.
    Its name stays taken so long, so `free` makes it free where the secret is made again.
    """
    versions = {}
    for secret in root.secrets:
        value = values.get((secret.nested_stack, secret.parameter))
        if value is None:
            raise ConfigError(
                f"the secret {secret.nested_stack}.{secret.parameter} has no value",
                where=root.stack_name,
                remedy="`pulumi config set --secret --path 'parameters.NESTED_STACK.PARAMETER' VALUE` gives it one",
            )
        label = f"{secret.nested_stack}-{secret.parameter}"
        description = f"Parameter {secret.parameter} of {secret.nested_stack} in {root.stack_name}"
        before = hooks.free_secret(label, free, secret.secret_name, description)
        made = aws.secretsmanager.Secret(
            label,
            name=secret.secret_name,
            description=description,
            recovery_window_in_days=RECOVERY_DAYS,
            opts=pulumi.ResourceOptions(
                parent=parent, hooks=pulumi.ResourceHookBinding(before_create=[*before]) if before else None
            ),
        )
        versions[secret.version_parameter] = aws.secretsmanager.SecretVersion(
            label,
            secret_id=made.id,
            secret_string_wo=pulumi.Output.secret(value).apply(partial(_checked, secret)),
            secret_string_wo_version=_number_of(secret.secret_name, value),
            opts=pulumi.ResourceOptions(parent=made),
        )
    return versions


def _checked(secret: Secret, text: str) -> str:
    """Refuses what would be refused after parts were applied: Secrets Manager keeps no empty text ("PutSecretValue" in
    its API reference: 1 to 65,536 characters), and the nested stack takes it as a parameter ("Understand CloudFormation
    quotas")."""
    size = len(text.encode())
    if not 1 <= size <= MAX_VALUE:
        with as_run_error():
            raise ConfigError(
                f"the secret {secret.nested_stack}.{secret.parameter} "
                + (f"has {size:,} bytes, the quota is {MAX_VALUE:,}" if size else "is empty, which no secret may be"),
                where=secret.secret_name,
                remedy="nothing was changed. `pulumi config set --secret --path "
                f"'parameters.{secret.nested_stack}.{secret.parameter}' VALUE` gives it another one",
            )
    return text


def _number_of(name: str, value: pulumi.Input[str]) -> pulumi.Output[int]:
    """A number that changes with the value of the secret called `name`. Secret itself: a short value could be guessed
    from it. 31 bits: an integer of Pulumi's schemas has 32."""

    def number(text: str) -> int:
        digest = hashlib.sha256(f"{name}\0{text}".encode()).digest()
        return (int.from_bytes(digest[:4], "big") >> 1) or 1  # to the provider, 0 is not a number at all

    return pulumi.Output.secret(value).apply(number)

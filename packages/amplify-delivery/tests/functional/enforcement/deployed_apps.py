"""An assembly made ready for the local AWS without an engine: published, its root as one template with defaults."""

from __future__ import annotations

from amplify_delivery.export import Assembly, EnvironmentValues, render_root
from aws_rehearsal_tests.local_account import LocalAccount


def deployable(
    developer: LocalAccount, assembly: Assembly, values: EnvironmentValues, secret: str = ""
) -> tuple[str, str]:
    """URL and name of an environment's root stack, everything published; its parameters are made defaults. `secret` is
    the value of every secret."""
    root = render_root(assembly, values, developer.bucket())
    versions = {}
    for wanted in root.secrets:
        made = developer.client("secretsmanager").create_secret(Name=wanted.secret_name, SecretString=secret)
        versions[wanted.version_parameter] = made["VersionId"]
    for item in assembly.objects:
        developer.client("s3").put_object(Bucket=developer.bucket(), Key=item.key, Body=assembly.read(item.key))
    template = {**root.template, "Parameters": {k: dict(v) for k, v in root.template["Parameters"].items()}}
    for name, value in {**root.parameters, **versions}.items():
        template["Parameters"][name]["Default"] = value
    return developer.upload("root.json", template), root.stack_name

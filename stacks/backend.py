"""The program of an environment: its Amplify backend, and whatever you add to it.

Add your own resources at the end of `program`: a DNS record, a monitor, a service that reads the backend's tables. They
are resources of the same stack; give them `opts=pulumi.ResourceOptions(provider=aws_provider)`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pulumi

from amplify_export.assembly import Assembly, load_assembly
from amplify_export.environment import EnvironmentValues
from amplify_export.errors import ConfigError
from amplify_export.root import render_root
from components.amplify_backend import AmplifyBackend, AmplifyBackendArgs
from components.names import staging_bucket_name
from components.providers import Access, aws_provider
from components.publisher import BucketPublisher
from components.remembered import unchanged
from components.staging_area import StagingArea, StagingAreaArgs
from stacks.config import Configuration, api_key_expires, from_pulumi


def program() -> None:
    """Deploy the environment that the stack file describes."""
    configuration = from_pulumi()
    config = configuration.environment
    assembly = read_assembly(configuration)
    say(assembly)
    bucket = staging_bucket_name(assembly.project, config.environment, config.account, config.region)
    root = render_root(assembly, environment_values(configuration), bucket)

    access = Access(config.account, config.region, config.profile, config.role_arn)
    same_place = unchanged(
        "place",
        {"account": config.account, "region": config.region},
        "put it back, or make a new Pulumi stack for the new place (`pulumi stack init`); if nothing was deployed yet, "
        "`pulumi destroy` lets you begin again",
    )
    # Nothing at all is planned in another account or region: not even the staging area would move.
    provider = aws_provider("aws", access, pulumi.ResourceOptions(depends_on=same_place.apply(lambda _: [])))
    staging = StagingArea(
        "staging",
        # It goes with its backend: what it holds was published from an export and can be published again.
        StagingAreaArgs(bucket, config.account, config.region, force_destroy=True),
        pulumi.ResourceOptions(providers=[provider]),
    )
    backend = AmplifyBackend(
        "backend",
        AmplifyBackendArgs(
            assembly=assembly,
            root=root,
            staging_bucket=bucket,
            region=config.region,
            publisher=BucketPublisher(bucket, access),
            secrets=configuration.secrets,
            execution_role_arn=config.execution_role_arn,
            protect=config.protect,
            keep_api_key_expiry=config.api_key_expires is None,
        ),
        pulumi.ResourceOptions(providers=[provider], depends_on=[staging]),
    )

    pulumi.export("account", config.account)
    pulumi.export("region", config.region)
    pulumi.export("environment", config.environment)
    pulumi.export("stackName", backend.stack_name)
    pulumi.export("stackId", backend.stack_id)
    pulumi.export("stagingBucket", staging.bucket_name)
    pulumi.export("rootTemplate", backend.template_key)
    pulumi.export("rootOutputs", backend.outputs)
    pulumi.export("outputs", backend.nested_outputs)
    if backend.has("AWS::AppSync::GraphQLApi"):
        pulumi.export("graphqlEndpoint", backend.graphql_api.endpoint)
    if backend.has("AWS::Cognito::UserPool"):
        pulumi.export("userPoolId", backend.user_pool.id)


def read_assembly(configuration: Configuration) -> Assembly:
    """The assembly that the configuration names: an assembled folder, or an export, assembled here.

    Raises `ExportRefused`, `AssemblyError`, or `ConfigError`: no export, several, or one of another project.
    """
    config = configuration.environment
    if config.assembly:
        path = configuration.path(config.assembly)
        assembly = load_assembly(path)
    else:
        from amplify_export.assemble import assemble  # noqa: PLC0415 - not needed with an assembled folder
        from amplify_export.read import read_export  # noqa: PLC0415

        path = export_folder(configuration)
        assembly = assemble(read_export(path), secrets=config.secret_names)
    if assembly.project != pulumi.get_project():
        raise ConfigError(
            f"this is the export of {assembly.project!r}, the Pulumi project is {pulumi.get_project()!r}: one app must "
            "not be deployed over another",
            where=str(path.name),
            remedy="name the project's own export, or change `name` in Pulumi.yaml before the first deployment",
        )
    return assembly


def export_folder(configuration: Configuration) -> Path:
    """The configured export, else the only `amplify-export-*` folder of the project. Raises `ConfigError`."""
    if configuration.environment.export:
        return configuration.path(configuration.environment.export)
    found = sorted(p for p in configuration.directory.glob("amplify-export-*") if p.is_dir())
    if len(found) == 1:
        return found[0]
    names = ", ".join(p.name for p in found)
    raise ConfigError(
        f"there are several exports: {names}" if found else "there is no amplify-export-* folder in this project",
        where=configuration.where,
        remedy="`pulumi config set export FOLDER`" if found else "run `amplify export --out .` in the Amplify project",
    )


def environment_values(configuration: Configuration) -> EnvironmentValues:
    """What this environment sets on top of the assembly."""
    config = configuration.environment
    from_export = {}
    if config.values_from:
        from amplify_export.read import read_export  # noqa: PLC0415 - most environments have no second export
        from amplify_export.root import exported_values  # noqa: PLC0415

        from_export = exported_values(read_export(configuration.path(config.values_from)))
    return EnvironmentValues(
        name=config.environment,
        api_key_expires=api_key_expires(config, datetime.now(UTC)),
        suffix=config.suffix,
        parameters=config.parameters,
        from_export=from_export,
        secrets=config.secret_names,
    )


def say(assembly: Assembly) -> None:
    """Show warnings one by one, repairs in one line."""
    repaired = [f for f in assembly.findings if f.severity == "repaired"]
    for finding in assembly.findings:
        if finding.severity == "warning":
            pulumi.log.warn(str(finding))
    if repaired:
        ids = ", ".join(sorted({f.id for f in repaired}))
        pulumi.log.info(
            f"the export was repaired in {len(repaired)} places ({ids}): `python -m delivery check` lists them"
        )

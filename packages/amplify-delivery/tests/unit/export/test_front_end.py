"""What `amplify export pull` reads of a delivered backend to write a front end's configuration: it stays as exported.

After amplify-cli 14.2.2, packages/amplify-provider-awscloudformation/src/aws-utils/aws-cfn.js
(`updateamplifyMetaFileWithStackOutputs`): of the root's nested stacks those that are called CATEGORYRESOURCE, by the
project's amplify-meta.json; and the frontend plugins' config creators: which of their outputs become which setting.
docs/front-end.md tells it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, assemble, read_export
from amplify_delivery.export.documents import parse_json
from unit.archives import unpacked
from unit.export.conftest import APPS
from unit.export.mutations import EXPORTS

READ = {
    "Cognito": {
        "UserPoolId": "aws_user_pools_id",
        "AppClientIDWeb": "aws_user_pools_web_client_id",
        "AppClientID": "",  # of android, ios and flutter
        "IdentityPoolId": "aws_cognito_identity_pool_id",
        "HostedUIDomain": "",  # a part of `oauth`, as is the next
        "OAuthMetadata": "",
    },
    "AppSync": {
        "GraphQLAPIEndpointOutput": "aws_appsync_graphqlEndpoint",
        "GraphQLAPIKeyOutput": "aws_appsync_apiKey",
    },
    "S3": {"BucketName": "aws_user_files_s3_bucket", "Region": "aws_user_files_s3_bucket_region"},
    "API Gateway": {"RootUrl": "aws_cloud_logic_custom", "ApiName": "aws_cloud_logic_custom"},
    "DynamoDB": {"Name": "aws_dynamodb_table_schemas", "Region": "aws_dynamodb_table_schemas"},
    "Pinpoint": {"Id": "aws_mobile_analytics_app_id", "Region": "aws_mobile_analytics_app_region"},
}
"""By the service of a resource: its stack's outputs, and the setting of a JavaScript front end that each becomes."""
ROOT = {"AuthRoleName", "AuthRoleArn", "DeploymentBucketName", "Region", "StackId", "StackName"}
"""Outputs of the root that the CLI writes into amplify-meta.json (`providers.awscloudformation`)."""
NAMES = ("discussions", "fitness-tracker", "media-vault", "product-catalog")


@pytest.mark.parametrize("name", sorted(EXPORTS))
def test_a_delivered_backend_has_every_output_that_the_cli_reads(
    name: str, assembly_of: Callable[[str], Assembly]
) -> None:
    if name == "triggers":
        pytest.skip("this export is refused")
    export, assembly = read_export(EXPORTS[name]), assembly_of(name)
    assert set(assembly.root_template["Outputs"]) >= ROOT
    found = 0
    for resource in json.loads((EXPORTS[name] / "category-stack-mapping.json").read_text()):
        nested = resource["category"] + resource["resourceName"]
        exported, delivered = _outputs(export.root.nested[nested].template), _delivered(assembly, nested)
        assert delivered.keys() == exported.keys()
        for output in READ.get(resource["service"], {}):
            if output in exported:
                assert delivered[output] == exported[output]
                found += 1
    assert found, "none of them: the table above is of another CLI"


@pytest.mark.parametrize("app", NAMES)
def test_what_the_cli_wrote_of_a_delivered_app_came_from_these_outputs(
    app: str, app_export: Callable[[str, str], Path], client_config: Callable[[str], Path]
) -> None:
    """The real CLI's files, beside the outputs that were there when it wrote them."""
    folder = client_config(app)
    deployed = json.loads((folder / "deployed.json").read_text())
    written = json.loads((folder / "javascript" / "amplifyconfiguration.json").read_text())
    kind = "as-pushed-AD206-remedied" if app == "fitness-tracker" else "as-pushed"
    exported = app_export(app, kind)
    assembly = assemble(read_export(exported), secrets=_secrets(exported))
    assert set(assembly.root_template["Outputs"]) >= ROOT
    seen = 0
    for resource in json.loads((exported / "category-stack-mapping.json").read_text()):
        nested = resource["category"] + resource["resourceName"]
        outputs: Mapping[str, str] = deployed.get(nested, {}).get("outputs", {})
        assert set(outputs) <= set(_delivered(assembly, nested))
        for output, setting in READ.get(resource["service"], {}).items():
            if setting and output in outputs:
                assert outputs[output] in _values(written[setting])
                seen += 1
    assert seen >= 4


@pytest.fixture(scope="session")
def client_config() -> Callable[[str], Path]:
    """The folder of what the real CLI wrote for an app; skips where there is no archive."""

    def folder(app: str) -> Path:
        archive = Path(os.environ.get(APPS, "/nonexistent"), f"{app}.client-config.tar.gz")
        if not archive.is_file():
            pytest.skip(f"no {archive.name}: set {APPS} to the folder of the real apps")
        return next(unpacked(archive).rglob("deployed.json")).parent

    return folder


def _outputs(template: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = template.get("Outputs") or {}
    return found


def _delivered(assembly: Assembly, nested: str) -> Mapping[str, Any]:
    return _outputs(parse_json(assembly.read(assembly.root.nested[nested].template)))


def _secrets(exported: Path) -> frozenset[tuple[str, str]]:
    """The values that must not stand in an export, as an environment supplies them."""
    nested = read_export(exported).root.nested
    return frozenset(
        (name, "hostedUIProviderCreds") for name, s in nested.items() if "hostedUIProviderCreds" in s.declared
    )


def _values(setting: Any) -> set[str]:
    if isinstance(setting, list):
        return {value for item in setting for value in item.values()}
    return {setting}

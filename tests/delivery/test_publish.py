"""The command `publish`, against the local AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.names import staging_bucket_name
from tests.delivery.conftest import Ran, delivery, export
from tests.local_account import LocalAccount

TODO = export("todo")


@pytest.fixture
def bucket(project: Path, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The staging bucket of `dev`, in the account that `Pulumi.dev.yaml` names; this process is logged in there."""
    (project / "Pulumi.dev.yaml").write_text(
        f'config:\n  mytodoapp:account: "{developer.account}"\n  mytodoapp:region: {developer.region}\n'
    )
    for name, value in {**developer.environment, "AMPLIFY_DELIVERY_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    name = staging_bucket_name("mytodoapp", "dev", developer.account, developer.region)
    developer.client("s3").create_bucket(
        Bucket=name,
        BucketNamespace="account-regional",
        CreateBucketConfiguration={"LocationConstraint": developer.region},
    )
    return name


def publish(project: Path, *arguments: str) -> Ran:
    return delivery("publish", TODO, "--environment", "dev", *arguments, cwd=project)


def test_publish_says_what_it_did(project: Path, bucket: str) -> None:
    first = publish(project)
    assert first.code == 0, first.err
    assert first.out.startswith(f"{bucket}: 18 objects uploaded (")
    assert first.err.splitlines() == ["linting 4 of 4 templates", "published 18 of 18 objects"]

    again = publish(project, "--json")
    assert (again.code, again.err) == (0, "")
    assert (again.document["uploaded"], again.document["present"]) == (0, 18)
    assert again.document["requests"] == {"GetCallerIdentity": 1, "ListObjectsV2": 1}


def test_another_accounts_stack_file_is_refused(project: Path, bucket: str, developer: LocalAccount) -> None:
    file = project / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace(developer.account, "123456789012"))
    ran = publish(project, "--json")
    assert ran.code == 1
    assert ran.document["error"]["type"] == "PublishError"
    assert developer.account in ran.document["error"]["message"]
    assert developer.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0

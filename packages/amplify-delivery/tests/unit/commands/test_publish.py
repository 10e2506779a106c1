"""The command `publish`, against the local AWS."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amplify_delivery.components.documents.pipeline.buildspecs import ASSEMBLY, EXAMINED
from amplify_delivery.components.names import staging_bucket_name
from amplify_delivery.export import load_assembly
from amplify_delivery.publishing.examination.cache import RESULTS_VARIABLE
from amplify_delivery.stacks.inputs import ASSEMBLY_VARIABLE
from aws_rehearsal_tests.local_account import LocalAccount
from unit.command_line import Ran, delivery, export

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
    return delivery("publish", "dev", *arguments, cwd=project)


def test_publish_says_what_it_did(project: Path, bucket: str) -> None:
    first = publish(project, "--from", str(TODO))
    assert first.code == 0, first.err
    assert first.out.startswith(f"{bucket}: 19 objects uploaded (")
    assert first.err.splitlines() == ["linting 4 of 4 templates", "published 19 of 19 objects"]

    again = publish(project, "--from", str(TODO), "--json")
    assert (again.code, again.err) == (0, "")
    assert (again.document["uploaded"], again.document["present"]) == (0, 19)
    assert again.document["requests"] == {"GetCallerIdentity": 1, "HeadObject": 19, "ListObjectsV2": 1}


def test_another_accounts_stack_file_is_refused(project: Path, bucket: str, developer: LocalAccount) -> None:
    file = project / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace(developer.account, "123456789012"))
    ran = publish(project, "--from", str(TODO), "--json")
    assert ran.code == 3
    assert ran.document["error"]["type"] == "PublishError"
    assert developer.account in ran.document["error"]["message"]
    assert developer.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_what_would_be_deployed_is_published(
    project: Path, bucket: str, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The assembly that Build made, where there is one: the export beside it is not looked at."""
    shutil.copytree(TODO, project / TODO.name)
    assert delivery("assemble", "--out", "assembly", cwd=project).code == 0
    keys = {o.key for o in load_assembly(project / "assembly").objects}
    (project / TODO.name / "amplify-export-manifest.json").unlink()
    assert "AD1" in publish(project).err
    monkeypatch.setenv("AMPLIFY_DELIVERY_ASSEMBLY", "assembly")
    ran = publish(project)
    assert ran.code == 0, ran.err
    there = {o["Key"] for o in developer.client("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys < there


def test_another_apps_export_is_refused(project: Path, bucket: str, developer: LocalAccount) -> None:
    ran = publish(project, "--from", str(export("todo-series/v1")))
    assert ran.code == 3
    assert "export of 'seriesapp', but the Pulumi project is 'mytodoapp'" in ran.err
    assert developer.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


PUBLISHING = """import sys
from amplify_delivery.cli import main
code = main(["publish", "dev"])
print("imported:", *sorted({"cfnlint", "graphql", "boto3"} & set(sys.modules)))
sys.exit(code)
"""


def test_what_build_has_examined_is_not_examined_again(
    project: Path, bucket: str, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the root that Build rendered, without AWS, is the very one that is published: its result is found as well."""
    shutil.copytree(TODO, project / TODO.name)
    account = f'{{mytodoapp:account: "{developer.account}", mytodoapp:region: {developer.region}'
    source = '{connection: "arn:aws:codeconnections:us-east-1:111111111111:connection/5e6f7a8b", repository: a/b}'
    stages = "[{name: Dev, environments: [dev]}]"
    (project / "Pulumi.pipeline.yaml").write_text(
        f"config: {account}, mytodoapp:program: pipeline, mytodoapp:source: {source}, mytodoapp:stages: {stages}}}\n"
    )
    monkeypatch.setenv(RESULTS_VARIABLE, EXAMINED)
    built = delivery("build", cwd=project)
    assert built.code == 0, built.err
    assert built.err.splitlines() == ["linting 4 of 4 templates"]

    monkeypatch.setenv(ASSEMBLY_VARIABLE, ASSEMBLY)
    command = [sys.executable, "-c", PUBLISHING]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.splitlines() == ["published 19 of 19 objects"]
    assert ran.stdout.splitlines()[-1] == "imported: boto3"

"""Buckets, keys, parameters and secrets in Pulumi programs, through both stand-ins."""

from __future__ import annotations

from typing import Any

import pytest

from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

CLASSIC = """
    policy = lambda arn: json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }],
    })
    days = int(os.environ.get("DAYS", "7"))
    name = f"staging-{ACCOUNT}-eu-central-1-an"
    bucket = aws.s3.Bucket(
        "staging", bucket=name, bucket_namespace="account-regional", force_destroy=True, tags={"a": "b"},
    )
    aws.s3.BucketVersioning("versions", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
    aws.s3.BucketPublicAccessBlock(
        "access", bucket=bucket.id, block_public_acls=True, block_public_policy=True, ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    aws.s3.BucketOwnershipControls("owner", bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"})
    aws.s3.BucketPolicy("tls", bucket=bucket.id, policy=bucket.arn.apply(policy))
    aws.s3.BucketLifecycleConfiguration("expiry", bucket=bucket.id, rules=[
        {"id": "old", "status": "Enabled", "filter": {}, "noncurrent_version_expiration": {"noncurrent_days": days}},
        {"id": "broken", "status": "Enabled", "abort_incomplete_multipart_upload": {"days_after_initiation": 1}},
    ])
    key = aws.kms.Key("key", enable_key_rotation=True, deletion_window_in_days=7)
    aws.kms.Alias("alias", name=f"alias/small-{ACCOUNT}", target_key_id=key.arn)
    aws.s3.BucketServerSideEncryptionConfiguration("encryption", bucket=bucket.id, rules=[{
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
        "bucket_key_enabled": True,
    }])
    text = os.environ.get("TEXT", "one")
    file = aws.s3.BucketObjectv2("file", bucket=bucket.id, key="file.txt", content=text)
    asset = aws.s3.BucketObjectv2("asset", bucket=bucket.id, key="asset.txt", source=pulumi.StringAsset(text))
    aws.ssm.Parameter("parameter", name="/small/one", type="SecureString", value=f"value-{text}-{ACCOUNT}")
    secret = aws.secretsmanager.Secret("secret", name="small", recovery_window_in_days=0)
    aws.secretsmanager.SecretVersion("version", secret_id=secret.id, secret_string=f"secret-{text}-{ACCOUNT}")
    who, where = aws.get_caller_identity(), aws.get_region()
    pulumi.export("who", who.account_id)
    pulumi.export("where", where.region)
    pulumi.export("partition", aws.get_partition().partition)
    pulumi.export("key", key.key_id)
"""


def test_life_of_a_staging_area(project: PulumiProject) -> None:
    account, s3 = project.developer.account, project.developer.client("s3")
    name = f"staging-{account}-eu-central-1-an"
    project.init().program(CLASSIC)
    said = project.up()
    assert "15 created" in said
    assert "warning" not in said
    assert project.outputs() | {"key": ""} == {"who": account, "where": "eu-central-1", "partition": "aws", "key": ""}
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_object(Bucket=name, Key="asset.txt")["Body"].read() == b"one"

    assert "15 unchanged" in project.up("--refresh")
    state = project.state()
    assert f"secret-one-{account}" not in state
    assert f"value-one-{account}" not in state

    said = project.up(DAYS="9", TEXT="two")
    assert "~ 4 updated" in said
    assert "+-1 replaced" in said  # another text of a secret is another version of it
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules if rule["ID"] == "old"] == [9]
    assert (
        project.developer.client("secretsmanager")
        .get_secret_value(SecretId="small")["SecretString"]
        .startswith("secret-two")
    )
    assert "15 unchanged" in project.up("--refresh", DAYS="9", TEXT="two")

    key = project.outputs()["key"]
    project.succeed("destroy", "--yes", "--skip-preview")
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert project.developer.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


BUCKET = """
    more = json.loads(os.environ.get("MORE", "{}"))
    aws.s3.Bucket("bucket", bucket=f"full-{ACCOUNT}" + os.environ.get("SUFFIX", ""), **more)
"""


def test_a_bucket_with_objects_goes_only_when_told_so(project: PulumiProject) -> None:
    project.init().program(BUCKET)
    project.up()
    project.developer.client("s3").put_object(Bucket=f"full-{project.developer.account}", Key="kept", Body=b"")
    done = project.pulumi("destroy", "--yes", "--skip-preview")
    assert done.returncode
    assert "BucketNotEmpty" in done.stdout
    project.up(MORE='{"force_destroy": true}')
    project.succeed("destroy", "--yes", "--skip-preview")


def test_what_was_deleted_behind_our_back_is_made_again(project: PulumiProject) -> None:
    project.init().program(BUCKET)
    project.up()
    project.developer.client("s3").delete_bucket(Bucket=f"full-{project.developer.account}")
    assert "+ 1 created" in project.up("--refresh")


def test_a_changed_name_or_region_replaces(project: PulumiProject) -> None:
    project.init().program(BUCKET)
    project.up()
    assert "+-1 to replace" in project.succeed("preview", SUFFIX="-b")
    assert "+-1 replaced" in project.up(SUFFIX="-c", MORE='{"region": "us-east-1"}')
    location = project.developer.client("s3").get_bucket_location(Bucket=f"full-{project.developer.account}-c")
    assert location["LocationConstraint"] in (None, "us-east-1")


NATIVE = """
    repository = native.ecr.Repository("images", repository_name=os.environ.get("REPOSITORY", f"images-{ACCOUNT}"))
    role = native.iam.Role(
        "role",
        assume_role_policy_document={"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
        policies=[{"policy_name": "pull", "policy_document": repository.arn.apply(lambda arn: {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": arn}]})}],
    )
    key = native.kms.Key("key", key_policy={"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}]})
    bucket = native.s3.Bucket(
        "bucket", bucket_name=f"native-{ACCOUNT}", tags=[{"key": "a", "value": os.environ.get("TAG", "1")}],
        bucket_encryption={"server_side_encryption_configuration": [
            {"server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}}]},
    )
    days, hush = int(os.environ.get("DAYS", "7")), pulumi.Output.secret(f"hush-{ACCOUNT}")
    group = native.logs.LogGroup("group", log_group_name="/small/native", retention_in_days=days)
    native.ssm.Parameter("parameter", name="/small/native", type="String", value=hush)
    function = native.lambda_.Function(
        "function", runtime="nodejs20.x", handler="index.handler", role=role.arn,
        code={"zip_file": "exports.handler = async () => 'hello'"},
    )
    pulumi.export("ids", [repository.id, role.id, bucket.id, group.id])
    pulumi.export("arns", [repository.arn, role.arn, key.arn, bucket.arn, function.arn])
    pulumi.export("uri", repository.repository_uri)
"""


def test_life_of_native_resources(project: PulumiProject) -> None:
    account = project.developer.account
    project.init().program(NATIVE)
    said = project.up()
    assert "8 created" in said
    assert "warning" not in said
    outputs: dict[str, Any] = project.outputs()
    assert outputs["ids"][0] == f"images-{account}"
    assert outputs["ids"][1].startswith("role-")
    assert outputs["ids"][2:] == [f"native-{account}", "/small/native"]
    assert all(arn.startswith("arn:aws:") and arn for arn in outputs["arns"])
    assert outputs["uri"].startswith(f"{account}.dkr.ecr.eu-central-1.amazonaws.com/")
    assert f"hush-{account}" not in project.state()

    assert "8 unchanged" in project.up("--refresh")
    said = project.up(TAG="2", DAYS="14", REPOSITORY=f"other-{account}")
    assert "+-1 replaced" in said
    assert "~ 3 updated" in said  # the role's policy names the repository
    groups = project.developer.client("logs").describe_log_groups(logGroupNamePrefix="/small/")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [14]

    # Somebody else's change is found by a refresh, and undone.
    project.developer.client("logs").put_retention_policy(logGroupName="/small/native", retentionInDays=30)
    project.developer.client("ecr").delete_repository(repositoryName=f"other-{account}")
    said = project.up("--refresh", TAG="2", DAYS="14", REPOSITORY=f"other-{account}")
    assert "+ 1 created" in said
    assert "~ 1 updated" in said
    groups = project.developer.client("logs").describe_log_groups(logGroupNamePrefix="/small/")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [14]
    project.succeed("destroy", "--yes", "--skip-preview")
    assert project.developer.client("logs").describe_log_groups(logGroupNamePrefix="/small/")["logGroups"] == []


def test_native_mistakes_are_told_before_anything_is_made(project: PulumiProject) -> None:
    project.init().program("""
        native.s3.Bucket("good", bucket_name=f"good-{ACCOUNT}")
        native.s3.Bucket("bad", bucket_name="Bad_Name", versioning_configuration={"status": "On"})
    """)
    done = project.pulumi("preview")
    assert done.returncode
    assert "'Bad_Name' does not match" in done.stdout
    assert "'On' is not one of ['Enabled', 'Suspended']" in done.stdout


def test_a_native_failure_names_operation_and_reason_and_leaves_nothing(project: PulumiProject) -> None:
    project.developer.client("ssm").put_parameter(Name="/small/taken", Type="String", Value="theirs")
    project.init().program('native.ssm.Parameter("taken", name="/small/taken", type="String", value="ours")')
    said = project.fail()
    assert 'creating resource: operation CREATE failed with "AlreadyExists"' in said
    assert "taken" not in project.resources()


def test_a_preview_with_unknown_values_everywhere(project: PulumiProject) -> None:
    project.init().program(f"""
        first = aws.s3.Bucket("first")
        aws.cloudformation.Stack(
            "app", name="app", template_url=pulumi.Output.concat("https://", first.bucket_domain_name, first.arn),
            parameters={{"Known": "1", "Unknown": first.arn, "Secret": pulumi.Output.secret(first.arn)}},
            notification_arns=[first.arn, "arn:aws:sns:eu-central-1:{project.developer.account}:topic"],
            tags={{"a": first.arn}},
        )
        key = aws.kms.Key("key", policy=first.arn.apply(lambda arn: json.dumps({{"Resource": arn}})))
        aws.s3.BucketServerSideEncryptionConfiguration("encryption", bucket=first.id, rules=[{{
            "apply_server_side_encryption_by_default": {{"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}},
        }}])
        native.s3.Bucket("second", bucket_name=key.key_id, tags=[{{"key": key.arn, "value": "x"}}])
        native.iam.Role("role", assume_role_policy_document={{"Statement": [{{"Resource": [key.arn, first.arn]}}]}})
    """)
    assert "+ 7 to create" in project.succeed("preview")


def test_classic_types_nobody_plays_are_refused_by_name(project: PulumiProject) -> None:
    project.init().program('aws.sqs.Queue("queue")')
    done = project.pulumi("preview")
    assert "unrecognized resource type: aws:sqs/queue:Queue" in done.stdout
    assert "-> make it with pulumi-aws-native" in done.stdout

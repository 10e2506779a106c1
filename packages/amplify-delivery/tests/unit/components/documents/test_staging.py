from __future__ import annotations

from amplify_delivery.components.documents import staging


def test_a_bucket_without_tls_is_denied_to_everybody() -> None:
    statement, _ = staging.bucket_policy("b", "cn-north-1")["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert statement["Resource"] == ["arn:aws-cn:s3:::b", "arn:aws-cn:s3:::b/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_is_named_by_its_content_is_written_once() -> None:
    """Each kind of object, and nothing else: in the form of the S3 user guide's own examples."""
    _, statement = staging.bucket_policy("b", "eu-west-1")["Statement"]
    folders = ("archives", "assemblies", "ci", "files", "schemas", "templates", "vtl")
    assert statement["Resource"] == [f"arn:aws:s3:::b/{folder}/*" for folder in folders]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:PutObject")
    assert statement["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }


def test_a_staging_key_is_used_through_s3_from_its_own_account_only() -> None:
    administration, use = staging.key_policy("012345678901", "eu-west-1")["Statement"]
    assert administration["Principal"] == {"AWS": "arn:aws:iam::012345678901:root"}
    assert use["Condition"]["StringEquals"] == {
        "kms:CallerAccount": "012345678901",
        "kms:ViaService": "s3.eu-west-1.amazonaws.com",
    }
    assert "kms:Decrypt" in use["Action"]
    assert "kms:*" not in use["Action"]

"""What AWS refuses, in words a user can act on."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, code, status, told_as


def refusal(name: str, message: str = "no", http: int = 400) -> ClientError:
    answer = {"Error": {"Code": name, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": http}}
    return ClientError(answer, "GetObject")


def told(error: Exception, **own: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught, told_as(RefusedError, "reading x", "account 1", own):
        raise error
    return caught.value


def test_what_where_and_what_aws_says() -> None:
    found = told(refusal("NoSuchKey", "The specified key does not exist."))
    assert found.message == "reading x: AWS says NoSuchKey: The specified key does not exist. (GetObject)"
    assert found.where == "account 1"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (refusal("ExpiredToken"), "log in again"),
        (refusal("UnrecognizedClientException"), "profile and role"),
        (refusal("AccessDeniedException"), "the right that AWS names"),
        (refusal("ThrottlingException"), "in a few minutes"),
        (refusal("ServiceUnavailable"), "repeat the command"),
        (NoCredentialsError(), "log in, or name a profile"),
        (ProfileNotFound(profile="x"), "add the profile"),
        (EndpointConnectionError(endpoint_url="https://x"), "check the network"),
        (refusal("Strange"), "check the credentials"),
    ],
)
def test_the_remedy_hangs_on_the_code(error: Exception, remedy: str) -> None:
    assert remedy in told(error).remedy


def test_the_caller_knows_better() -> None:
    assert told(refusal("AccessDenied"), AccessDenied="deploy first").remedy == "deploy first"


def test_a_code_is_of_aws_alone() -> None:
    assert (code(refusal("403", http=403)), status(refusal("403", http=403))) == ("403", 403)
    assert (code(NoCredentialsError()), status(NoCredentialsError())) == ("", 0)
    assert code(refusal("403")) in ACCESS_DENIED


def test_what_did_not_come_from_aws_is_a_defect() -> None:
    with pytest.raises(KeyError), told_as(FailedError, "reading", "here"):
        raise KeyError("x")

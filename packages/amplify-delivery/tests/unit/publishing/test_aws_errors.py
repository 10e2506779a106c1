"""What AWS refuses, in words a user can act on."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    UnauthorizedSSOTokenError,
)

from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import (
    ACCESS_DENIED,
    code,
    status,
    suppressing,
    suppressing_all,
    suppressing_answers,
    told_as,
)


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
        # Of keys that a person has pasted into her shell no login makes anything: they come before every profile.
        (refusal("ExpiredToken"), "`unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN`"),
        (UnauthorizedSSOTokenError(), "`aws sso login`, with `--profile NAME` where the stack file names one"),
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


# --- refusals that are answers ----------------------------------------------------------------------------------------


def raised(error: Exception | None) -> str:
    if error:
        raise error
    return "there"


def asked(error: Exception | None) -> str | None:
    with told_as(RefusedError, "reading x", "account 1"), suppressing("NoSuchKey", "404"):
        return raised(error)
    return None


def test_what_is_not_there_is_an_answer() -> None:
    assert asked(None) == "there"
    assert asked(refusal("NoSuchKey")) is None
    assert asked(refusal("404")) is None


def test_another_code_is_told_as_ever() -> None:
    with pytest.raises(RefusedError, match="reading x: AWS says NoSuchBucket"):
        asked(refusal("NoSuchBucket"))
    with pytest.raises(RefusedError, match="reading x: Unable to locate credentials"):
        asked(NoCredentialsError())
    with pytest.raises(KeyError), suppressing("KeyError"):
        raise KeyError("x")


def test_no_code_suppresses_nothing() -> None:
    with pytest.raises(NoCredentialsError), suppressing():
        raise NoCredentialsError


def test_a_code_of_many_things_is_told_by_its_words() -> None:
    """CloudFormation has one code for all that is wrong with a request."""
    with suppressing("ValidationError", saying="does not exist"):
        raise refusal("ValidationError", "Stack with id x does not exist")
    with pytest.raises(ClientError), suppressing("ValidationError", saying="does not exist"):
        raise refusal("ValidationError", "Template format error")


def test_a_refusal_says_what_it_was() -> None:
    with suppressing(*ACCESS_DENIED) as found:
        assert not found
        raise refusal("AccessDenied", "not you")
    assert found
    assert (found.code, found.denied) == ("AccessDenied", True)
    assert found.said == "AWS says AccessDenied: not you (GetObject)"
    with suppressing(*ACCESS_DENIED) as found:
        pass
    assert (bool(found), found.code, found.denied, found.said) == (False, "", False, "")


def test_whatever_aws_answers_is_more_than_a_code_and_less_than_all() -> None:
    with suppressing_answers() as found:
        raise refusal("Strange")
    assert found.code == "Strange"
    with pytest.raises(NoCredentialsError), suppressing_answers():
        raise NoCredentialsError
    with suppressing_all() as found:
        raise NoCredentialsError
    assert found
    assert (found.code, found.said) == ("", "Unable to locate credentials")
    with pytest.raises(KeyError), suppressing_all():
        raise KeyError("x")

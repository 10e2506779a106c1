from __future__ import annotations

import pytest

from amplify_delivery.components.backend.accessors import Directory
from amplify_delivery.errors import ConfigError
from unit.components.backends import assembly_of, folder


@pytest.fixture(scope="module")
def full() -> Directory:
    return Directory(assembly_of(folder("fullapp")))


@pytest.mark.parametrize(
    ("type_", "attribute", "nested", "output"),
    [
        ("AWS::AppSync::GraphQLApi", "ApiId", "apifullapp", "GraphQLAPIIdOutput"),
        ("AWS::AppSync::GraphQLApi", "GraphQLUrl", "apifullapp", "GraphQLAPIEndpointOutput"),
        ("AWS::AppSync::ApiKey", "ApiKey", "apifullapp", "GraphQLAPIKeyOutput"),
        ("AWS::Cognito::UserPool", None, "authfullappauth", "UserPoolId"),
        ("AWS::Cognito::UserPool", "Arn", "authfullappauth", "UserPoolArn"),
        ("AWS::Cognito::IdentityPool", None, "authfullappauth", "IdentityPoolId"),
        ("AWS::S3::Bucket", None, "storagefullappstorage", "BucketName"),
        ("AWS::ApiGateway::RestApi", None, "apiitemsapi", "ApiId"),
    ],
)
def test_an_output_is_found_by_what_it_refers_to(
    full: Directory, type_: str, attribute: str | None, nested: str, output: str
) -> None:
    found = full.one(type_)
    assert (found.nested, full.output(found, attribute)) == (nested, output)


def test_an_address_is_found_by_what_it_is_composed_of(full: Directory) -> None:
    assert full.mentioning(full.one("AWS::ApiGateway::RestApi"), "execute-api") == "RootUrl"


def test_what_is_not_there_is_refused_with_what_there_is(full: Directory) -> None:
    with pytest.raises(ConfigError, match="AWS::Kinesis::Stream") as caught:
        full.one("AWS::Kinesis::Stream")
    assert "AWS::S3::Bucket" in caught.value.remedy


def test_two_of_a_kind_are_asked_for_by_name(full: Directory) -> None:
    with pytest.raises(ConfigError, match="2 of AWS::Lambda::Function") as caught:
        full.one("AWS::Lambda::Function")
    assert "backend.output" in caught.value.remedy


def test_a_function_has_the_amplify_clis_name(full: Directory) -> None:
    assert full.named("function", "helloFn", "AWS::Lambda::Function") == "functionhelloFn"
    with pytest.raises(ConfigError) as caught:
        full.named("function", "hello", "AWS::Lambda::Function")
    assert caught.value.remedy == "the export has S3Trigger7c1dfull, helloFn"

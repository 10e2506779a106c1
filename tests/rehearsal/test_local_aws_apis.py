"""HTTP APIs of the local AWS: whoever asks, from wherever, reaches what the API leaves open, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess

from rehearsal.local_aws import Credentials, random_account
from tests.local_account import LocalAccount, Template

CODE = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps({"path": event["rawPath"]})}
"""


def template(**route: str) -> Template:
    api = {"Ref": "Api"}
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties = {
        "IAM::Role": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        "Lambda::Function": {
            "Code": {"ZipFile": CODE},
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Runtime": "python3.13",
        },
        "Lambda::Permission": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Function"},
            "Principal": "apigateway.amazonaws.com",
        },
        "ApiGatewayV2::Api": {"Name": "hello", "ProtocolType": "HTTP"},
        "ApiGatewayV2::Integration": {
            "ApiId": api,
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {"Fn::GetAtt": ["Function", "Arn"]},
            "PayloadFormatVersion": "2.0",
        },
        "ApiGatewayV2::Route": {
            "ApiId": api,
            "RouteKey": "GET /",
            "Target": {"Fn::Sub": "integrations/${Integration}"},
            **route,
        },
        "ApiGatewayV2::Stage": {"ApiId": api, "StageName": "$default", "AutoDeploy": True},
    }
    return {
        "Resources": {
            kind.rpartition(":")[2]: {"Type": f"AWS::{kind}", "Properties": given} for kind, given in properties.items()
        },
        "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}},
    }


def curl(url: str, by: Credentials | None = None) -> subprocess.CompletedProcess[str]:
    """The plain command in a clean environment, unsigned or signed."""
    signed = []
    if by is not None:
        signed = ["--aws-sigv4", "aws:amz:eu-central-1:execute-api"]
        signed += ["--user", f"{by.access_key_id}:{by.secret_access_key}"]
    command = ["curl", "-Ssf", *signed, url]
    return subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)


def url_of(developer: LocalAccount, **route: str) -> str:
    assert developer.create(template(**route))["StackStatus"] == "CREATE_COMPLETE"
    return f"{developer.outputs()['Url']}/"


def test_an_open_api_answers_everybody_by_its_own_name(developer: LocalAccount) -> None:
    url = url_of(developer)
    assert developer.client("apigatewayv2").get_apis()["Items"][0]["ApiEndpoint"] + "/" == url
    stranger = developer.aws.make_admin(random_account())
    for caller in (None, developer.credentials, stranger):
        asked = curl(url, caller)
        assert json.loads(asked.stdout or "{}") == {"path": "/"}, asked.stderr
    assert "404" in curl(f"{url}elsewhere").stderr


def test_an_api_that_wants_a_signature_is_closed_to_everybody_else(developer: LocalAccount) -> None:
    url = url_of(developer, AuthorizationType="AWS_IAM")
    assert curl(url, developer.credentials).returncode == 0
    assert curl(url).returncode
    assert curl(url, developer.aws.make_admin(random_account())).returncode

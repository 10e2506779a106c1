"""HTTP APIs of the local AWS: whoever asks, from wherever, reaches what the API leaves open, and nothing else; and
requests that come twice."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.export.assembling.rewrite import settle_logical_ids
from aws_rehearsal.local_aws import Credentials, LocalAws, random_account
from aws_rehearsal_tests.local_account import SOON, LocalAccount, Template

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


def test_a_create_that_is_sent_again_with_its_token_is_the_same(developer: LocalAccount) -> None:
    """What an SDK does whose answer was lost. Another token, or no value to compare, is another request."""
    cloudformation, secrets = developer.client("cloudformation"), developer.client("secretsmanager")
    body = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    made = [
        cloudformation.create_stack(StackName="twice", TemplateBody=body, ClientRequestToken="one")["StackId"]
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with pytest.raises(cloudformation.exceptions.AlreadyExistsException):
        cloudformation.create_stack(StackName="twice", TemplateBody=body, ClientRequestToken="two")
    cloudformation.get_waiter("stack_create_complete").wait(StackName="twice", WaiterConfig=SOON)

    changed = body.replace('"AWS::SNS::Topic"', '"AWS::SNS::Topic", "Properties": {"TopicName": "twice"}')
    update = {"StackName": made[0], "TemplateBody": changed}
    for _ in range(2):
        assert cloudformation.update_stack(**update, ClientRequestToken="three")["StackId"] == made[0]
    cloudformation.get_waiter("stack_update_complete").wait(StackName="twice", WaiterConfig=SOON)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(**update, ClientRequestToken="four")
    begun = cloudformation.describe_stack_events(StackName=made[0])["StackEvents"]
    assert sum((e["LogicalResourceId"], e["ResourceStatus"]) == ("twice", "UPDATE_IN_PROGRESS") for e in begun) == 1

    token = "0b6c3f52-8d5c-4d0b-9a51-1f4f7f0a1c11"
    request = {"Name": "twice", "SecretString": "text", "ClientRequestToken": token}
    assert [secrets.create_secret(**request)["VersionId"] for _ in range(2)] == [token, token]
    for other in ({"SecretString": "other"}, {"ClientRequestToken": token[::-1]}):
        with pytest.raises(secrets.exceptions.ResourceExistsException):
            secrets.create_secret(**{**request, **other})
    secrets.create_secret(Name="empty", ClientRequestToken=token)
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name="empty", ClientRequestToken=token)


def rest_api(path: str) -> Template:
    """A REST API as `amplify export` writes it, as it is delivered."""
    api = {"Ref": "items"}
    mock = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    body = {
        "swagger": "2.0",
        "info": {"title": "items"},
        "paths": {path: {"get": {"x-amazon-apigateway-integration": mock}}},
    }
    allow = {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}
    response = {"RestApiId": api, "ResponseType": "DEFAULT_4XX", "ResponseParameters": allow}
    stage = {"RestApiId": api, "DeploymentId": {"Ref": "DeploymentAPIGWitems289292ee"}, "StageName": "prod"}
    return settle_logical_ids(
        {
            "Resources": {
                "items": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
                "itemsDefault4XXResponse289292ee": {
                    "Type": "AWS::ApiGateway::GatewayResponse",
                    "Properties": response,
                },
                "DeploymentAPIGWitems289292ee": {
                    "Type": "AWS::ApiGateway::Deployment",
                    "DependsOn": ["itemsDefault4XXResponse289292ee"],
                    "Properties": {"RestApiId": api},
                },
                "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": stage},
            },
            "Outputs": {"Api": {"Value": api}},
        }
    )


def test_a_rest_api_whose_body_changes_keeps_its_id_and_its_gateway_responses(developer: LocalAccount) -> None:
    def headers() -> str:
        api = apigateway_host(developer, developer.outputs()["Api"])
        asked = subprocess.run(
            ["curl", "-sSi", f"{api}/prod/elsewhere"],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert " 403 " in asked.stdout.splitlines()[0], asked.stderr
        return asked.stdout.lower()

    assert developer.create(rest_api("/items"))["StackStatus"] == "CREATE_COMPLETE"
    before = developer.outputs()
    assert "access-control-allow-origin: *" in headers()
    assert developer.update(rest_api("/orders"))["StackStatus"] == "UPDATE_COMPLETE"
    assert developer.outputs() == before
    paths = {r["path"] for r in developer.client("apigateway").get_resources(restApiId=before["Api"])["items"]}
    assert paths == {"/", "/orders"}
    assert "access-control-allow-origin: *" in headers()


def apigateway_host(developer: LocalAccount, api: str) -> str:
    return developer.aws.endpoint.replace("127.0.0.1", f"{api}.execute-api.localhost")


def test_pinpoint_keeps_apps_by_account_and_region(developer: LocalAccount, local_aws: LocalAws) -> None:
    pinpoint = developer.client("pinpoint")
    made = pinpoint.create_app(CreateApplicationRequest={"Name": "app", "tags": {"a": "1"}})["ApplicationResponse"]
    assert pinpoint.get_app(ApplicationId=made["Id"])["ApplicationResponse"] == made
    assert made["Arn"] == f"arn:aws:mobiletargeting:{developer.region}:{developer.account}:apps/{made['Id']}"
    elsewhere = local_aws.client("pinpoint", developer.credentials, "us-east-1")
    assert elsewhere.get_apps()["ApplicationsResponse"]["Item"] == []
    pinpoint.tag_resource(ResourceArn=made["Arn"], TagsModel={"tags": {"b": "2"}})
    pinpoint.untag_resource(ResourceArn=made["Arn"], TagKeys=["a"])
    assert pinpoint.list_tags_for_resource(ResourceArn=made["Arn"])["TagsModel"]["tags"] == {"b": "2"}
    pinpoint.delete_app(ApplicationId=made["Id"])
    with pytest.raises(ClientError, match="NotFoundException"):
        pinpoint.get_app(ApplicationId=made["Id"])
    with pytest.raises(ClientError, match="the local AWS plays no POST /v1/apps/x/segments of Pinpoint"):
        pinpoint.create_segment(ApplicationId="x", WriteSegmentRequest={"Name": "s"})


def test_rekognition_keeps_collections(developer: LocalAccount, local_aws: LocalAws) -> None:
    rekognition = developer.client("rekognition")
    made = rekognition.create_collection(CollectionId="faces-dev")
    assert made["CollectionArn"] == f"aws:rekognition:{developer.region}:{developer.account}:collection/faces-dev"
    assert rekognition.describe_collection(CollectionId="faces-dev")["FaceCount"] == 0
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        rekognition.create_collection(CollectionId="faces-dev")
    elsewhere = local_aws.client("rekognition", developer.credentials, "us-east-1")
    assert elsewhere.list_collections()["CollectionIds"] == []
    rekognition.delete_collection(CollectionId="faces-dev")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        rekognition.delete_collection(CollectionId="faces-dev")
    with pytest.raises(ClientError, match="the local AWS plays no ListFaces of Rekognition"):
        rekognition.list_faces(CollectionId="faces-dev")


LOCATION: dict[str, dict[str, Any]] = {
    "map": {"MapName": "m-dev", "Configuration": {"Style": "VectorEsriStreets"}},
    "place_index": {"IndexName": "i-dev", "DataSource": "Here"},
    "geofence_collection": {"CollectionName": "c-dev"},
    "route_calculator": {"CalculatorName": "r-dev", "DataSource": "Esri"},
}


@pytest.mark.parametrize("kind", LOCATION)
def test_location_keeps_what_geo_makes(developer: LocalAccount, kind: str) -> None:
    given = LOCATION[kind]
    name = next(iter(given))
    location = developer.client("location")

    def call(verb: str, **more: object) -> Any:
        return getattr(location, f"{verb}_{kind}")(**{name: given[name]}, **more)

    made = getattr(location, f"create_{kind}")(**given)
    arn = f"arn:aws:geo:{developer.region}:{developer.account}:{kind.replace('_', '-')}/{given[name]}"
    assert made[name.replace("Name", "Arn")] == arn
    with pytest.raises(ClientError, match="ConflictException"):
        getattr(location, f"create_{kind}")(**given)
    call("update", Description="changed")
    assert call("describe")["Description"] == "changed"
    listed = getattr(location, f"list_{kind}{'es' if kind == 'place_index' else 's'}")()
    assert [entry[name] for entry in listed["Entries"]] == [given[name]]
    call("delete")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        call("describe")

"""`@predictions` of the GraphQL transformer, which no real export in `tests/exports` has, added to a copy of `full`.

Resources, names and policies as the transformer writes them (amplify-category-api,
amplify-graphql-predictions-transformer): two data sources of the services themselves, which AppSync signs as one role,
and a function that speaks. The function is our own, and makes the same call.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from unit.export.categories import Template, policy, texts
from unit.export.mutations import MANIFEST, replace_file

STACK = "PredictionsDirectiveStack"
_API = "api/fullapp"
_FILES = f"{_API}/amplify-appsync-files"
_ENV, _API_ID, _BUCKET, _KEY = (
    f"referencetotransformerrootstack{name}"
    for name in (
        "env10C5A902Ref",
        "GraphQLAPI20497F53ApiId",
        "S3DeploymentBucket7592718ARef",
        "S3DeploymentRootKeyA71EA735Ref",
    )
)
_SPEAKS = """
const { PollyClient, SynthesizeSpeechCommand } = require('@aws-sdk/client-polly');
exports.handler = async (event) => {
  const command = new SynthesizeSpeechCommand({ OutputFormat: 'mp3', Text: event.text, VoiceId: event.voiceID });
  return new PollyClient({}).send(command);
};
"""


def with_predictions_directive(export: Path, runtime: str = "nodejs22.x") -> Path:
    """Texts in pictures found, translated and spoken, with the app's storage; `runtime` is the function's."""
    replace_file(export / f"{_FILES}/stacks/{STACK}.json", json.dumps(_stack(runtime)).encode())
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("predictionsLambda.js", _SPEAKS)
    replace_file(export / f"{_FILES}/functions/predictionsLambdaFunction.zip", archive.getvalue())
    schema = (export / f"{_FILES}/schema.graphql").read_text()
    read = "type Query {\n  speakTranslatedIdentifiedText(input: SpeakTranslatedIdentifiedTextInput!): String\n"
    asked = "input SpeakTranslatedIdentifiedTextInput {\n  key: String!\n  voiceID: String\n}\n"
    replace_file(export / f"{_FILES}/schema.graphql", (asked + schema.replace("type Query {\n", read, 1)).encode())
    manifest = json.loads((export / MANIFEST).read_bytes())
    api = manifest["props"]["loadNestedStacks"]["apifullapp"]
    file = {"templateFile": f"{_FILES}/stacks/{STACK}.json", "preserveLogicalIds": True, "loadNestedStacks": {}}
    api["loadNestedStacks"][STACK] = file
    replace_file(export / MANIFEST, json.dumps(manifest).encode())
    template = json.loads((export / api["templateFile"]).read_bytes())
    passed = {
        _ENV: {"Ref": "env"},
        _API_ID: {"Fn::GetAtt": ["GraphQLAPI", "ApiId"]},
        _BUCKET: {"Ref": "S3DeploymentBucket"},
        _KEY: {"Ref": "S3DeploymentRootKey"},
    }
    template["Resources"][STACK] = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"Parameters": passed},
        "DependsOn": ["GraphQLAPITransformerSchema3CB2AE18"],
    }
    replace_file(export / api["templateFile"], json.dumps(template).encode())
    return export


def _in_env(*parts: Any) -> Template:
    def joined(*more: Any) -> Template:
        return {"Fn::Join": ["-", [*parts, *more]]}

    return {"Fn::If": ["HasEnvironmentParameter", joined({"Ref": _ENV}), joined()]}


def _bucket(text: str) -> Template:
    """A text about the storage's bucket, whose name has the stack's suffix in it."""
    suffix = {"hash": {"Fn::Select": [3, {"Fn::Split": ["-", {"Ref": "AWS::StackName"}]}]}}
    inside = {"Fn::Sub": [text.format("fullappbucket7c1d${hash}-${env}"), {**suffix, "env": {"Ref": _ENV}}]}
    return {
        "Fn::If": ["HasEnvironmentParameter", inside, {"Fn::Sub": [text.format("fullappbucket7c1d${hash}"), suffix]}]
    }


def _role(name: str, service: str, **inline: Template) -> Template:
    trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    properties: Template = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
        "RoleName": _in_env(name, {"Ref": _API_ID}),
    }
    if inline:
        properties["Policies"] = [{"PolicyName": n, "PolicyDocument": document} for n, document in inline.items()]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _policy(name: str, action: str, resource: Any = "*") -> Template:
    document = policy(action, resource=resource)
    properties = {"PolicyName": name, "Roles": [{"Ref": "predictionsIAMRole5BB74A99"}], "PolicyDocument": document}
    return {"Type": "AWS::IAM::Policy", "Properties": properties}


def _source(name: str, **more: Any) -> Template:
    role = {"Fn::GetAtt": ["predictionsIAMRole5BB74A99", "Arn"]}
    properties = {"ApiId": {"Ref": _API_ID}, "Name": name, "ServiceRoleArn": role, **more}
    return {"Type": "AWS::AppSync::DataSource", "Properties": properties}


def _service(name: str, service: str) -> Template:
    signed = {"SigningRegion": {"Fn::Sub": "${AWS::Region}"}, "SigningServiceName": service}
    config = {
        "AuthorizationConfig": {"AuthorizationType": "AWS_IAM", "AwsIamConfig": signed},
        "Endpoint": {"Fn::Sub": f"https://{service}.${{AWS::Region}}.amazonaws.com"},
    }
    return _source(name, Type="HTTP", HttpConfig=config)


def _function(name: str, source: str, request: str) -> Template:
    properties = {
        "ApiId": {"Ref": _API_ID},
        "DataSourceName": {"Fn::GetAtt": [source, "Name"]},
        "FunctionVersion": "2018-05-29",
        "Name": name,
        "RequestMappingTemplate": request,
        "ResponseMappingTemplate": "$util.toJson($ctx.result)",
    }
    return {"Type": "AWS::AppSync::FunctionConfiguration", "Properties": properties, "DependsOn": [source]}


def _asking(target: str) -> str:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    request = {"version": "2018-05-29", "method": "POST", "resourcePath": "/", "params": {"headers": headers}}
    return json.dumps(request)


def _stack(runtime: str) -> Template:
    key = {"Fn::Join": ["", [{"Ref": _KEY}, "/functions/predictionsLambdaFunction.zip"]]}
    steps = ("identifyTextFunction", "translateTextFunction", "convertTextToSpeechFunction")
    stash = _bucket('$util.qr($ctx.stash.put("s3Bucket", "{}"))')
    resolver = {
        "ApiId": {"Ref": _API_ID},
        "TypeName": "Query",
        "FieldName": "speakTranslatedIdentifiedText",
        "Kind": "PIPELINE",
        "PipelineConfig": {"Functions": [{"Fn::GetAtt": [step, "FunctionId"]} for step in steps]},
        "RequestMappingTemplate": {"Fn::Join": ["\n", [stash, "{}"]]},
        "ResponseMappingTemplate": "$util.toJson($ctx.result)",
    }
    speaks = {
        "Code": {"S3Bucket": {"Ref": _BUCKET}, "S3Key": key},
        "Handler": "predictionsLambda.handler",
        "Role": {"Fn::GetAtt": ["predictionsLambdaIAMRoleB8AC96D3", "Arn"]},
        "Runtime": runtime,
        "Timeout": 60,
    }
    arn = {"Fn::GetAtt": ["predictionsLambda8B880A74", "Arn"]}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": texts(_ENV, _API_ID, _BUCKET, _KEY),
        "Conditions": {"HasEnvironmentParameter": {"Fn::Not": [{"Fn::Equals": [{"Ref": _ENV}, "NONE"]}]}},
        "Resources": {
            "predictionsIAMRole5BB74A99": _role("predictionsIAMRole", "appsync.amazonaws.com"),
            "PredictionsStorageAccess68CD5140": _policy(
                "PredictionsStorageAccess68CD5140", "s3:GetObject", _bucket("arn:aws:s3:::{}/public/*")
            ),
            "identifyTextAccess5A2D7702": _policy("identifyTextAccess5A2D7702", "rekognition:DetectText"),
            "translateTextAccess74D3AE90": _policy("translateTextAccess74D3AE90", "translate:TranslateText"),
            "PredictionsLambdaAccess4D9DA807": _policy("PredictionsLambdaAccess4D9DA807", "lambda:InvokeFunction", arn),
            "predictionsLambdaIAMRoleB8AC96D3": _role(
                "predictionsLambdaIAMRole", "lambda.amazonaws.com", PollyAccess=policy("polly:SynthesizeSpeech")
            ),
            "predictionsLambda8B880A74": {
                "Type": "AWS::Lambda::Function",
                "Properties": speaks,
                "DependsOn": ["predictionsLambdaIAMRoleB8AC96D3"],
            },
            "RekognitionDataSource": _service("RekognitionDataSource", "rekognition"),
            "TranslateDataSource": _service("TranslateDataSource", "translate"),
            "LambdaDataSource": _source("LambdaDataSource", Type="AWS_LAMBDA", LambdaConfig={"LambdaFunctionArn": arn}),
            steps[0]: _function(steps[0], "RekognitionDataSource", _asking("RekognitionService.DetectText")),
            steps[1]: _function(
                steps[1], "TranslateDataSource", _asking("AWSShineFrontendService_20170701.TranslateText")
            ),
            steps[2]: _function(
                steps[2], "LambdaDataSource", '{"version": "2018-05-29", "operation": "Invoke", "payload": {}}'
            ),
            "QueryspeakTranslatedIdentifiedTextResolver": {"Type": "AWS::AppSync::Resolver", "Properties": resolver},
        },
    }

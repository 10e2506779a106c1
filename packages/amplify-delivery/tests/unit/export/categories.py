"""Categories that no real export in `tests/exports` has, added to a copy of one: predictions and interactions.

Templates in the shape that the Amplify CLI writes (amplify-cli, `amplify-category-predictions` and
`amplify-category-interactions`, cloudformation-templates), with functions of our own that make the same calls.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unit.export.mutations import MANIFEST, replace_file

Template = dict[str, Any]

AUTH_ROLE, UNAUTH_ROLE = {"Ref": "authRoleName"}, {"Ref": "unauthRoleName"}
ROLES = {"authRoleName": {"Ref": "AuthRoleName"}, "unauthRoleName": {"Ref": "UnauthRoleName"}}
SERVICES = {"custom": "customCloudformation", "interactions": "Lex", "predictions": "Predictions", "storage": "S3"}
EMPTY: Mapping[str, Any] = {}
ENDPOINT = "arn:aws:sagemaker:eu-west-1:111111111111:endpoint/price"
"""Of the exporting account: whoever has it elsewhere says so (`keptLiterals`, or the parameter)."""
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")


def add(
    export: Path, category: str, name: str, template: Template, passed: Mapping[str, Any] = EMPTY, **given: str
) -> None:
    """Add a resource of a category: its template, its nested stack in the root, `passed` by the root, `given` by the
    manifest."""
    file = f"{category}/{name}/{name}-template.json"
    replace_file(export / file, json.dumps(template).encode())
    manifest = json.loads((export / MANIFEST).read_bytes())
    manifest["props"]["loadNestedStacks"][category + name] = {
        "templateFile": file,
        "parameters": {**given, "env": manifest["stackName"].split("-")[2]},
        "preserveLogicalIds": True,
        "loadNestedStacks": {},
    }
    root = json.loads((export / manifest["props"]["templateFile"]).read_bytes())
    root["Resources"][category + name] = {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": passed}}
    mapping = json.loads((export / "category-stack-mapping.json").read_bytes())
    mapping.append({"category": category, "resourceName": name, "service": SERVICES[category]})
    for path, content in (
        (MANIFEST, manifest),
        (manifest["props"]["templateFile"], root),
        ("category-stack-mapping.json", mapping),
    ):
        replace_file(export / path, json.dumps(content).encode())


def with_predictions(export: Path) -> Path:
    """Interpret, convert, infer and identify, with a collection of faces that admins fill."""
    add(export, "storage", "photos", storage(), bucketName="photos7c1d")
    detecting = policy("comprehend:DetectSentiment", "comprehend:DetectEntities")
    add(export, "predictions", "mood", predicting("interpret", detecting), ROLES, **named("interpret"))
    speaking = policy("polly:SynthesizeSpeech")
    add(export, "predictions", "speech", predicting("convert", speaking), ROLES, **named("convert"))
    asking = policy("sagemaker:InvokeEndpoint", resource={"Ref": "endpointARN"})
    model = predicting("infer", asking, "endpointARN")
    add(export, "predictions", "price", model, ROLES, **named("infer"), endpointARN=ENDPOINT)
    bucket = {"storagephotosBucketName": {"Fn::GetAtt": ["storagephotos", "Outputs.BucketName"]}}
    add(export, "predictions", "faces", faces(), {**ROLES, **bucket}, **named("identify", "faces7c1d"))
    return export


def with_interactions(export: Path) -> Path:
    """A bot of Lex V1, made by a function whose zip the CLI has built; an intent calls a function of the backend."""
    roles = {**ROLES, "authRoleArn": {"Fn::GetAtt": ["AuthRole", "Arn"]}}
    add(export, "interactions", "lex7c1d", bot(), roles, deploymentBucketName="amplify-iamapp-dev", s3Key="bot.zip")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.js", BOT)
    replace_file(export / "interactions/lex7c1d/amplify-builds/lex7c1d-1-build.zip", archive.getvalue())
    return export


def named(kind: str, resource: str = "one") -> dict[str, str]:
    return {"resourceName": resource, f"{kind}PolicyName": f"{kind}7c1d", f"{kind}Type": "text", "access": "auth"}


def storage() -> Template:
    bucket = {"BucketName": with_env({"Ref": "bucketName"})}
    return {
        "Parameters": texts("bucketName", "env"),
        "Resources": {"S3Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket}},
        "Outputs": {"BucketName": {"Value": {"Ref": "S3Bucket"}}},
    }


def predicting(kind: str, document: Template, *more: str) -> Template:
    """Users of the two auth roles may call a service: nothing else is made."""
    both = {"Fn::If": ["AuthGuestRoleAccess", [AUTH_ROLE, UNAUTH_ROLE], [AUTH_ROLE]]}
    properties = {"PolicyName": {"Ref": f"{kind}PolicyName"}, "Roles": both, "PolicyDocument": document}
    return {
        "Parameters": texts(*ROLES, f"{kind}PolicyName", f"{kind}Type", "resourceName", "access", "env", *more),
        "Mappings": {"RegionMapping": {region: {"text": region} for region in REGIONS}},
        "Conditions": {"AuthGuestRoleAccess": {"Fn::Equals": [{"Ref": "access"}, "authAndGuest"]}},
        "Resources": {"Policy": {"Type": "AWS::IAM::Policy", "Properties": properties}},
        "Outputs": {
            "region": {"Value": {"Fn::FindInMap": ["RegionMapping", {"Ref": "AWS::Region"}, {"Ref": f"{kind}Type"}]}}
        },
    }


COLLECTION = """
const response = require('cfn-response');
const sdk = require('@aws-sdk/client-rekognition');
const storage = require('@aws-sdk/client-s3');
async function answered(event) {
  const { collectionId, region, bucketName } = event.ResourceProperties;
  const rekognition = new sdk.RekognitionClient({ region });
  if (event.RequestType === 'Delete') {
    return rekognition.send(new sdk.DeleteCollectionCommand({ CollectionId: collectionId }));
  }
  const { CollectionIds = [] } = await rekognition.send(new sdk.ListCollectionsCommand({}));
  if (CollectionIds.includes(collectionId)) return {};
  const made = await rekognition.send(new sdk.CreateCollectionCommand({ CollectionId: collectionId }));
  const Key = 'protected/predictions/index-faces/admin/';
  await new storage.S3Client({}).send(new storage.PutObjectCommand({ Bucket: bucketName, Key }));
  return made;
}
exports.handler = (event, context) => {
  answered(event).then(
    (made) => response.send(event, context, response.SUCCESS, { Arn: made.CollectionArn }),
    (error) => response.send(event, context, response.FAILED, { Error: error.name }),
  );
};
"""


def faces() -> Template:
    template = predicting("identify", policy("rekognition:DetectFaces"), "storagephotosBucketName")
    name = with_env({"Ref": "resourceName"})
    collection = {"Fn::Join": ["", ["arn:aws:rekognition:", *HERE, ":collection/", name]]}
    objects = {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "storagephotosBucketName"}, "/*"]]}
    makes = policy("rekognition:CreateCollection", "rekognition:DeleteCollection", "s3:PutObject")
    makes["Statement"][0]["Resource"] = [collection, objects]
    makes["Statement"].append({"Effect": "Allow", "Action": ["rekognition:ListCollections"], "Resource": "*"})
    search = policy("rekognition:SearchFacesByImage", resource=[collection])
    template["Resources"] |= {
        "CollectionCreationFunction": function(COLLECTION, "CollectionsLambdaExecutionRole"),
        "CollectionsLambdaExecutionRole": role(name, identify=makes),
        "CollectionFunctionOutputs": callout(
            "CollectionCreationFunction", collectionId=name, bucketName={"Ref": "storagephotosBucketName"}
        ),
        "SearchFaces": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "searchFaces7c1d", "Roles": [AUTH_ROLE], "PolicyDocument": search},
        },
    }
    template["Outputs"]["collectionId"] = {"Value": name}
    return template


BOT = """
const response = require('cfn-response');
const lex = require('@aws-sdk/client-lex-model-building-service');
exports.handler = (event, context) => {
  const client = new lex.LexModelBuildingServiceClient({ region: event.ResourceProperties.lexRegion });
  const uri = 'arn:aws:lambda:us-east-1:111111111111:function:orders-dev';
  const name = `shop_bot_${process.env.ENV}`;
  const bot = { intents: [{ codeHook: { uri } }], name, locale: 'en-US', childDirected: false };
  client.send(new lex.PutBotCommand(bot)).then(
    () => response.send(event, context, response.SUCCESS),
    () => response.send(event, context, response.FAILED),
  );
};
"""


def bot() -> Template:
    asking = policy("lex:PostContent", "lex:PostText", resource=[{"Fn::Join": ["", ["arn:aws:lex:", *HERE, ":bot:*"]]}])
    region = {"Fn::FindInMap": ["RegionMapping", {"Ref": "AWS::Region"}, "lexRegion"]}
    return {
        "Parameters": texts(*ROLES, "authRoleArn", "deploymentBucketName", "s3Key", "env"),
        "Mappings": {"RegionMapping": {here: {"lexRegion": here} for here in REGIONS}},
        "Resources": {
            "LambdaFunction": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"S3Bucket": {"Ref": "deploymentBucketName"}, "S3Key": {"Ref": "s3Key"}},
                    "Handler": "index.handler",
                    "FunctionName": with_env("shop_cfnlambda_7c1d"),
                    "Role": {"Fn::GetAtt": ["LambdaExecutionRole", "Arn"]},
                    "Environment": {"Variables": {"ENV": {"Ref": "env"}}},
                    "Runtime": "nodejs22.x",
                    "Timeout": 300,
                },
            },
            "LambdaExecutionRole": role(
                with_env("lexLambdaRole7c1d"),
                lexPolicy=policy("lex:*"),
                IAMPolicy=policy("iam:*"),
                all=policy("lambda:*"),
            ),
            "LambdaFunctionOutputs7c1d": callout("LambdaFunction", lexRegion=region),
            "CognitoAuthPolicy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyName": "lex_amplify_7c1d", "Roles": [AUTH_ROLE], "PolicyDocument": asking},
            },
        },
        "Outputs": {"BotName": {"Value": with_env("shop_bot")}, "Region": {"Value": region}},
    }


HERE = ({"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"})


def texts(*names: str) -> Template:
    return {name: {"Type": "String"} for name in names}


def with_env(name: Any) -> Template:
    return {"Fn::Join": ["", [name, "-", {"Ref": "env"}]]}


def policy(*actions: str, resource: Any = "*") -> Template:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(name: Any, **policies: Template) -> Template:
    trusted = {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}
    inline = [{"PolicyName": called, "PolicyDocument": document} for called, document in policies.items()]
    trust = {"Version": "2012-10-17", "Statement": [trusted]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust, "Policies": inline},
    }


def function(code: str, made_with: str) -> Template:
    properties: Template = {
        "Code": {"ZipFile": {"Fn::Join": ["\n", code.strip().splitlines()]}},
        "Handler": "index.handler",
        "Runtime": "nodejs22.x",
        "Timeout": 300,
        "Role": {"Fn::GetAtt": [made_with, "Arn"]},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def callout(by: str, **properties: Any) -> Template:
    token = {"ServiceToken": {"Fn::GetAtt": [by, "Arn"]}, "region": {"Ref": "AWS::Region"}}
    return {"Type": "Custom::LambdaCallout", "Properties": {**token, **properties}}

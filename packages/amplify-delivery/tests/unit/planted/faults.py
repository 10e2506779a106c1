"""Sixty faults that users have met, each planted in a real export or app: what it is, who reported it, where it is
planted, and what of it must be told before CloudFormation is called.

They are taken from public reports, from AWS's documented limits and from the reported cases, and were chosen by what
happens to users, before it was known whether anything finds them. A change is written as in `unit.export.mutations`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unit.export.mutations import MANIFEST, replace_file

CLI, API = "aws-amplify/amplify-cli#", "aws-amplify/amplify-category-api#"
CONSTRUCT = "aws-amplify/amplify-cli-export-construct#"
LIMITS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
CASE = "case "
"""A source that is one of the reported cases, of the folder that AMPLIFY_DELIVERY_CASES names."""

Change = Sequence[Sequence[Any]] | Callable[[Path], None]


@dataclass(frozen=True)
class Fault:
    """One fault: `found` is the id that must be told, `file` a part of what it says of where that is."""

    name: str
    source: str
    place: str
    """`full` and the like: of tests/exports; `kitchen`, `large`: AMPLIFY_DELIVERY_EXPORTS; else an app of
    AMPLIFY_DELIVERY_APPS."""
    do: Change
    found: str
    file: str
    severity: str = "refused"
    """`delivered`: nothing is told, what is delivered is what the untouched export delivers."""
    environment: str = ""
    """Default: the exported one."""
    region: str = "us-east-1"
    deployed: bool = False
    """Whether the untouched export is deployed, and this comes as a change."""


ROOT = "root-stack-template.json"
NESTED = "/props/loadNestedStacks"


def _stacks(app: str, name: str) -> str:
    return f"api/{app}/amplify-appsync-files/stacks/{name}.json"


def _schema(app: str) -> str:
    return f"api/{app}/amplify-appsync-files/schema.graphql"


def _resource(file: str, name: str, kind: str, **properties: Any) -> list[Any]:
    return ["set", file, f"/Resources/{name}", {"Type": kind, "Properties": properties}]


def _in_text(file: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        replace_file(folder / file, text.replace(old, new).encode())

    return change


def _layer_and_function() -> list[list[Any]]:
    """A layer and a function that has it, each of 130 MB."""
    layer, function = "kitchenappnodelayer", "AdminQueries0eaa2331"
    template = f"function/{function}/{function}-cloudformation-template.json"
    layer_zip = f"function/{layer}/amplify-builds/{layer}-LambdaLayerVersiond8cdecfe-build.zip"
    function_zip = f"function/{function}/amplify-builds/{function}-756349547a6131356755-build.zip"
    arn = {"Fn::GetAtt": [f"function{layer}", "Outputs.Arn"]}
    return [
        ["set", ROOT, f"/Resources/function{function}/Properties/Parameters/layerArn", arn],
        ["set", template, "/Parameters/layerArn", {"Type": "String"}],
        ["set", template, "/Resources/LambdaFunction/Properties/Layers", [{"Ref": "layerArn"}]],
        ["zeros", layer_zip, "nodejs/model.bin", 130 << 20],
        ["zeros", function_zip, "data.bin", 130 << 20],
    ]


def _key(name: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"}]


def _index(name: str, attribute: str = "id") -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": _key(attribute), "Projection": {"ProjectionType": "ALL"}}


C_FUNCTION = "function/lowstockproducts/lowstockproducts-cloudformation-template.json"
C_AUTH = "auth/productcatalog90174ac4/productcatalog90174ac4-cloudformation-template.json"
C_STORAGE = "storage/s338e5b439/cloudformation-template.json"
C_API = "api/productcatalog/cloudformation-template.json"
F_AUTH = "auth/fitnesstracker6b0fc1196b0fc119/fitnesstracker6b0fc1196b0fc119-cloudformation-template.json"
F_REST = "api/nutritionapi/nutritionapi-cloudformation-template.json"
F_FUNCTION = "function/lognutrition/lognutrition-cloudformation-template.json"
M_AUTH = "auth/mediavault1f08412d/mediavault1f08412d-cloudformation-template.json"
D_FUNCTION = "function/recorduseractivity/recorduseractivity-cloudformation-template.json"
D_TABLE = "storage/activity/activity-cloudformation-template.json"
K_AUTH = "auth/kitchenappauth/kitchenappauth-cloudformation-template.json"
K_CUSTOM = "custom/mycfn/mycfn-cloudformation-template.json"
K_LAYER = "function/kitchenappnodelayer/kitchenappnodelayer-awscloudformation-template.json"
U_STORAGE = "storage/fullappstorage/cloudformation-template.json"
U_AUTH = "auth/fullappauth/fullappauth-cloudformation-template.json"
U_TRIGGER = "function/S3Trigger7c1dfull/S3Trigger7c1dfull-cloudformation-template.json"
D_CUSTOM, C_CUSTOM, U_CUSTOM = (_stacks(app, "CustomResources") for app in ("discussions", "productcatalog", "fullapp"))
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1024\n"
VTL = "api/mediavault/amplify-appsync-files/resolvers/GenerateThumbnailResponse.message.req.vtl"
INVOKED = {"Fn::Join": ["", ["arn:aws:execute-api:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":%s/*"]]}
U_HELLO = "function/helloFn/helloFn-cloudformation-template.json"
U_ZIP = "function/helloFn/amplify-builds/helloFn-70532f7a723233524266-build.zip"

FAULTS = (
    Fault(
        "a hosted UI domain with a reserved word",
        f"{CLI}3854",
        "media-vault",
        [["set", MANIFEST, f"{NESTED}/authmediavault1f08412d/parameters/hostedUIDomainName", "newcognito-photos"]],
        "AD733",
        "authmediavault1f08412d",
    ),
    Fault(
        "a hosted UI domain that begins with a hyphen",
        f"{CLI}2869",
        "kitchen",
        [["set", MANIFEST, f"{NESTED}/authkitchenappauth/parameters/hostedUIDomainName", "-kitchenapp"]],
        "AD733",
        "authkitchenappauth",
    ),
    Fault(
        "a role's name too long in an environment with a long name",
        f"{CLI}9926",
        "discussions",
        [
            [
                "set",
                D_FUNCTION,
                "/Resources/LambdaExecutionRole/Properties/RoleName",
                {"Fn::Join": ["", ["discussions22367c68VerifyAuthChallengeResponseLambdaRole", "-", {"Ref": "env"}]]},
            ]
        ],
        "AD733",
        "functionrecorduseractivity",
        environment="production",
    ),
    Fault(
        "a function's name too long",
        f"{CLI}566",
        "product-catalog",
        [
            [
                "set",
                C_FUNCTION,
                "/Resources/LambdaFunction/Properties/FunctionName",
                {"Fn::Sub": "DynamoDBToElasticSearchFunction-ofrev3hk2fefjbvyqk2rfb26ri-${env}lop"},
            ]
        ],
        "AD733",
        "functionlowstockproducts",
    ),
    Fault(
        "a bucket's name too long with its environment",
        f"{CLI}13364",
        "media-vault",
        [["set", MANIFEST, f"{NESTED}/storagemediavault/parameters/bucketName", "projnewcomponents" + "a" * 41]],
        "AD733",
        "storagemediavault",
    ),
    Fault(
        "a role's inline policy too large for many REST paths",
        f"{CLI}2084",
        "fitness-tracker",
        [
            [
                "append",
                F_REST,
                "/Resources/AdminGroupnutritionlogPolicy/Properties/PolicyDocument/Statement/0/Resource",
                200,
                {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${nutritionapi}/*/POST/log/%s/*"},
            ]
        ],
        "AD735",
        "apinutritionapi",
    ),
    Fault(
        "a managed policy too large for many REST paths",
        "aws-cloudformation/cfn-lint#811",
        "fitness-tracker",
        [
            [
                "append",
                "auth/APIGatewayAuthStack.json",
                "/Resources/PolicyAPIGWAuth1/Properties/PolicyDocument/Statement/0/Resource",
                150,
                {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${nutritionapi}/*/log/%s"},
            ]
        ],
        "AD735",
        "APIGatewayAuthStack",
    ),
    Fault(
        "a new function with a runtime that is gone",
        f"{CLI}13949",
        "product-catalog",
        [["set", C_FUNCTION, "/Resources/LambdaFunction/Properties/Runtime", "nodejs12.x"]],
        "AD745",
        "functionlowstockproducts/LambdaFunction",
    ),
    Fault(
        "a schema with an input type that is not there",
        f"{API}1218",
        "todo",
        _in_text(_schema("mytodoapp"), "input CreateTodoInput {", "input CreateTodosInput {"),
        "AD705",
        "apimytodoapp",
    ),
    Fault(
        "a schema with a model as an argument",
        f"{CLI}12851",
        "discussions",
        _in_text(_schema("discussions"), "type Mutation {", "type Mutation {\n  saveModel(object: Topic): String"),
        "AD705",
        "apidiscussions",
    ),
    Fault(
        "a resolver of a type that is not in the schema",
        "aws-amplify/amplify-js#4331",
        "full",
        [
            _resource(
                U_CUSTOM,
                "AnnounceQueryResultResolver",
                "AWS::AppSync::Resolver",
                ApiId={"Ref": "AppSyncApiId"},
                TypeName="Announcement",
                FieldName="announceQueryResult",
                DataSourceName="NONE_DS",
            )
        ],
        "AD706",
        "CustomResourcesjson",
    ),
    Fault(
        "a second resolver of one field",
        "aws-amplify/amplify-studio#953",
        "product-catalog",
        [
            _resource(
                C_CUSTOM,
                "MyGetProduct",
                "AWS::AppSync::Resolver",
                ApiId={"Ref": "AppSyncApiId"},
                TypeName="Query",
                FieldName="getProduct",
                DataSourceName="NONE_DS",
            )
        ],
        "AD707",
        "Query.getProduct",
    ),
    Fault(
        "a table with 21 global secondary indexes",
        f"{API}1812",
        "todo",
        [
            [
                "set",
                _stacks("mytodoapp", "Todo"),
                "/Resources/TodoTable/Properties/GlobalSecondaryIndexes",
                [_index(f"by{n}") for n in range(21)],
            ]
        ],
        "AD736",
        "apimytodoapp/Todo",
    ),
    Fault(
        "an index that names attributes and projects all",
        "cloudposse/terraform-aws-dynamodb#39",
        "discussions",
        [
            [
                "set",
                D_TABLE,
                "/Resources/DynamoDBTable/Properties/GlobalSecondaryIndexes/0/Projection",
                {"ProjectionType": "ALL", "NonKeyAttributes": ["timestamp"]},
            ]
        ],
        "AD736",
        "storageactivity",
    ),
    Fault(
        "a key whose attribute is not defined",
        "awsdocs/aws-cloudformation-user-guide#406",
        "fitness-tracker",
        [
            [
                "set",
                _stacks("fitnesstracker", "Meal"),
                "/Resources/MealTable/Properties/AttributeDefinitions/0/AttributeName",
                "mealId",
            ]
        ],
        "AD700",
        "apifitnesstracker/Meal",
    ),
    Fault(
        "environment variables over 4 KB",
        "aws-amplify/amplify-backend#2839",
        "discussions",
        [
            [
                "repeat",
                D_FUNCTION,
                "/Resources/LambdaFunction/Properties/Environment/Variables/GOOGLE_CREDENTIALS",
                "0123456789abcdef",
                260,
            ]
        ],
        "AD700",
        "functionrecorduseractivity",
    ),
    Fault(
        "a function and its layer over 250 MB together",
        "aws-amplify/amplify-js#8478",
        "kitchen",
        _layer_and_function(),
        "AD432",
        "function/AdminQueries0eaa2331",
    ),
    Fault(
        "nested stacks that wait for one another",
        f"{API}2554",
        "full",
        [["set", ROOT, "/Resources/authfullappauth/DependsOn", ["apifullapp"]]],
        "AD700",
        "root stack",
    ),
    Fault(
        "a bucket and its trigger's permission that need one another",
        "https://repost.aws/knowledge-center/unable-validate-circular-dependency-cloudformation",
        "product-catalog",
        [["set", C_STORAGE, "/Resources/TriggerPermissions/Properties/SourceArn", {"Fn::GetAtt": ["S3Bucket", "Arn"]}]],
        "AD700",
        "storages338e5b439",
    ),
    Fault(
        "a bucket's trigger that S3 may not call",
        "hashicorp/terraform#19756",
        "full",
        [
            ["delete", U_STORAGE, "/Resources/TriggerPermissions"],
            ["delete", U_STORAGE, "/Resources/S3Bucket/DependsOn"],
        ],
        "AD738",
        "storagefullappstorage",
    ),
    Fault(
        "a nested stack whose template is a file of this machine",
        "aws/aws-cli#3200",
        "kitchen",
        [_resource(K_CUSTOM, "Queues", "AWS::CloudFormation::Stack", TemplateURL="./nested/queues.yaml")],
        "AD709",
        "custommycfn",
    ),
    Fault(
        "a parameter that the nested template does not declare",
        "aws/aws-cdk#3552",
        "todo",
        [["set", "api/mytodoapp/cloudformation-template.json", "/Resources/Todo/Properties/Parameters/Owner", "me"]],
        "AD302",
        "stacks/Todo.json",
        "warning",
    ),
    Fault(
        "a layer without its runtimes",
        f"{CLI}9599",
        "kitchen",
        [["delete", MANIFEST, f"{NESTED}/functionkitchenappnodelayer/parameters/runtimes"]],
        "AD304",
        K_LAYER,
    ),
    Fault(
        "a mapping without the environment",
        f"{CASE}env-map",
        "discussions",
        [
            ["set", D_FUNCTION, "/Mappings", {"tables": {"dev": {"size": "5"}, "prod": {"size": "50"}}}],
            [
                "set",
                D_FUNCTION,
                "/Resources/LambdaFunction/Properties/Environment/Variables/SIZE",
                {"Fn::FindInMap": ["tables", {"Ref": "env"}, "size"]},
            ],
        ],
        "AD730",
        "functionrecorduseractivity",
    ),
    Fault(
        "an output that is there under a condition",
        f"{CASE}param-getatt",
        "product-catalog",
        [["set", C_AUTH, "/Outputs/UserPoolId/Condition", "ShouldNotCreateEnvResources"]],
        "AD703",
        "root stack",
    ),
    Fault(
        "a layer of another region",
        f"{CASE}layer-region",
        "fitness-tracker",
        [
            [
                "set",
                F_FUNCTION,
                "/Resources/LambdaFunction/Properties/Layers",
                ["arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsTypeScript:11"],
            ]
        ],
        "AD731",
        "functionlognutrition",
        region="eu-central-1",
    ),
    Fault(
        "a resolver that is a Git LFS pointer",
        f"{CASE}lfs-pointer",
        "media-vault",
        [["write", VTL, LFS]],
        "AD104",
        VTL,
    ),
    Fault(
        "a zip from Windows",
        f"{CASE}go-windows",
        "full",  # the zips of the apps have an AD431 of their own
        [
            ["set", U_HELLO, "/Resources/LambdaFunction/Properties/Runtime", "provided.al2023"],
            ["zip", U_ZIP, {"bootstrap": "#!/bin/sh"}, 0o644],
        ],
        "AD431",
        U_ZIP,
        "warning",
    ),
    Fault(
        "a template over 1 MB",
        f"{CASE}template-1mb",
        "product-catalog",
        [["repeat", C_API, "/Description", "x", 1_000_001]],
        "AD504",
        C_API,
    ),
    Fault(
        "a CDK construct with an asset",
        f"{CASE}cdk-asset-small",
        "discussions",
        [
            _resource(
                D_CUSTOM,
                "Prune",
                "AWS::Lambda::Function",
                Handler="index.handler",
                Runtime="nodejs22.x",
                Role={"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/prune"},
                Code={
                    "S3Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"},
                    "S3Key": "8f3e.zip",
                },
            )
        ],
        "AD430",
        D_CUSTOM,
    ),
    Fault(
        "two indexes at once on a deployed table",
        f"{CASE}update-two-gsis",
        "discussions",
        [
            [
                "append",
                _stacks("discussions", "Post"),
                "/Resources/PostTable/Properties/GlobalSecondaryIndexes",
                2,
                _index("by%s", "topicPostsId"),
            ]
        ],
        "AD741",
        "apidiscussions/Post/PostTable",
        deployed=True,
    ),
    Fault(
        "another primary key of a deployed table",
        f"{CASE}update-primary-key",
        "product-catalog",
        [
            ["set", _stacks("productcatalog", "Product"), "/Resources/ProductTable/Properties/KeySchema", _key("sku")],
            [
                "set",
                _stacks("productcatalog", "Product"),
                "/Resources/ProductTable/Properties/AttributeDefinitions/0/AttributeName",
                "sku",
            ],
        ],
        "AD743",
        "apiproductcatalog/Product/ProductTable",
        deployed=True,
    ),
    Fault(
        "another required attribute of a deployed user pool",
        f"{CASE}update-pool-attribute",
        "fitness-tracker",
        [
            [
                "append",
                F_AUTH,
                "/Resources/UserPool/Properties/Schema",
                1,
                {"Name": "family_name", "Required": True, "Mutable": True},
            ]
        ],
        "AD742",
        "UserPool",
        deployed=True,
    ),
    Fault(
        "a template with 501 resources",
        LIMITS,
        "full",
        [["fill", _stacks("fullapp", "TodoList"), "/Resources", 501, {"Type": "AWS::SNS::Topic"}]],
        "AD501",
        "TodoList",
    ),
    Fault(
        "a template with more than 200 parameters",
        LIMITS,
        "full",
        [["fill", _stacks("fullapp", "TodoList"), "/Parameters", 260, {"Type": "String", "Default": "%s"}]],
        "AD502",
        "TodoList",
    ),
    Fault(
        "two stacks that export one name",
        f"{CLI}1581",
        "full",
        [
            [
                "set",
                _stacks("fullapp", "TodoList"),
                "/Outputs/GetAttTodoListTableName/Export/Name/Fn::Join/1/1",
                "GetAtt:TodoTable:Name",
            ]
        ],
        "AD739",
        "apifullapp",
    ),
    Fault(
        "a schedule that EventBridge does not understand",
        "aws-amplify/amplify-hosting#1357",
        "discussions",
        [
            _resource(
                D_FUNCTION,
                "CloudWatchEvent",
                "AWS::Events::Rule",
                ScheduleExpression="cron(30 * * * *)",
                State="ENABLED",
                Targets=[{"Arn": {"Fn::GetAtt": ["LambdaFunction", "Arn"]}, "Id": "fn"}],
            )
        ],
        "AD700",
        "functionrecorduseractivity",
    ),
    Fault(
        "the output of an auth resource that is not there",
        f"{CLI}5791",
        "full",
        [
            [
                "set",
                ROOT,
                "/Resources/apifullapp/Properties/Parameters/AuthCognitoUserPoolId",
                {"Fn::GetAtt": ["authmyappb0dd2e14", "Outputs.UserPoolId"]},
            ]
        ],
        "AD700",
        "root stack",
    ),
    Fault(
        "the manifest of an export from Windows",
        f"{CLI}9124",
        "fitness-tracker",
        [["set", MANIFEST, f"{NESTED}/APIGatewayAuthStack/templateFile", "auth\\APIGatewayAuthStack.json"]],
        "",
        "",
        "delivered",
    ),
    Fault(
        "an auth stack without resources",
        f"{CLI}7310",
        "fitness-tracker",
        [["set", "auth/APIGatewayAuthStack.json", "/Resources", {}]],
        "AD207",
        "auth/APIGatewayAuthStack.json",
        "repaired",
    ),
    Fault(
        "a stream's trigger whose role may not read the stream",
        f"{CLI}12965",
        "discussions",
        [
            ["delete", D_FUNCTION, "/Resources/LambdaTriggerPolicyTopic"],
            ["set", D_FUNCTION, "/Resources/LambdaEventSourceMappingTopic/DependsOn", ["LambdaExecutionRole"]],
        ],
        "AD738",
        "functionrecorduseractivity",
    ),
    Fault(
        "the stream of a table that has none",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        "discussions",
        [["delete", D_TABLE, "/Resources/DynamoDBTable/Properties/StreamSpecification"]],
        "AD736",
        "storageactivity",
    ),
    Fault(
        "a user pool with aliases beside user names",
        "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html",
        "media-vault",
        [["set", M_AUTH, "/Resources/UserPool/Properties/AliasAttributes", ["email"]]],
        "AD737",
        "authmediavault1f08412d",
    ),
    Fault(
        "another definition of an attribute of a deployed user pool",
        "aws-amplify/amplify-js#6459",
        "media-vault",
        [["set", M_AUTH, "/Resources/UserPool/Properties/Schema/0/Mutable", False]],
        "AD742",
        "UserPool",
        deployed=True,
    ),
    Fault(
        "an app client that reads an attribute that the pool does not have",
        f"{CLI}12887",
        "full",
        [["set", U_AUTH, "/Resources/UserPoolClient/Properties/ReadAttributes", ["email", "custom:company"]]],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "a callback by plain http",
        "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html",
        "media-vault",
        [["set", M_AUTH, "/Resources/UserPoolClientWeb/Properties/CallbackURLs", ["http://photos.example.com/"]]],
        "AD737",
        "authmediavault1f08412d",
    ),
    Fault(
        "a stack name with a region in it",
        f"{CONSTRUCT}73",
        "todo",
        [["set", MANIFEST, "/stackName", "amplify-mytodoapp-dev-us-west-2982135724133-151709"]],
        "AD201",
        MANIFEST,
    ),
    Fault(
        "a statement id with a hyphen",
        "hashicorp/terraform#11444",
        "discussions",
        [
            [
                "set",
                D_FUNCTION,
                "/Resources/lambdaexecutionpolicy/Properties/PolicyDocument/Statement/0/Sid",
                "Allow-Logs",
            ]
        ],
        "AD700",
        "functionrecorduseractivity",
    ),
    Fault(
        "a type that the region does not have",
        f"{CLI}4453",
        "todo",
        [_resource(_stacks("mytodoapp", "Todo"), "Queue", "AWS::MediaConvert::Queue", Name="thumbnails")],
        "AD700",
        "apimytodoapp/Todo",
        region="ap-southeast-4",
    ),
    Fault(
        "two roles of one name",
        f"{CLI}7296",
        "full",
        [
            [
                "set",
                U_TRIGGER,
                "/Resources/LambdaExecutionRole/Properties/RoleName",
                {"Fn::Join": ["", ["fullappLambdaRole941c42ef", "-", {"Ref": "env"}]]},
            ]
        ],
        "AD739",
        "LambdaExecutionRole",
    ),
    Fault(
        "a blank template of the API",
        f"{CLI}9009",
        "product-catalog",
        [["write", C_API, ""]],
        "AD103",
        C_API,
    ),
    Fault(
        "a logical id with a hyphen",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html",
        "kitchen",
        [_resource(K_CUSTOM, "my-queue", "AWS::SQS::Queue")],
        "AD700",
        "custommycfn",
    ),
    Fault(
        "a method that S3 does not allow in CORS",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-corsrule.html",
        "product-catalog",
        [
            [
                "append",
                C_STORAGE,
                "/Resources/S3Bucket/Properties/CorsConfiguration/CorsRules/0/AllowedMethods",
                1,
                "OPTIONS",
            ]
        ],
        "AD700",
        "storages338e5b439",
    ),
    Fault(
        "two variables at one place of a REST API's paths",
        "serverless/serverless#6783",
        "fitness-tracker",
        [
            ["set", F_REST, "/Resources/nutritionapi/Properties/Body/paths/~1nutrition~1{id}", {}],
            ["set", F_REST, "/Resources/nutritionapi/Properties/Body/paths/~1nutrition~1{meal}~1items", {}],
        ],
        "AD708",
        "apinutritionapi",
    ),
    Fault(
        "a subnet in a zone of another region",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
        "discussions",
        [
            _resource(
                D_CUSTOM,
                "Subnet",
                "AWS::EC2::Subnet",
                VpcId="vpc-0a1b2c3d",
                CidrBlock="10.0.1.0/24",
                AvailabilityZone="us-east-1a",
            )
        ],
        "AD734",
        "CustomResourcesjson",
        region="eu-west-1",
    ),
    Fault(
        "secrets that another account does not have",
        "aws-amplify/docs#3960",
        "discussions",
        [
            ["set", D_FUNCTION, "/Parameters/secretsPathAmplifyAppId", {"Type": "String"}],
            [
                "set",
                MANIFEST,
                f"{NESTED}/functionrecorduseractivity/parameters/secretsPathAmplifyAppId",
                "d2x7example1qz",
            ],
        ],
        "AD307",
        D_FUNCTION,
        "warning",
    ),
    Fault(
        "a deployment bucket of one name in every environment",
        f"{CLI}12449",
        "todo",
        [["set", MANIFEST, "/props/parameters/DeploymentBucketName", "my-team-deployments"]],
        "AD308",
        MANIFEST,
        "warning",
    ),
    Fault(
        "a value that the API's template does not declare",
        f"{CONSTRUCT}66",
        "product-catalog",
        [["set", MANIFEST, f"{NESTED}/apiproductcatalog/parameters/AuthModeLastUpdated", "2023-07-10T10:00:00.000Z"]],
        "AD302",
        C_API,
        "warning",
    ),
    Fault(
        "a custom stack that is not passed what it needs",
        f"{CLI}2773",
        "kitchen",
        [["set", K_CUSTOM, "/Parameters/functionOneFunctionArn", {"Type": "String"}]],
        "AD304",
        K_CUSTOM,
    ),
    Fault(
        "Cognito's triggers left out of the export",
        f"{CLI}13297",
        "fitness-tracker",
        [["remove", "auth/auth-trigger-cloudformation-template.json"]],
        "AD206",
        "auth/",
    ),
)

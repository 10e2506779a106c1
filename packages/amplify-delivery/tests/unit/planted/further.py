"""Further faults, tried after the sixty of `unit.planted.faults`, and what is like them and right.

FURTHER were found in public reports of pushed and exported backends; RIGHT is what users have and AWS takes: nothing of
it may be refused. Both are written as the sixty are.
"""

from __future__ import annotations

from typing import Any

from unit.export.mutations import MANIFEST
from unit.planted.faults import API, CLI, NESTED, ROOT, U_AUTH, Fault

U_FUNCTION = "function/helloFn/helloFn-cloudformation-template.json"
U_REST = "api/itemsapi/itemsapi-cloudformation-template.json"
U_TODO = "api/fullapp/amplify-appsync-files/stacks/Todo.json"
U_GROUPS = "auth/userPoolGroups/userPoolGroups-cloudformation-template.json"
POOL, PROPERTIES = "/Resources/UserPool/Properties", "/Resources/LambdaFunction/Properties"
COGNITO = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPool.html"
CRON = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html"


def _auth(parameter: str, value: Any) -> list[Any]:
    return ["set", MANIFEST, f"{NESTED}/authfullappauth/parameters/{parameter}", value]


def _scheduled(schedule: str) -> list[list[Any]]:
    rule = {
        "ScheduleExpression": {"Ref": "CloudWatchRule"},
        "State": "ENABLED",
        "Targets": [{"Arn": {"Fn::GetAtt": ["LambdaFunction", "Arn"]}, "Id": "fn"}],
    }
    return [
        ["set", U_FUNCTION, "/Resources/CloudWatchEvent", {"Type": "AWS::Events::Rule", "Properties": rule}],
        ["set", MANIFEST, f"{NESTED}/functionhelloFn/parameters/CloudWatchRule", schedule],
    ]


def _searchable(given: str, **domain: Any) -> list[list[Any]]:
    """A domain as `@searchable` makes it, with the instance type that the manifest gives."""
    cluster = {"InstanceType": {"Ref": "OpenSearchInstanceType"}, "InstanceCount": 1}
    properties = {"ElasticsearchVersion": "7.10", "ElasticsearchClusterConfig": cluster, **domain}
    template = "api/fullapp/cloudformation-template.json"
    return [
        ["set", template, "/Parameters/OpenSearchInstanceType", {"Type": "String"}],
        ["set", template, "/Resources/Domain", {"Type": "AWS::Elasticsearch::Domain", "Properties": properties}],
        ["set", MANIFEST, f"{NESTED}/apifullapp/parameters/OpenSearchInstanceType", given],
    ]


def _sms(external: str, service: str = "cognito-idp.amazonaws.com") -> list[list[Any]]:
    """SMS settings of the user pool as Amplify writes them; the role's trust wants `external`."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["sts:AssumeRole"],
        "Condition": {"StringEquals": {"sts:ExternalId": external}},
    }
    publish = {"Statement": [{"Effect": "Allow", "Action": ["sns:Publish"], "Resource": "*"}], "Version": "2012-10-17"}
    role = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "Policies": [{"PolicyName": "sns", "PolicyDocument": publish}],
    }
    given = {"SnsCallerArn": {"Fn::GetAtt": ["SNSRole", "Arn"]}, "ExternalId": "fullap9bec9c0b_role_external_id"}
    return [
        ["set", U_AUTH, "/Resources/SNSRole", {"Type": "AWS::IAM::Role", "Properties": role}],
        ["set", U_AUTH, f"{POOL}/SmsConfiguration", given],
    ]


def _group_role(name: str) -> list[Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties = {
        "RoleName": {"Fn::Join": ["", [{"Ref": "authfullappauthUserPoolId"}, f"-{name}"]]},
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
    }
    return ["set", U_GROUPS, "/Resources/AnotherRole", {"Type": "AWS::IAM::Role", "Properties": properties}]


GET_TODO = {"Fn::GetAtt": ["QuerygetTodoauth0FunctionQuerygetTodoauth0FunctionAppSyncFunction846D8436", "FunctionId"]}
FUNCTIONS = "/Resources/GetTodoResolver/Properties/PipelineConfig/Functions"
VARIABLES = f"{PROPERTIES}/Environment/Variables"
VPC = {"SubnetIds": ["subnet-0a1b2c3d4e5f60718"], "SecurityGroupIds": ["sg-0a1b2c3d4e5f60718"]}


def _variable(value: Any) -> list[list[Any]]:
    return [["set", U_FUNCTION, f"{VARIABLES}/PLACE", value]]


STATEMENTS = "/Resources/lambdaexecutionpolicy/Properties/PolicyDocument/Statement"
U_API, GRAPHQL = "api/fullapp/cloudformation-template.json", "/Resources/GraphQLAPI/Properties"
CERTIFICATE = "arn:aws:acm:eu-west-1:${AWS::AccountId}:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"


def _allowing(**statement: Any) -> list[list[Any]]:
    return [["append", U_FUNCTION, STATEMENTS, 1, {"Effect": "Allow", **statement}]]


def _given(declaration: dict[str, Any], value: Any) -> list[list[Any]]:
    return [
        ["set", U_FUNCTION, "/Parameters/mine", declaration],
        ["set", MANIFEST, f"{NESTED}/functionhelloFn/parameters/mine", value],
    ]


CLIENT = "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html"
WEB = "/Resources/UserPoolClientWeb/Properties"
FIFO = {"QueueName": {"Fn::Sub": "jobs-${env}"}, "FifoQueue": True}


def _rule(file: str) -> list[list[Any]]:
    properties = {"Name": {"Fn::Sub": "nightly-${env}"}, "ScheduleExpression": "rate(1 day)"}
    return [["set", file, "/Resources/Nightly", {"Type": "AWS::Events::Rule", "Properties": properties}]]


STORED = "AWS::SSM::Parameter::Value<String>"
INTEGRATION = "/Resources/itemsapi/Properties/Body/paths/~1items/x-amazon-apigateway-any-method"

FURTHER = (
    Fault(
        "a schedule of five fields from the manifest",
        f"{CLI}3911",
        "full",
        _scheduled("cron(30 * * * *)"),
        "AD710",
        "functionhelloFn",
    ),
    Fault("a rate of 1 minutes", CRON, "full", _scheduled("rate(1 minutes)"), "AD710", "functionhelloFn"),
    Fault(
        "a second factor that Cognito does not know",
        COGNITO,
        "full",
        [_auth("mfaConfiguration", "REQUIRED")],
        "AD710",
        "authfullappauth",
    ),
    Fault(
        "passwords of four characters",
        COGNITO,
        "full",
        [_auth("passwordPolicyMinLength", 4)],
        "AD710",
        "authfullappauth",
    ),
    Fault(
        "user names by an attribute that is none",
        f"{CLI}9525",
        "full",
        [_auth("usernameAttributes", ["username"])],
        "AD710",
        "authfullappauth",
    ),
    Fault(
        "a verification message without its code",
        COGNITO,
        "full",
        [
            ["set", U_AUTH, f"{POOL}/EmailVerificationMessage", {"Ref": "emailVerificationMessage"}],
            _auth("emailVerificationMessage", "Welcome"),
        ],
        "AD710",
        "authfullappauth",
    ),
    Fault(
        "refresh tokens for eleven years",
        COGNITO,
        "full",
        [_auth("userpoolClientRefreshTokenValidity", 4_015)],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "a second factor by SMS without SMS settings",
        "aws-cloudformation/cloudformation-coverage-roadmap#769",
        "full",
        [_auth("mfaConfiguration", "ON")],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "an SMS role that wants another external id",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-sms-messages.html",
        "full",
        _sms("another"),
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "an SMS role that trusts another service",
        "aws-amplify/amplify-flutter#1328",
        "full",
        _sms("fullap9bec9c0b_role_external_id", "sns.amazonaws.com"),
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "a mail sender without an identity of SES",
        COGNITO,
        "full",
        [["set", U_AUTH, f"{POOL}/EmailConfiguration", {"EmailSendingAccount": "DEVELOPER", "From": "a@example.com"}]],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "roles of two groups that differ in a capital",
        f"{CLI}13103",
        "full",
        [_group_role("adminsgroupRole")],
        "AD739",
        "authuserPoolGroups",
    ),
    Fault(
        "an instance type of OpenSearch for Elasticsearch",
        f"{CLI}9956",
        "full",
        _searchable("t3.medium.search"),
        "AD710",
        "apifullapp",
    ),
    Fault(
        "an instance type that is none",
        f"{CLI}8572",
        "full",
        _searchable("c7.xlarge.elasticsearch"),
        "AD710",
        "apifullapp",
    ),
    Fault(
        "an instance type that the region does not have",
        f"{API}1605",
        "full",
        _searchable("t2.small.elasticsearch"),
        "AD710",
        "apifullapp",
        region="ap-east-2",
    ),
    Fault(
        "small instances that should encrypt at rest",
        f"{API}909",
        "full",
        _searchable("t2.small.elasticsearch", EncryptionAtRestOptions={"Enabled": True}),
        "AD714",
        "apifullapp",
    ),
    Fault(
        "the dependency of a function that was lost",
        f"{CLI}1897",
        "full",
        [["delete", ROOT, "/Resources/apiitemsapi/Properties/Parameters/functionhelloFnArn"]],
        "AD711",
        "apiitemsapi",
    ),
    Fault(
        "a resolver of eleven functions",
        f"{API}956",
        "full",
        [["append", U_TODO, FUNCTIONS, 8, GET_TODO]],
        "AD712",
        "Todo",
    ),
    Fault(
        "a method without an integration",
        "aws/serverless-application-model#54",
        "full",
        [["delete", U_REST, f"{INTEGRATION}/x-amazon-apigateway-integration"]],
        "AD713",
        "apiitemsapi",
    ),
    Fault(
        "an API key of the exporting environment",
        f"{CLI}10857",
        "full",
        _variable("da2-abcdefghijklmnopqrstuvwxyz"),
        "ExportRefused",
        "AD212",
        environment="prod",
    ),
    Fault(
        "the path of a secret of the exporting environment",
        "aws-amplify/docs#3960",
        "full",
        _variable("/amplify/d2x7example1qz/dev/AMPLIFY_helloFn_KEY"),
        "ExportRefused",
        "AD212",
        environment="prod",
    ),
    Fault(
        "the subnets of the exporting account",
        f"{CLI}32",
        "full",
        [["set", U_FUNCTION, f"{PROPERTIES}/VpcConfig", VPC]],
        "AD213",
        U_FUNCTION,
        "warning",
    ),
    Fault(
        "the id of an app client",
        f"{CLI}11540",
        "full",
        _variable("1h57kf5cpq17m0eml12example"),
        "AD213",
        U_FUNCTION,
        "warning",
    ),
    Fault(
        "a region in an ARN whose account is left open",
        f"{CLI}8898",
        "full",
        _variable({"Fn::Sub": "arn:aws:dynamodb:us-east-1:${AWS::AccountId}:table/orders"}),
        "AD213",
        U_FUNCTION,
        "warning",
    ),
    Fault(
        "the host of the Amplify app",
        f"{CLI}11540",
        "full",
        _variable("https://main.d1a2b3c4d5e6f7.amplifyapp.com"),
        "AD213",
        U_FUNCTION,
        "warning",
    ),
    Fault(
        "a statement for no resource",
        f"{CLI}4876",
        "full",
        _allowing(Action=["s3:GetObject"], Resource=[]),
        "AD715",
        "functionhelloFn",
    ),
    Fault(
        "an action without its service",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html",
        "full",
        _allowing(Action=["GetObject"], Resource="*"),
        "AD715",
        "functionhelloFn",
    ),
    Fault(
        "a policy without statements",
        f"{CLI}4876",
        "full",
        [["set", U_FUNCTION, STATEMENTS, []]],
        "AD715",
        "functionhelloFn",
    ),
    Fault(
        "an authorizer that is not said",
        "https://docs.aws.amazon.com/appsync/latest/APIReference/API_CreateGraphqlApi.html",
        "full",
        [["set", U_API, f"{GRAPHQL}/AdditionalAuthenticationProviders", [{"AuthenticationType": "AWS_LAMBDA"}]]],
        "AD716",
        "apifullapp",
    ),
    Fault(
        "a pool's own domain with a certificate of another region",
        f"{CLI}2869",
        "full",
        [
            [
                "set",
                U_AUTH,
                "/Resources/OwnDomain",
                {
                    "Type": "AWS::Cognito::UserPoolDomain",
                    "Properties": {
                        "Domain": "auth.example.com",
                        "UserPoolId": {"Ref": "UserPool"},
                        "CustomDomainConfig": {"CertificateArn": {"Fn::Sub": CERTIFICATE}},
                    },
                },
            ]
        ],
        "AD717",
        "authfullappauth",
    ),
    Fault(
        "a number above what its parameter takes",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html",
        "full",
        _given({"Type": "Number", "MaxValue": 5}, 9),
        "AD702",
        "root stack",
    ),
    Fault(
        "a text shorter than its parameter takes",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html",
        "full",
        _given({"Type": "String", "MinLength": 5}, "abc"),
        "AD702",
        "root stack",
    ),
    Fault(
        "an address with a fragment to come back to",
        CLIENT,
        "full",
        [["set", U_AUTH, f"{WEB}/CallbackURLs", ["https://app.example.com/#/in"]]],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "OAuth with no address to come back to",
        CLIENT,
        "full",
        [
            ["set", U_AUTH, f"{WEB}/AllowedOAuthFlows", ["code"]],
            ["set", U_AUTH, f"{WEB}/AllowedOAuthFlowsUserPoolClient", True],
        ],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "flows of old beside those of today",
        CLIENT,
        "full",
        [["set", U_AUTH, f"{WEB}/ExplicitAuthFlows", ["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH"]]],
        "AD737",
        "authfullappauth",
    ),
    Fault(
        "two rules of one name in two stacks",
        f"{CLI}7296",
        "full",
        [*_rule(U_FUNCTION), *_rule(U_REST)],
        "AD739",
        "Nightly",
    ),
    Fault(
        "a queue for first-in-first-out that is not called so",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html",
        "full",
        [["set", U_FUNCTION, "/Resources/Jobs", {"Type": "AWS::SQS::Queue", "Properties": FIFO}]],
        "AD733",
        "functionhelloFn",
    ),
    Fault(
        "a REST API without methods",
        "aws-amplify/amplify-flutter#5913",
        "full",
        [["set", U_REST, "/Resources/itemsapi/Properties/Body/paths", {}]],
        "AD713",
        "apiitemsapi",
    ),
)


def _right(name: str, source: str, do: Any, **more: Any) -> Fault:
    return Fault(name, source, "full", do, more.pop("found", "none"), "", **more)


RIGHT = (
    _right("a schedule of six fields", CRON, _scheduled("cron(30 * * * ? *)")),
    _right("a schedule every day", CRON, _scheduled("rate(1 day)")),
    _right("no schedule", f"{CLI}3911", _scheduled("rate(5 minutes)")),
    _right("SMS settings as Amplify writes them", COGNITO, _sms("fullap9bec9c0b_role_external_id")),
    _right(
        "a second factor by an app",
        COGNITO,
        [["set", U_AUTH, f"{POOL}/EnabledMfas", ["SOFTWARE_TOKEN_MFA"]], _auth("mfaConfiguration", "OPTIONAL")],
    ),
    _right("the instances that Amplify takes", f"{CLI}9956", _searchable("t2.small.elasticsearch")),
    _right("a resolver of ten functions", f"{API}956", [["append", U_TODO, FUNCTIONS, 7, GET_TODO]]),
    _right("a role of another group", f"{CLI}13103", [_group_role("EditorsToo")]),
    _right(
        "a choice for another environment",
        f"{CLI}9302",
        [
            ["set", U_FUNCTION, "/Conditions/IsProd", {"Fn::Equals": [{"Ref": "env"}, "prod"]}],
            *_variable({"Fn::If": ["IsProd", "orders-prod", "orders-dev"]}),
        ],
        environment="prod",
    ),
    _right(
        "a choice for two environments",
        f"{CLI}9302",
        [
            ["set", U_FUNCTION, "/Conditions/IsProd", {"Fn::Equals": ["prod", {"Ref": "env"}]}],
            [
                "set",
                U_FUNCTION,
                "/Conditions/IsLive",
                {"Fn::Or": [{"Condition": "IsProd"}, {"Fn::Equals": ["a", "b"]}]},
            ],
            *_variable({"Fn::If": ["IsLive", "orders-prod", "orders-dev"]}),
        ],
        environment="staging",
    ),
    _right(
        "a mapping of the environments",
        f"{CLI}9302",
        [
            ["set", U_FUNCTION, "/Mappings", {"E": {"dev": {"t": "orders-dev"}, "prod": {"t": "orders-prod"}}}],
            *_variable({"Fn::FindInMap": ["E", {"Ref": "env"}, "t"]}),
        ],
        environment="prod",
    ),
    _right("a number at its bound", f"{CLI}3911", _given({"Type": "Number", "MinValue": 9, "MaxValue": 9}, 9)),
    _right(
        "an empty list for a property that knows few values",
        f"{CLI}9525",
        [_auth("usernameAttributes", [])],
    ),
    _right(
        "a setting from Parameter Store",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html",
        [
            ["set", U_FUNCTION, "/Parameters/mine", {"Type": STORED, "Default": "/app/memory"}],
            ["set", U_FUNCTION, f"{PROPERTIES}/MemorySize", {"Ref": "mine"}],
        ],
    ),
)

"""Settings that a service looks at only when they are given to it: each form of it found, and what is like it and right
left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination.services.exclusive import exclusive_settings
from amplify_delivery.publishing.examination.services.triggers import powerless_triggers
from unit.publishing.conftest import spoiled, tree_of
from unit.publishing.examination.test_services import AUTH, HELLO, STORAGE, Change, Template, either, of, put, told
from unit.rows import hold

Row = tuple[str, tuple[Change, ...], str | None]
"""What it is, the changes, and what is said of it: its id and a part of the message; None for what is right."""

FUNCTION = "LambdaFunction"
QUEUE = put("Q", "AWS::SQS::Queue", VisibilityTimeout=60)
STREAM = put("S", "AWS::Kinesis::Stream", ShardCount=1)
ROLE = [{"Ref": "LambdaExecutionRole"}]


NOTHING = {"Ref": "AWS::NoValue"}


def perhaps(value: Any) -> Template:
    """A value that is there if a condition holds which only CloudFormation knows."""
    return either(value, NOTHING)


def parameter(name: str, default: str) -> Change:
    return lambda t: t["Parameters"].update({name: {"Type": "String", "Default": default}})


def after(name: str, *others: str) -> Change:
    return lambda t: t["Resources"][name].update(DependsOn=list(others))


def variables(**given: Any) -> Change:
    return of(FUNCTION, Environment={"Variables": given})


def layers(*names: str) -> Change:
    return of(FUNCTION, Layers=[{"Fn::Sub": f"arn:aws:lambda:${{AWS::Region}}:580247275435:layer:{n}"} for n in names])


def policy(*actions: str) -> Template:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def granting(name: str, *actions: str) -> Change:
    return put(name, "AWS::IAM::Policy", PolicyName=name, Roles=ROLE, PolicyDocument=policy(*actions))


MAY_READ = of("LambdaExecutionRole", Policies=[{"PolicyName": "reads", "PolicyDocument": policy("sqs:*", "kinesis:*")}])


def mapped(source: str, **given: Any) -> Change:
    arn = {"Fn::GetAtt": [source, "Arn"]}
    return put("M", "AWS::Lambda::EventSourceMapping", EventSourceArn=arn, FunctionName={"Ref": FUNCTION}, **given)


def mapped_to_one_of(one: str, other: str) -> Change:
    arn = either({"Fn::GetAtt": [one, "Arn"]}, {"Fn::GetAtt": [other, "Arn"]})
    given = {"EventSourceArn": arn, "FunctionName": {"Ref": FUNCTION}, "StartingPosition": "LATEST"}
    return put("M", "AWS::Lambda::EventSourceMapping", **given)


def trusting(*services: str) -> Template:
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(*services: str) -> Change:
    return put("R", "AWS::IAM::Role", AssumeRolePolicyDocument=trusting(*services))


R_ARN = {"Fn::GetAtt": ["R", "Arn"]}
FN_ARN = {"Fn::GetAtt": [FUNCTION, "Arn"]}
PERHAPS_SUBNETS = {"SubnetIds": [perhaps("subnet-1")], "SecurityGroupIds": [perhaps("sg-1")]}
VPC = of(FUNCTION, VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})
MOUNTED = of(FUNCTION, FileSystemConfigs=[{"Arn": "arn:aws:elasticfilesystem:x", "LocalMountPath": "/mnt/x"}])

OF_FUNCTIONS: list[Row] = [
    ("a hyphen", (variables(**{"MY-VAR": "x"}),), "AD723 LambdaFunction has the variable 'MY-VAR'"),
    ("a dot", (variables(**{"spring.profile": "x"}),), "AD723 LambdaFunction has the variable 'spring.profile'"),
    ("a line below at first", (variables(_HIDDEN="x"),), "AD723 LambdaFunction has the variable '_HIDDEN'"),
    ("one letter", (variables(X="x"),), "AD723 LambdaFunction has the variable 'X'"),
    ("a digit at first", (variables(**{"2ND": "x"}),), "AD723 LambdaFunction has the variable '2ND'"),
    ("names of all sorts", (variables(a1="x", API_KEY="x", lower_Case2="x"),), None),
    ("variables that only a condition knows", (of(FUNCTION, Environment={"Fn::If": ["C", {}, {}]}),), None),
    ("a layer without its version", (layers("Tools"),), "AD723 LambdaFunction has the layer arn:aws:lambda:us-east-1:"),
    ("two versions of a layer", (layers("Tools:1", "Tools:2"),), "in two versions"),
    ("two layers", (layers("Tools:1", "Tools2:1"),), None),
    ("a file system outside a network", (MOUNTED,), "AD723 LambdaFunction mounts a file system, and has no VpcConfig"),
    (
        "perhaps a file system",
        (of(FUNCTION, FileSystemConfigs=[perhaps({"Arn": "x", "LocalMountPath": "/mnt/x"})]),),
        None,
    ),
    ("a file system in a network", (MOUNTED, VPC, granting("P", "ec2:*"), after(FUNCTION, "P")), None),
]

OF_MAPPINGS: list[Row] = [
    ("a stream from nowhere", (STREAM, MAY_READ, mapped("S")), "AD724 M reads a stream, and has no StartingPosition"),
    ("a stream", (STREAM, MAY_READ, mapped("S", StartingPosition="LATEST", BisectBatchOnFunctionError=True)), None),
    ("a queue from its end", (QUEUE, MAY_READ, mapped("Q", StartingPosition="LATEST")), "AD724 M has StartingPosition"),
    ("a queue's batch, cut in two", (QUEUE, MAY_READ, mapped("Q", BisectBatchOnFunctionError=True)), "which streams"),
    ("a queue, many at once", (QUEUE, MAY_READ, mapped("Q", BatchSize=100)), "AD724 M takes 100 messages at once"),
    ("the same as a text", (QUEUE, MAY_READ, mapped("Q", BatchSize="11")), "AD724 M takes 11 messages at once"),
    ("with a window", (QUEUE, MAY_READ, mapped("Q", BatchSize=100, MaximumBatchingWindowInSeconds=5)), None),
    ("a queue", (QUEUE, MAY_READ, mapped("Q", BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])), None),
    ("a queue, perhaps from its end", (QUEUE, MAY_READ, mapped("Q", StartingPosition=perhaps("LATEST"))), None),
    ("a queue or a stream", (QUEUE, STREAM, MAY_READ, mapped_to_one_of("Q", "S")), None),
    (
        "a source that is not known",
        (put("M", "AWS::Lambda::EventSourceMapping", FunctionName={"Ref": FUNCTION}, EventSourceArn="x"),),
        None,
    ),
]

OF_ORDER: list[Row] = [
    (
        "a queue's mapping beside the policy that it needs",
        (QUEUE, mapped("Q"), granting("P", "sqs:*")),
        "AD738 M may be made before P",
    ),
    ("after it", (QUEUE, mapped("Q"), after("M", "P"), granting("P", "sqs:*")), None),
    ("a policy of the role itself", (QUEUE, mapped("Q"), MAY_READ), None),
    ("one of two policies is first", (QUEUE, mapped("Q"), MAY_READ, granting("P", "sqs:*")), None),
    ("a function in a network beside the policy", (VPC, granting("P", "ec2:*")), "AD738 LambdaFunction may be made"),
    ("after it", (VPC, granting("P", "ec2:*"), after(FUNCTION, "P")), None),
]


def attached(kind: str, **given: Any) -> Change:
    return put("P", kind, PolicyName="reads", PolicyDocument=policy("sqs:*"), **given)


READS = {"PolicyName": "reads", "PolicyDocument": policy("sqs:*")}
NO_RIGHT = "AD738 M reads a queue with the role functionhelloFn/LambdaExecutionRole, which has no sqs:ReceiveMessage"


def own_policies(given: Any) -> Change:
    return of("LambdaExecutionRole", Policies=given)


def opened(principal: Any, queue: str = "Q") -> Change:
    """A queue's own policy."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:*", "Resource": "*"}
    return put("Own", "AWS::SQS::QueuePolicy", Queues=[{"Ref": queue}], PolicyDocument={"Statement": [statement]})


ROLE_ARN = {"Fn::GetAtt": ["LambdaExecutionRole", "Arn"]}
OTHER_QUEUE = put("Other", "AWS::SQS::Queue")
WITH_LETTERS = of(FUNCTION, DeadLetterConfig={"TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}})
OF_RIGHTS: list[Row] = [
    ("of nobody", (QUEUE, mapped("Q")), NO_RIGHT),
    ("of another role", (QUEUE, mapped("Q"), attached("AWS::IAM::Policy", Roles=["another"])), NO_RIGHT),
    (
        "by a resource of its own",
        (QUEUE, mapped("Q"), attached("AWS::IAM::RolePolicy", RoleName=ROLE[0]), after("M", "P")),
        None,
    ),
    ("that of another role", (QUEUE, mapped("Q"), attached("AWS::IAM::RolePolicy", RoleName="another")), NO_RIGHT),
    (
        "of this role or of another",
        (QUEUE, mapped("Q"), attached("AWS::IAM::Policy", Roles=[either(ROLE[0], "another")])),
        None,
    ),
    ("perhaps a policy", (QUEUE, mapped("Q"), own_policies([perhaps(READS)])), None),
    ("perhaps policies", (QUEUE, mapped("Q"), own_policies(perhaps([READS]))), None),
    (
        "perhaps a statement",
        (
            QUEUE,
            mapped("Q"),
            own_policies(
                [{"PolicyName": "p", "PolicyDocument": {"Statement": [perhaps(policy("sqs:*")["Statement"][0])]}}]
            ),
        ),
        None,
    ),
    (
        "allowed or denied",
        (
            QUEUE,
            mapped("Q"),
            own_policies(
                [
                    {
                        "PolicyName": "p",
                        "PolicyDocument": {
                            "Statement": {
                                "Effect": either("Allow", "Deny"),
                                "Action": "sqs:*",
                                "Resource": "*",
                            }
                        },
                    }
                ]
            ),
        ),
        None,
    ),
    (
        "as a text",
        (QUEUE, mapped("Q"), own_policies([{"PolicyName": "p", "PolicyDocument": json.dumps(policy("sqs:*"))}])),
        None,
    ),
    (
        "others, as a text",
        (QUEUE, mapped("Q"), own_policies([{"PolicyName": "p", "PolicyDocument": json.dumps(policy("s3:*"))}])),
        NO_RIGHT,
    ),
    (
        "of a role that a custom resource makes",
        (QUEUE, mapped("Q"), put("Own", "Custom::Role"), of(FUNCTION, Role={"Fn::GetAtt": ["Own", "Arn"]})),
        None,
    ),
    (
        "by the queue's own policy",
        (QUEUE, mapped("Q"), opened({"AWS": ROLE_ARN})),
        None,
    ),
    ("by that for a service", (QUEUE, mapped("Q"), opened({"Service": "sns.amazonaws.com"})), NO_RIGHT),
    ("by that of another queue", (QUEUE, mapped("Q"), OTHER_QUEUE, opened("*", "Other")), NO_RIGHT),
    ("letters, by the queue's own policy", (QUEUE, WITH_LETTERS, opened({"AWS": "*"})), None),
    ("letters, by nobody", (QUEUE, WITH_LETTERS), "which has no sqs:SendMessage"),
    ("perhaps in a network", (of(FUNCTION, VpcConfig=PERHAPS_SUBNETS),), None),
]

OF_ROLES: list[Row] = [
    (
        "as a text",
        (of("LambdaExecutionRole", AssumeRolePolicyDocument=json.dumps(trusting("lambda.amazonaws.com"))),),
        None,
    ),
    (
        "another service, as a text",
        (of("LambdaExecutionRole", AssumeRolePolicyDocument=json.dumps(trusting("sns.amazonaws.com"))),),
        "AD729 LambdaFunction has the role",
    ),
    (
        "a parameter's",
        (
            parameter("Trust", json.dumps(trusting("lambda.amazonaws.com"))),
            of("LambdaExecutionRole", AssumeRolePolicyDocument={"Ref": "Trust"}),
        ),
        None,
    ),
    (
        "perhaps a statement",
        (
            of(
                "LambdaExecutionRole",
                AssumeRolePolicyDocument={"Statement": [perhaps(trusting("lambda.amazonaws.com")["Statement"][0])]},
            ),
        ),
        None,
    ),
    (
        "a function's, for another service",
        (of("LambdaExecutionRole", AssumeRolePolicyDocument=trusting("apigateway.amazonaws.com")),),
        "AD729 LambdaFunction has the role functionhelloFn/LambdaExecutionRole, which lambda.amazonaws.com may not",
    ),
    (
        "a service without its host",
        (of("LambdaExecutionRole", AssumeRolePolicyDocument=trusting("lambda")),),
        "AD729 LambdaFunction has the role",
    ),
    (
        "two services",
        (
            of(
                "LambdaExecutionRole",
                AssumeRolePolicyDocument=trusting("edgelambda.amazonaws.com", "lambda.amazonaws.com"),
            ),
        ),
        None,
    ),
    (
        "a schedule's, for events",
        (
            role("events.amazonaws.com"),
            put("Sch", "AWS::Scheduler::Schedule", ScheduleExpression="rate(1 day)", Target={"RoleArn": R_ARN}),
        ),
        "AD729 Sch has the role functionhelloFn/R, which scheduler.amazonaws.com may not",
    ),
    (
        "a schedule's",
        (
            role("scheduler.amazonaws.com"),
            put("Sch", "AWS::Scheduler::Schedule", ScheduleExpression="rate(1 day)", Target={"RoleArn": R_ARN}),
        ),
        None,
    ),
    (
        "a state machine's of its region",
        (role("states.us-east-1.amazonaws.com"), put("Sm", "AWS::StepFunctions::StateMachine", RoleArn=R_ARN)),
        None,
    ),
    (
        "a state machine's, for functions",
        (role("lambda.amazonaws.com"), put("Sm", "AWS::StepFunctions::StateMachine", RoleArn=R_ARN)),
        "AD729 Sm has the role",
    ),
    ("a role of elsewhere", (of(FUNCTION, Role="arn:aws:iam::111111111111:role/x"),), None),
]


def client(**given: Any) -> Change:
    return of("UserPoolClientWeb", **given)


def invites(**messages: str) -> Change:
    return of("UserPool", AdminCreateUserConfig={"InviteMessageTemplate": messages})


def attribute(**given: Any) -> Change:
    whole = {"Name": "tenant", "AttributeDataType": "String", "Mutable": True, **given}
    return lambda t: t["Resources"]["UserPool"]["Properties"]["Schema"].append(whole)


def lambdas(**given: Any) -> Change:
    return of("UserPool", LambdaConfig=given)


SENDER = {"LambdaArn": "arn:aws:lambda:us-east-1:111111111111:function:x", "LambdaVersion": "V1_0"}
TOKENS = {"LambdaArn": "arn:aws:lambda:us-east-1:111111111111:function:x", "LambdaVersion": "V2_0"}
PASSWORDLESS = of("UserPool", Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}})
PERHAPS_PASSWORDLESS = of("UserPool", Policies=perhaps({"SignInPolicy": {"AllowedFirstAuthFactors": ["EMAIL_OTP"]}}))
ALIASES = {
    "AliasAttributes": either(["email"], NOTHING),
    "UsernameAttributes": either(NOTHING, ["email"]),
}
SMS_ROLE = {"SnsCallerArn": {"Fn::GetAtt": ["R", "Arn"]}, "ExternalId": "x"}


def sms(trust: Any) -> tuple[Change, ...]:
    return of("UserPool", SmsConfiguration=SMS_ROLE), put("R", "AWS::IAM::Role", AssumeRolePolicyDocument=trust)


MFA = {"MfaConfiguration": "OPTIONAL", "EnabledMfas": ["EMAIL_OTP"]}
BY_SES = {"EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:x"}
MACHINE = {"AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthFlowsUserPoolClient": True}

OF_POOLS: list[Row] = [
    ("without a placeholder", (invites(EmailMessage="Welcome"),), "AD725 UserPool invites users with an EmailMessage"),
    ("without the name", (invites(EmailMessage="It is {####}"),), "without {username}"),
    (
        "an SMS without the password",
        (invites(SMSMessage="You are {username}"),),
        "AD725 UserPool invites users with an SMS",
    ),
    ("right", (invites(EmailMessage="{username}: {####}", SMSMessage="{username} {####}"),), None),
    ("where perhaps nobody needs a password", (PERHAPS_PASSWORDLESS, invites(EmailMessage="You are {username}")), None),
    ("where nobody needs a password", (PASSWORDLESS, invites(EmailMessage="You are {username}")), None),
    ("no messages", (invites(EmailSubject="Hello"),), None),
    ("a required attribute of one's own", (attribute(Required=True),), "AD737 UserPool requires the attribute tenant"),
    ("one that is not required", (attribute(Required=False),), None),
    ("a required one of Cognito's", (attribute(Name="phone_number", Required=True),), None),
    ("a sender without a key", (lambdas(CustomEmailSender=SENDER),), "AD737 UserPool sends messages by a function"),
    ("with one", (lambdas(CustomSMSSender=SENDER, KMSKeyID="arn:aws:kms:x"),), None),
    (
        "tokens of the second version in a small plan",
        (of("UserPool", UserPoolTier="LITE"), lambdas(PreTokenGenerationConfig=TOKENS)),
        "AD737 UserPool has the plan LITE",
    ),
    ("in a larger one", (of("UserPool", UserPoolTier="PLUS"), lambdas(PreTokenGenerationConfig=TOKENS)), None),
    (
        "protection in the middle plan",
        (of("UserPool", UserPoolTier="ESSENTIALS", UserPoolAddOns={"AdvancedSecurityMode": "AUDIT"}),),
        "AD737 UserPool has the plan ESSENTIALS",
    ),
    (
        "in no plan: that of a new pool",
        (of("UserPool", UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"}),),
        "AD737 UserPool has no UserPoolTier",
    ),
    ("switched off", (of("UserPool", UserPoolAddOns={"AdvancedSecurityMode": "OFF"}),), None),
    ("codes by mail that Cognito sends", (of("UserPool", **MFA),), "AD737 UserPool asks for a second factor by mail"),
    ("that SES sends", (of("UserPool", EmailConfiguration=BY_SES, **MFA),), None),
    (
        "two ways to say how long a password holds",
        (
            of(
                "UserPool",
                AdminCreateUserConfig={"UnusedAccountValidityDays": 7},
                Policies={"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}},
            ),
        ),
        "AD737 UserPool has UnusedAccountValidityDays beside TemporaryPasswordValidityDays",
    ),
    (
        "one or the other",
        (
            of(
                "UserPool",
                AdminCreateUserConfig={"UnusedAccountValidityDays": perhaps(7)},
                Policies={"PasswordPolicy": {"TemporaryPasswordValidityDays": 3}},
            ),
        ),
        None,
    ),
    ("aliases or user name attributes", (of("UserPool", **ALIASES),), None),
    ("perhaps a sender", (lambdas(CustomEmailSender=perhaps(SENDER)),), None),
    ("SMS by a role, its trust as a text", sms(json.dumps(trusting("cognito-idp.amazonaws.com"))), None),
    ("a role of another service", sms(json.dumps(trusting("sns.amazonaws.com"))), "AD737 UserPool sends SMS"),
    (
        "a token's time in units that are not known",
        (client(RefreshTokenValidity=43200, TokenValidityUnits=perhaps({"RefreshToken": "minutes"})),),
        None,
    ),
    (
        "a machine without a secret",
        (client(**MACHINE),),
        "AD737 UserPoolClientWeb has the OAuth flow client_credentials",
    ),
    ("with one", (client(GenerateSecret=True, **MACHINE),), None),
]

IN_STACK, IMPORTED_POOL = {"Fn::Sub": "okta-${AWS::StackName}"}, {"Fn::ImportValue": "the-pool"}


def of_okta(**properties: Any) -> Change:
    given = {"ProviderName": "Okta", "UserPoolId": {"Ref": "UserPool"}, **properties}
    return put("Okta", "AWS::Cognito::UserPoolIdentityProvider", **given)


OKTA = put("Okta", "AWS::Cognito::UserPoolIdentityProvider", ProviderName="Okta", UserPoolId={"Ref": "UserPool"})
SERVER = put("Server", "AWS::Cognito::UserPoolResourceServer", Identifier="orders", UserPoolId={"Ref": "UserPool"})
WITH_OKTA = client(SupportedIdentityProviders=["COGNITO", "Okta"])
SCOPED = client(AllowedOAuthScopes=["openid", "orders/read"])
OF_CLIENTS_ORDER: list[Row] = [
    ("before its provider", (WITH_OKTA, OKTA), "AD726 UserPoolClientWeb may be made before Okta"),
    ("after it", (WITH_OKTA, OKTA, after("UserPoolClientWeb", "Okta")), None),
    ("a provider whose name only AWS knows", (WITH_OKTA, of_okta(ProviderName=IN_STACK)), None),
    ("a provider of a pool that only AWS knows", (WITH_OKTA, of_okta(UserPoolId=IMPORTED_POOL)), None),
    (
        "another provider of that pool",
        (WITH_OKTA, of_okta(ProviderName="Auth0")),
        "AD726 UserPoolClientWeb signs in by",
    ),
    ("a provider that nobody makes", (WITH_OKTA,), "AD726 UserPoolClientWeb signs in by Okta"),
    ("before the server of its scope", (SCOPED, SERVER), "AD726 UserPoolClientWeb may be made before Server"),
    ("after it", (SCOPED, SERVER, after("UserPoolClientWeb", "Server")), None),
    ("Cognito's own scopes", (client(AllowedOAuthScopes=["openid", "aws.cognito.signin.user.admin"]),), None),
]


def notified(*configurations: Template) -> Change:
    each = [{"Function": "arn:aws:lambda:us-east-1:111111111111:function:x", **c} for c in configurations]
    return of("S3Bucket", NotificationConfiguration={"LambdaConfigurations": each})


def when(event: str, **filters: str) -> Template:
    rules = [{"Name": name, "Value": value} for name, value in filters.items()]
    return {"Event": event, **({"Filter": {"S3Key": {"Rules": rules}}} if rules else {})}


def public(**statement: Any) -> Change:
    document = {
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", **statement}]
    }
    return put("Pol", "AWS::S3::BucketPolicy", Bucket={"Ref": "S3Bucket"}, PolicyDocument=document)


def public_text() -> Change:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Statement": [statement]})
    return put("Pol", "AWS::S3::BucketPolicy", Bucket={"Ref": "S3Bucket"}, PolicyDocument=document)


A, B = {"Name": "prefix", "Value": "a/"}, {"Name": "prefix", "Value": "b/"}
OF_A = {"S3Key": {"Rules": [A]}}
CREATED, PUT = "s3:ObjectCreated:*", "s3:ObjectCreated:Put"
TWO_PREFIXES = {"S3Key": {"Rules": [{"Name": "prefix", "Value": "a/"}, {"Name": "Prefix", "Value": "b/"}]}}
OPENED = of("S3Bucket", PublicAccessBlockConfiguration={"BlockPublicPolicy": False})
BLOCKED = of("S3Bucket", PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
REPLICATED = of("S3Bucket", ReplicationConfiguration={"Role": "arn:aws:iam::111111111111:role/x", "Rules": []})

OF_BUCKETS: list[Row] = [
    ("twice for one event", (notified(when(CREATED), when(CREATED)),), "AD727 S3Bucket tells two destinations"),
    ("an event and all of its kind", (notified(when(CREATED), when(PUT)),), "AD727 S3Bucket tells two destinations"),
    ("an event that is none", (notified(when("s3:ObjectMade:*")),), "AD727 S3Bucket tells of s3:ObjectMade:*"),
    ("two kinds", (notified(when(CREATED), when("s3:ObjectRemoved:*")),), None),
    ("a prefix in another", (notified(when(CREATED, prefix="a/"), when(CREATED, prefix="a/b/")),), "AD727"),
    ("two prefixes", (notified(when(CREATED, prefix="a/"), when(CREATED, prefix="b/")),), None),
    ("a prefix and everything", (notified(when(CREATED, prefix="a/"), when(CREATED)),), "AD727"),
    (
        "one prefix, two suffixes",
        (notified(when(CREATED, prefix="a/", suffix=".jpg"), when(CREATED, prefix="a/", suffix=".png")),),
        None,
    ),
    ("a suffix in another", (notified(when(CREATED, suffix=".gz"), when(CREATED, suffix=".tar.gz")),), "AD727"),
    ("two prefixes in one filter", (notified({**when(CREATED), "Filter": TWO_PREFIXES}),), "two rules for the prefix"),
    ("perhaps a filter", (notified({"Event": CREATED, "Filter": perhaps(OF_A)}, when(CREATED, prefix="b/")),), None),
    (
        "perhaps a rule",
        (notified({"Event": CREATED, "Filter": {"S3Key": {"Rules": [perhaps(A)]}}}, when(CREATED, prefix="b/")),),
        None,
    ),
    (
        "this prefix or that",
        (notified({"Event": CREATED, "Filter": {"S3Key": {"Rules": [either(A, B)]}}}, when(CREATED, prefix="b/")),),
        None,
    ),
    ("perhaps copied", (of("S3Bucket", ReplicationConfiguration=perhaps({"Role": "x", "Rules": []})),), None),
    ("a public policy as a text", (BLOCKED, public_text()), "AD727 S3Bucket blocks public policies"),
    ("a public policy of a closed bucket", (BLOCKED, public()), "AD727 S3Bucket blocks public policies"),
    ("of a bucket that says nothing", (public(),), "AD727 S3Bucket does not say BlockPublicPolicy: false"),
    ("of an open one", (OPENED, public()), None),
    ("of everybody, somewhere", (public(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),), None),
    ("of one account", (public(Principal={"AWS": "arn:aws:iam::111111111111:root"}),), None),
    ("everybody is refused", (BLOCKED, public(Effect="Deny")), None),
    ("copied without versions", (REPLICATED,), "AD727 S3Bucket is replicated, and keeps no versions"),
    ("copied with", (REPLICATED, of("S3Bucket", VersioningConfiguration={"Status": "Enabled"})), None),
]


def sends(kind: str, name: str) -> Change:
    value = {"Fn::GetAtt": ["Q", "Arn"]} if kind == "Queue" else {"Ref": "T"}
    configurations = [{"Event": "s3:ObjectRestore:*", kind: value}]
    return of("S3Bucket", NotificationConfiguration={name: configurations})


def allowing(kind: str, property: str, service: str = "s3.amazonaws.com") -> Change:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "*", "Resource": "*"}
    queue = [{"Ref": "Q" if property == "Queues" else "T"}]
    return put("May", kind, PolicyDocument={"Statement": [statement]}, **{property: queue})


def q_policy(document: Any) -> Change:
    return put("May", "AWS::SQS::QueuePolicy", Queues=[{"Ref": "Q"}], PolicyDocument=document)


BY_S3 = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "*", "Resource": "*"}
MAY_BY_TEXT, PERHAPS_MAY = q_policy(json.dumps({"Statement": BY_S3})), q_policy({"Statement": [perhaps(BY_S3)]})
SNS_BY_TEXT = q_policy(json.dumps(trusting("sns.amazonaws.com")))
TOPIC = put("T", "AWS::SNS::Topic")
TO_QUEUE, TO_TOPIC = sends("Queue", "QueueConfigurations"), sends("Topic", "TopicConfigurations")
Q_POLICY, T_POLICY = ("AWS::SQS::QueuePolicy", "Queues"), ("AWS::SNS::TopicPolicy", "Topics")
OF_DESTINATIONS: list[Row] = [
    ("a queue", (QUEUE, TO_QUEUE), "AD738 S3Bucket calls storagefullappstorage/Q, which S3 may not call"),
    ("a topic", (TOPIC, TO_TOPIC), "AD738 S3Bucket calls storagefullappstorage/T, which S3 may not call"),
    ("a queue of SNS", (QUEUE, TO_QUEUE, allowing(*Q_POLICY, "sns.amazonaws.com")), "which S3 may not call"),
    ("a queue, too early", (QUEUE, TO_QUEUE, allowing(*Q_POLICY)), "AD738 S3Bucket may be made before May"),
    ("a policy as a text", (QUEUE, TO_QUEUE, MAY_BY_TEXT, after("S3Bucket", "May")), None),
    ("a policy of SNS as a text", (QUEUE, TO_QUEUE, SNS_BY_TEXT), "which S3 may not call"),
    ("perhaps a statement", (QUEUE, TO_QUEUE, PERHAPS_MAY, after("S3Bucket", "May")), None),
    ("a queue of S3", (QUEUE, TO_QUEUE, allowing(*Q_POLICY), after("S3Bucket", "May")), None),
    ("a topic of S3", (TOPIC, TO_TOPIC, allowing(*T_POLICY), after("S3Bucket", "May")), None),
]


ELSEWHERE = "arn:aws:sqs:us-east-1:111122223333:jobs.fifo"


def rule(**given: Any) -> Change:
    return put(
        "Rule", "AWS::Events::Rule", **{"Targets": [{"Arn": ELSEWHERE.removesuffix(".fifo"), "Id": "a"}], **given}
    )


def scheduled(expression: str) -> Change:
    return put("Sch", "AWS::Scheduler::Schedule", ScheduleExpression=expression, Target={"Arn": FN_ARN})


BUS = put("Bus", "AWS::Events::EventBus", Name={"Fn::Sub": "bus-${env}"})
IN_ORDER, TO_IT = put("O", "AWS::SQS::Queue", FifoQueue=True), {"Arn": {"Fn::GetAtt": ["O", "Arn"]}, "Id": "q"}
OF_EVENTS: list[Row] = [
    ("a text for a list", (rule(EventPattern={"source": "aws.s3"}),), "AD728 Rule has the pattern source: 'aws.s3'"),
    ("deeper", (rule(EventPattern={"detail": {"a": {"b": 3}}}),), "AD728 Rule has the pattern detail.a.b: 3"),
    ("an empty list", (rule(EventPattern={"source": []}),), "AD728 Rule has the pattern source: []"),
    ("as a text", (rule(EventPattern='{"source": "aws.s3"}'),), "AD728 Rule has the pattern source"),
    ("lists", (rule(EventPattern={"source": ["aws.s3"], "detail": {"a": [{"prefix": "x"}]}}),), None),
    ("one of several", (rule(EventPattern={"$or": [{"source": ["a"]}, {"source": ["b"]}]}),), None),
    (
        "a schedule on a bus of one's own",
        (BUS, rule(ScheduleExpression="rate(1 day)", EventBusName={"Ref": "Bus"})),
        "AD728",
    ),
    ("a schedule on a bus by its name", (rule(ScheduleExpression="rate(1 day)", EventBusName="orders"),), "AD728"),
    (
        "perhaps on one's own",
        (BUS, rule(ScheduleExpression="rate(1 day)", EventBusName=perhaps({"Ref": "Bus"}))),
        None,
    ),
    (
        "on one of another stack",
        (rule(ScheduleExpression="rate(1 day)", EventBusName={"Fn::ImportValue": "bus"}),),
        None,
    ),
    (
        "perhaps a schedule",
        (BUS, rule(ScheduleExpression=perhaps("rate(1 day)"), EventBusName={"Ref": "Bus"})),
        None,
    ),
    ("a schedule on the account's", (rule(ScheduleExpression="rate(1 day)", EventBusName="default"),), None),
    ("a pattern on a bus of one's own", (BUS, rule(EventPattern={"source": ["a"]}, EventBusName={"Ref": "Bus"})), None),
    (
        "a queue that keeps an order",
        (IN_ORDER, rule(ScheduleExpression="rate(1 day)", Targets=[TO_IT])),
        "AD728 Rule sends to the queue of its target q, which keeps an order, without SqsParameters",
    ),
    ("another stack's", (rule(ScheduleExpression="rate(1 day)", Targets=[{**TO_IT, "Arn": ELSEWHERE}]),), "AD728"),
    (
        "in a group",
        (
            IN_ORDER,
            rule(ScheduleExpression="rate(1 day)", Targets=[{**TO_IT, "SqsParameters": {"MessageGroupId": "a"}}]),
        ),
        None,
    ),
    (
        "a queue that keeps none",
        (put("O", "AWS::SQS::Queue"), rule(ScheduleExpression="rate(1 day)", Targets=[TO_IT])),
        None,
    ),
    (
        "perhaps",
        (put("O", "AWS::SQS::Queue", FifoQueue=perhaps(True)), rule(ScheduleExpression="rate(1 day)", Targets=[TO_IT])),
        None,
    ),
    ("a schedule in words", (scheduled("every day"),), "AD728 Sch has the schedule 'every day'"),
    ("cron of five fields", (scheduled("cron(0 3 * * *)"),), "AD728 Sch has the schedule"),
    ("of five, the first of two figures", (scheduled("cron(15 3 * * ?)"),), "AD728 Sch has the schedule 'cron(15 3"),
    ("of five, with names of days", (scheduled("cron(0 12 * * MON-FRI)"),), "AD728 Sch has the schedule 'cron(0 12"),
    ("cron with more blanks", (scheduled("cron( 0  3 * * ?  * )"),), None),
    ("a day without its time", (scheduled("at(2030-01-01)"),), "AD728 Sch has the schedule"),
    ("cron of any day and any weekday", (scheduled("cron(0 3 * * * *)"),), "one of day and day of the week is ?"),
    ("cron of no day at all, of which AWS says nothing", (scheduled("cron(0 3 ? * ? *)"),), None),
    ("cron of a day and a weekday", (scheduled("cron(0 3 1 * MON *)"),), "one of day and day of the week is ?"),
    ("cron of a weekday", (scheduled("cron(0 3 ? * MON *)"),), None),
    ("cron", (scheduled("cron(0 3 * * ? *)"),), None),
    ("rate", (scheduled("rate(5 minutes)"),), None),
    ("once", (scheduled("at(2030-01-01T00:00:00)"),), None),
]


def handing_on(to: Any, **own: Any) -> Change:
    policy = {"deadLetterTargetArn": to, "maxReceiveCount": 3}
    return put("From", "AWS::SQS::Queue", **{"RedrivePolicy": policy, **own})


def letters(**own: Any) -> Change:
    return put("Letters", "AWS::SQS::Queue", **own)


TO_LETTERS = {"Fn::GetAtt": ["Letters", "Arn"]}
LETTERS_ARN = {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:letters"}
ENDLESS = {"deadLetterTargetArn": LETTERS_ARN}
OF_QUEUES: list[Row] = [
    ("a name of one that keeps an order", (letters(QueueName="letters.fifo"),), "AD740 Letters is called letters.fifo"),
    ("and keeps one", (letters(QueueName="letters.fifo", FifoQueue=True),), None),
    ("of one kind", (letters(), handing_on(TO_LETTERS)), None),
    ("both in order", (letters(FifoQueue=True), handing_on(TO_LETTERS, FifoQueue="true")), None),
    ("from order to none", (letters(), handing_on(TO_LETTERS, FifoQueue=True)), "AD740 From hands its messages on"),
    ("from none to order", (letters(FifoQueue=True), handing_on(TO_LETTERS)), "which keeps an order, as it does not"),
    ("perhaps in order", (letters(FifoQueue=perhaps(True)), handing_on(TO_LETTERS)), None),
    ("perhaps handed on", (letters(FifoQueue=True), handing_on(perhaps(TO_LETTERS))), None),
    ("by an ARN", (handing_on("arn:aws:sqs:us-east-1:111111111111:x.fifo"),), "AD740 From hands its messages on"),
    ("by an ARN that is not known", (handing_on(LETTERS_ARN),), None),
    ("without a count", (handing_on("", RedrivePolicy=ENDLESS),), "AD740 From has a RedrivePolicy without maxRec"),
    ("as a text", (handing_on("", RedrivePolicy=json.dumps({"maxReceiveCount": 3})),), "without deadLetterTargetArn"),
    ("perhaps without", (handing_on("", RedrivePolicy=perhaps(ENDLESS)),), None),
    ("not at all", (handing_on("", RedrivePolicy={"Ref": "AWS::NoValue"}),), None),
]


def of_resolver(**own: Any) -> Change:
    return put("Js", "AWS::AppSync::FunctionConfiguration", **own)


JS, APPSYNC_JS = "export const request = () => ({})", {"Name": "APPSYNC_JS", "RuntimeVersion": "1.0.0"}
OF_RESOLVERS: list[Row] = [
    ("code without its runtime", (of_resolver(Code=JS),), "AD712 Js has Code and no Runtime"),
    ("a file without", (of_resolver(CodeS3Location="s3://b/k.js"),), "AD712 Js has CodeS3Location and no Runtime"),
    ("a runtime for nothing", (of_resolver(Runtime=APPSYNC_JS),), "AD712 Js has a Runtime and no Code"),
    ("both", (of_resolver(Code=JS, Runtime=APPSYNC_JS),), None),
    ("neither", (of_resolver(RequestMappingTemplate="{}"),), None),
    ("perhaps code", (of_resolver(Code=perhaps(JS)),), None),
    ("perhaps a runtime", (of_resolver(Code=JS, Runtime=perhaps(APPSYNC_JS)),), None),
]


def private(**more: Any) -> Change:
    return of("itemsapi", EndpointConfiguration={"Types": ["PRIVATE"]}, **more)


def path(name: str) -> Change:
    def change(template: Template) -> None:
        paths = template["Resources"]["itemsapi"]["Properties"]["Body"]["paths"]
        paths[name] = paths["/items"]

    return change


def staged(**settings: Any) -> Change:
    every = {"HttpMethod": "*", "ResourcePath": "/*", **settings}
    return put("Live", "AWS::ApiGateway::Stage", RestApiId={"Ref": "itemsapi"}, MethodSettings=[every])


OF_APIS: list[Row] = [
    ("private, for nobody", (private(),), "AD713 itemsapi is private, and has no Policy"),
    ("private, for some", (private(Policy={"Statement": []}),), None),
    ("a path below all the rest", (path("/a/{proxy+}/b"),), "AD708 itemsapi has the path /a/{proxy+}/b"),
    ("all the rest", (path("/a/{proxy+}"),), None),
    ("logs without a role", (staged(LoggingLevel="INFO"),), "AD713 Live logs calls, and nothing in the backend"),
    ("logs of an account with one", (staged(LoggingLevel="INFO"), put("A", "AWS::ApiGateway::Account")), None),
    ("no logs", (staged(LoggingLevel="OFF"),), None),
]


def about(*resources: Any) -> Change:
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": list(resources)}]}
    return put("P", "AWS::IAM::ManagedPolicy", PolicyDocument=document)


def allowed(action: str) -> Change:
    document = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    return put("P", "AWS::IAM::ManagedPolicy", PolicyDocument=document)


def copied(*regions: Any) -> Change:
    return put("T", "AWS::DynamoDB::GlobalTable", Replicas=[{"Region": region} for region in regions])


INDEX = {"IndexName": "i", "Projection": {"ProjectionType": "ALL"}}
PERHAPS_ATTRIBUTES = {"ProjectionType": "ALL", "NonKeyAttributes": perhaps(["a"])}


def indexed(count: int, *more: Any) -> Change:
    several = [{**INDEX, "IndexName": f"i{n}"} for n in range(count)]
    return put("T", "AWS::DynamoDB::Table", GlobalSecondaryIndexes=[*several, *more])


def by(*keys: str) -> list[Template]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)]


UNITS = {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}


def capacity(index: Template, **own: Any) -> Change:
    return put("T", "AWS::DynamoDB::Table", **{**UNITS, "GlobalSecondaryIndexes": [index], **own})


def local(key: str) -> Change:
    index = {**INDEX, "KeySchema": by(key, "c")}
    return put("T", "AWS::DynamoDB::Table", KeySchema=by("id", "a"), LocalSecondaryIndexes=[index])


def having(own: int, attached: int = 0, role: Any = None, condition: str = "") -> tuple[Change, ...]:
    """A role with managed policies, some of which name it."""
    document = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    roles = [role or {"Ref": "R"}]
    arns = [{"Fn::ImportValue": f"policy-{n}"} for n in range(own)]

    def conditional(template: Template) -> None:
        for n in range(attached if condition else 0):
            template["Resources"][f"P{n}"]["Condition"] = condition

    made = [put(f"P{n}", "AWS::IAM::ManagedPolicy", Roles=roles, PolicyDocument=document) for n in range(attached)]
    named = put(
        "R",
        "AWS::IAM::Role",
        RoleName="r-dev",
        ManagedPolicyArns=arns,
        AssumeRolePolicyDocument=trusting("lambda.amazonaws.com"),
    )
    return (named, *made, conditional)


def on_bucket(actions: Any, resources: Any, **statement: Any) -> Change:
    given = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, **statement}
    document = {"Statement": [{**given, "Action": actions, "Resource": resources}]}
    return put("Pol", "AWS::S3::BucketPolicy", Bucket={"Ref": "S3Bucket"}, PolicyDocument=document)


def named(resource: Any, **bucket: Any) -> Change:
    """A policy by the bucket's name, beside a bucket `Another`."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "111111111111"},
        "Action": "s3:GetObject",
        "Resource": resource,
    }
    made = put("Another", "AWS::S3::Bucket", **bucket)
    by_name = put("Pol", "AWS::S3::BucketPolicy", Bucket="my-b", PolicyDocument={"Statement": [statement]})
    return lambda t: (made(t), by_name(t))[0]


OF_ANOTHERS_OBJECTS = {"Fn::Sub": "${Another.Arn}/*"}
ITSELF, ITS_OBJECTS = {"Fn::GetAtt": ["S3Bucket", "Arn"]}, {"Fn::Sub": "${S3Bucket.Arn}/*"}
OF_ANOTHER = put("Another", "AWS::S3::Bucket")
REDIRECTING = {"RedirectAllRequestsTo": {"HostName": "www.example.com"}}
ENDS_UPLOADS = {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
OF_BUCKET_POLICIES: list[Row] = [
    ("objects and the bucket", (on_bucket(["s3:GetObject", "s3:ListBucket"], [ITSELF, ITS_OBJECTS]),), None),
    ("objects of the bucket alone", (on_bucket("s3:GetObject", ITSELF),), "AD727 Pol has s3:GetObject for a bucket"),
    ("a list of objects", (on_bucket(["s3:ListBucket"], [ITS_OBJECTS]),), "AD727 Pol has s3:ListBucket for objects"),
    ("everything of the bucket", (on_bucket("s3:*", ITSELF),), None),
    ("anything", (on_bucket(["s3:GetObject", "s3:ListBucket"], "*"),), None),
    ("what only AWS knows", (on_bucket("s3:GetObject", {"Fn::ImportValue": "a"}),), None),
    ("perhaps objects", (on_bucket("s3:GetObject", [ITSELF, perhaps(ITS_OBJECTS)]),), None),
    ("of names that begin so", (on_bucket("s3:GetObject", "arn:aws:s3:::fullappbucket*"),), None),
    (
        "another bucket",
        (OF_ANOTHER, on_bucket("s3:ListBucket", {"Fn::GetAtt": ["Another", "Arn"]})),
        "AD727 Pol is about storagefullappstorage/Another, which is another bucket",
    ),
    ("by its name, and by its ARN", (named(OF_ANOTHERS_OBJECTS, BucketName="my-b"),), None),
    ("by its name, and perhaps by its ARN", (named(OF_ANOTHERS_OBJECTS, BucketName={"Fn::ImportValue": "b"}),), None),
    ("by its name, and by the ARN of one that has none", (named(OF_ANOTHERS_OBJECTS),), None),
    (
        "by its name, and another one by its ARN",
        (named(OF_ANOTHERS_OBJECTS, BucketName="other-b"),),
        "AD727 Pol is about storagefullappstorage/Another/*, which is another bucket",
    ),
    (
        "a policy of what is no bucket",
        (
            put("Own", "AWS::CloudFormation::CustomResource", ServiceToken="arn:aws:lambda:us-east-1:1:function:x"),
            on_bucket("s3:ListBucket", ITSELF),
            of("Pol", Bucket={"Fn::GetAtt": ["Own", "Name"]}),
        ),
        None,
    ),
    (
        "an attribute of what is no bucket",
        (
            put("Own", "AWS::CloudFormation::CustomResource", ServiceToken="arn:aws:lambda:us-east-1:1:function:x"),
            on_bucket("s3:ListBucket", {"Fn::GetAtt": ["Own", "BucketArn"]}),
        ),
        None,
    ),
    ("a redirect with pages", (of("S3Bucket", WebsiteConfiguration={**REDIRECTING, "IndexDocument": "i"}),), "AD727"),
    ("a redirect", (of("S3Bucket", WebsiteConfiguration=REDIRECTING),), None),
    ("a rule that does nothing", (of("S3Bucket", LifecycleConfiguration={"Rules": [{"Status": "Enabled"}]}),), "AD720"),
    ("a rule that ends uploads", (of("S3Bucket", LifecycleConfiguration={"Rules": [ENDS_UPLOADS]}),), None),
]


def key(*actions: Any, **statement: Any) -> Change:
    root = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
    given = {"Effect": "Allow", "Principal": root, "Resource": "*", **statement}
    document = {"Statement": [{**given, "Action": action} for action in actions]}
    return put("K", "AWS::KMS::Key", KeyPolicy=document)


def excepting(action: str) -> Change:
    statement = {"Effect": "Allow", "Principal": "*", "NotAction": action, "Resource": "*"}
    return put("K", "AWS::KMS::Key", KeyPolicy={"Statement": [statement]})


def lines_to(permission: str = "", *after: str) -> tuple[Change, ...]:
    """A log group whose lines go to the function, which a service may call."""
    given = {"LogGroupName": {"Ref": "Lg"}, "FilterPattern": "", "DestinationArn": FN_ARN}
    filter = {"Type": "AWS::Logs::SubscriptionFilter", "Properties": given, "DependsOn": list(after)}
    may = {"FunctionName": {"Ref": "LambdaFunction"}, "Action": "lambda:InvokeFunction", "Principal": permission}
    made: tuple[Change, ...] = (put("Lg", "AWS::Logs::LogGroup"), lambda t: t["Resources"].update(Lines=filter))
    return (*made, put("May", "AWS::Lambda::Permission", **may)) if permission else made


OF_KEYS_AND_LINES: list[Row] = [
    ("for the account", (key("kms:*"),), None),
    ("for whoever changes it", (key("kms:Decrypt", ["kms:Put*", "kms:Get*"]),), None),
    ("for whoever changes it, by its beginning", (key("kms:PutKey*"),), None),
    ("for whoever changes it, by its end", (key("kms:*Policy"),), None),
    ("for whoever changes it, but for a letter", (key("kms:PutKeyPolic?"),), None),
    (
        "for whoever puts something else",
        (key("kms:PutKeyX*"),),
        "AD715 K has a KeyPolicy in which nobody may change it",
    ),
    ("unchecked", (key("kms:Decrypt"), of("K", BypassPolicyLockoutSafetyCheck=True)), None),
    (
        "checked",
        (key("kms:Decrypt"), of("K", BypassPolicyLockoutSafetyCheck=False)),
        "AD715 K has a KeyPolicy in which",
    ),
    ("perhaps checked", (key("kms:Decrypt"), of("K", BypassPolicyLockoutSafetyCheck={"Ref": "env"})), None),
    ("all but reading", (key("kms:Decrypt", NotAction="kms:Get*"),), None),
    ("all but changing it", (excepting("kms:Put*"),), "AD715 K has a KeyPolicy in which nobody may change it"),
    ("for nobody", (key("kms:Decrypt"),), "AD715 K has a KeyPolicy in which nobody may change it"),
    ("denied alone", (key("kms:*", Effect="Deny"),), "AD715 K has a KeyPolicy in which nobody may change it"),
    ("perhaps for the account", (key(perhaps("kms:*")),), None),
    (
        "lines without a right",
        lines_to(),
        "AD738 Lines calls functionhelloFn/LambdaFunction, which CloudWatch Logs may",
    ),
    ("lines of another service", lines_to("s3.amazonaws.com"), "which CloudWatch Logs may not call"),
    ("lines, too early", lines_to("logs.amazonaws.com"), "AD738 Lines may be made before May"),
    ("lines of CloudWatch", lines_to("logs.amazonaws.com", "May"), None),
    ("lines of a region's", lines_to("logs.us-east-1.amazonaws.com", "May"), None),
]
OF_POLICIES: list[Row] = [
    ("an index without capacity", (capacity(INDEX),), "AD736 T has the index i without ProvisionedThroughput"),
    ("an index with", (capacity({**INDEX, **UNITS}),), None),
    ("on demand", (capacity(INDEX, BillingMode="PAY_PER_REQUEST"),), None),
    ("perhaps on demand", (capacity(INDEX, BillingMode=perhaps("PAY_PER_REQUEST")),), None),
    ("two indexes of one name", (indexed(0, INDEX, INDEX),), "AD736 T has the index i twice"),
    ("a local index by another key", (local("b"),), "AD736 T has the local index i by b: its hash key is the table's"),
    ("a local index by the table's key", (local("id"),), None),
    ("ten managed policies", having(6, 4), None),
    ("eleven", having(11), "AD735 R has 11 managed policies"),
    ("eleven, some of which name it", having(6, 5), "AD735 R has 11 managed policies"),
    ("eleven by its name", having(6, 5, "r-dev"), "AD735 R has 11 managed policies"),
    ("some of another role", having(6, 5, "other-dev"), None),
    ("some that perhaps are made", having(6, 5, condition="OnlyAwsKnows"), None),
    ("a bucket's name", (about("my-bucket/x"),), "AD715 P is about 'my-bucket/x', which is not an ARN"),
    ("too few parts", (about("arn:aws:dynamodb:table/x"),), "AD715 P is about 'arn:aws:dynamodb:table/x'"),
    ("a role in a region", (about({"Fn::Sub": "arn:aws:iam:us-east-1:1:role/x"}),), "IAM's ARNs have no region"),
    ("ARNs", (about("arn:aws:s3:::x/*", "*", "arn:aws:iam::1:role/x", "arn:aws:dynamodb:*"),), None),
    ("a blank", (allowed("s3:GetObject "),), "AD715 P allows or denies 's3:GetObject '"),
    ("everything", (allowed("*:*"),), None),
    ("any service", (allowed("*:GetObject"),), "AD715 P allows or denies '*:GetObject'"),
    ("a global table of elsewhere", (copied("eu-west-1", "ap-southeast-2"),), "AD736 T has replicas in eu-west-1"),
    ("perhaps an index too many", (indexed(20, perhaps(INDEX)),), None),
    ("an index too many", (indexed(21),), "AD736 T has 21 global secondary indexes"),
    ("perhaps attributes", (indexed(0, {**INDEX, "Projection": PERHAPS_ATTRIBUTES}),), None),
    ("one that is here", (copied({"Ref": "AWS::Region"}, "eu-west-1"),), None),
]


RULE = {"PasswordLength": 20}


def secret(**given: Any) -> Change:
    return put("Sec", "AWS::SecretsManager::Secret", **given)


def streaming(mode: Any, **given: Any) -> Change:
    return put("St", "AWS::Kinesis::Stream", StreamModeDetails={"StreamMode": mode}, **given)


def running(runtime: Any, *architectures: Any) -> Change:
    return of(FUNCTION, Runtime=runtime, Architectures=[*architectures])


def telling(topic: Any, protocol: Any, **own: Any) -> tuple[Change, ...]:
    """A topic, and a subscription of its own to `topic`."""
    subscribed = put("Sub", "AWS::SNS::Subscription", TopicArn=topic, Protocol=protocol, Endpoint="x")
    return (put("Top", "AWS::SNS::Topic", **own), subscribed)


def said_raw(protocol: str, raw: Any) -> tuple[Change, ...]:
    return (*telling(TOP, protocol), of("Sub", RawMessageDelivery=raw))


def looking(period: Any, periods: Any) -> Change:
    return put("Al", "AWS::CloudWatch::Alarm", Period=period, EvaluationPeriods=periods)


def firewall(kind: str, scope: Any) -> Change:
    return put("Fw", f"AWS::WAFv2::{kind}", Scope=scope)


def pages(**settings: Any) -> Change:
    return put("Cdn", "AWS::CloudFront::Distribution", DistributionConfig={"Enabled": True, **settings})


def aliased(version: Any, function: Any = None) -> Change:
    named = function or {"Ref": FUNCTION}
    return put("Live", "AWS::Lambda::Alias", Name="live", FunctionName=named, FunctionVersion=version)


def published(function: Any = None) -> Change:
    return put("V", "AWS::Lambda::Version", FunctionName=function or {"Ref": FUNCTION})


ORDERED = {"TopicName": "t-dev.fifo", "FifoTopic": True}
TOP = {"Ref": "Top"}
OWN_NAME = {"Aliases": ["www.example.com"]}
OF_EXCLUSIVE: list[Row] = [
    (
        "a text and a rule",
        (secret(SecretString="x", GenerateSecretString=RULE),),
        "AD760 Sec has a SecretString, and a",
    ),
    ("a text", (secret(SecretString="x"),), None),
    ("a rule, and no text", (secret(SecretString=NOTHING, GenerateSecretString=RULE),), None),
    ("a rule, and perhaps a text", (secret(SecretString=perhaps("x"), GenerateSecretString=RULE),), None),
    ("shards on demand", (streaming("ON_DEMAND", ShardCount=1),), "AD760 St is ON_DEMAND, and has a ShardCount"),
    ("on demand", (streaming("ON_DEMAND"),), None),
    ("perhaps shards", (streaming("ON_DEMAND", ShardCount=perhaps(1)),), None),
    ("shards", (streaming("PROVISIONED", ShardCount=1),), None),
    (
        "a runtime of x86_64",
        (running("python3.7", "arm64"),),
        "AD760 LambdaFunction is for arm64, and python3.7 is for",
    ),
    ("a runtime of both", (running("python3.8", "arm64"),), None),
    ("x86_64", (running("python3.7", "x86_64"),), None),
    ("perhaps arm64", (running("python3.7", either("arm64", "x86_64")),), None),
    (
        "e-mails of a topic that keeps an order",
        telling(TOP, "email", **ORDERED),
        "AD760 Sub has a subscriber by email, and the topic keeps an order",
    ),
    ("a queue's", telling(TOP, "sqs", **ORDERED), None),
    ("e-mails of one that keeps none", telling(TOP, "email", TopicName="t-dev"), None),
    ("e-mails of one perhaps", telling(TOP, "email", FifoTopic=perhaps(True)), None),
    ("raw e-mails", said_raw("email", True), "AD760 Sub has RawMessageDelivery, and is by email"),
    ("e-mails that are not raw, said all the same", said_raw("email", False), "AD760 Sub has RawMessageDelivery"),
    ("raw, to a queue", said_raw("sqs", True), None),
    ("perhaps raw", said_raw("email", perhaps(True)), None),
    ("an alarm over two days, by minutes", (looking(60, 2_880),), "AD760 Al looks back for 172,800 s, and CloudWatch"),
    ("over a day, by minutes", (looking(60, 1_440),), None),
    ("over eight days", (looking(86_400, 8),), "AD760 Al looks back for 691,200 s, and CloudWatch does for 604,800 s"),
    ("over a week", (looking("86400", "7"),), None),
    ("over nobody knows what", (looking(perhaps(60), 2_880),), None),
    ("e-mails of another stack's", telling("arn:aws:sns:us-east-1:1:t.fifo", "email"), "AD760 Sub has a subscriber"),
    (
        "functions, within",
        (put("T", "AWS::SNS::Topic", Subscription=[{"Protocol": "lambda"}], **ORDERED),),
        "by lambda",
    ),
    ("within, of none", (put("T", "AWS::SNS::Topic", Subscription=[{"Protocol": "lambda"}]),), None),
    # The tests' stack is in us-east-1; elsewhere: below.
    ("a firewall at home", (firewall("WebACL", "CLOUDFRONT"),), None),
    ("a name without a certificate", (pages(**OWN_NAME),), "AD760 Cdn has the name www.example.com"),
    (
        "a name with that of CloudFront",
        (pages(**OWN_NAME, ViewerCertificate={"CloudFrontDefaultCertificate": True}),),
        "AD760 Cdn has the name www.example.com",
    ),
    ("a name with its own", (pages(**OWN_NAME, ViewerCertificate={"AcmCertificateArn": "arn:x"}),), None),
    ("perhaps its own", (pages(**OWN_NAME, ViewerCertificate=perhaps({"AcmCertificateArn": "arn:x"})),), None),
    ("perhaps a name", (pages(Aliases=[perhaps("www.example.com")]),), None),
    ("no name", (pages(Aliases=[]),), None),
    ("an alias of nothing", (aliased("1"),), "AD760 Live is an alias of version 1 of functionhelloFn/LambdaFunction"),
    ("an alias of a version that is made", (aliased("1"), published()), None),
    ("of another function", (aliased("1"), published("another")), None),
    ("an alias of the newest", (aliased("$LATEST"),), None),
    ("an alias of a version's", (aliased({"Fn::GetAtt": ["V", "Version"]}), published()), None),
    ("an alias elsewhere", (aliased("1", "another"),), None),
]

FN = {"Fn::GetAtt": [FUNCTION, "Arn"]}
DAILY = {"ScheduleExpression": "rate(1 day)"}


def may(service: str) -> Change:
    principal = f"{service}.amazonaws.com"
    return put("MayIt", "AWS::Lambda::Permission", FunctionName={"Ref": FUNCTION}, Principal=principal, Action="x")


def calling(endpoint: Any) -> tuple[Change, ...]:
    return (put("Top", "AWS::SNS::Topic"), put("Sub", "AWS::SNS::Subscription", TopicArn=TOP, Endpoint=endpoint))


TO_FN = {"Protocol": "lambda", "Endpoint": FN}
OF_UNTRIED: list[Row] = [
    ("a topic's function", calling(FN), "AD738 Sub calls functionhelloFn/LambdaFunction, which SNS may not call"),
    ("which it may call", (*calling(FN), may("sns")), None),
    ("which another service may", (*calling(FN), may("s3")), "AD738 Sub calls"),
    ("within", (put("Top", "AWS::SNS::Topic", Subscription=[TO_FN]),), "AD738 Top calls"),
    ("another account's", calling("arn:aws:lambda:us-east-1:111122223333:function:x"), None),
    ("perhaps one", calling(perhaps(FN)), None),
    ("a rule's", (put("R", "AWS::Events::Rule", Targets=[{"Arn": FN, "Id": "f"}], **DAILY),), "which EventBridge may"),
    ("that it may", (put("R", "AWS::Events::Rule", Targets=[{"Arn": FN, "Id": "f"}], **DAILY), may("events")), None),
    ("a pool's", (put("P", "AWS::Cognito::UserPool", LambdaConfig={"PreSignUp": FN}),), "AD738 P calls"),
    (
        "that Cognito may",
        (put("P", "AWS::Cognito::UserPool", LambdaConfig={"PreSignUp": FN}), may("cognito-idp")),
        None,
    ),
]
"""What AWS makes, and what then never runs."""


def test_what_never_runs_is_a_warning(full: Assembly) -> None:
    tree = tree_of(spoiled(full, HELLO, put("P", "AWS::Cognito::UserPool", LambdaConfig={"PreSignUp": FN})))
    assert [(f.id, f.severity) for f in powerless_triggers(tree)] == [("AD738", "warning")]


@pytest.mark.parametrize(
    ("kind", "scope", "region", "said"),
    [
        ("WebACL", "CLOUDFRONT", "eu-west-1", True),
        ("IPSet", "CLOUDFRONT", "eu-west-1", True),
        ("RegexPatternSet", "CLOUDFRONT", "eu-west-1", True),
        ("WebACL", "REGIONAL", "eu-west-1", False),
        ("WebACL", {"Fn::If": ["OnlyAwsKnows", "CLOUDFRONT", "REGIONAL"]}, "eu-west-1", False),
        ("WebACL", "CLOUDFRONT", "us-east-1", False),
    ],
)
def test_what_is_for_cloudfront_stands_in_one_region(
    full: Assembly, kind: str, scope: Any, region: str, *, said: bool
) -> None:
    tree = replace(tree_of(spoiled(full, HELLO, firewall(kind, scope))), region=region)
    assert [(f.id, f.severity) for f in exclusive_settings(tree)] == [("AD760", "refused")] * said


def test_what_aws_alone_knows_of_is_a_warning(full: Assembly) -> None:
    """Distributions of before 2019 keep their names; versions are published by hand, too."""
    tree = tree_of(spoiled(full, HELLO, lambda t: (aliased("1")(t), pages(**OWN_NAME)(t))))
    assert [f.severity for f in exclusive_settings(tree)] == ["warning", "warning"]


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        pytest.param(HELLO, OF_EXCLUSIVE, id="two settings"),
        pytest.param(HELLO, OF_UNTRIED, id="what never runs"),
        pytest.param(HELLO, OF_FUNCTIONS, id="functions"),
        pytest.param(HELLO, OF_MAPPINGS, id="mappings"),
        pytest.param(HELLO, OF_ORDER, id="order"),
        pytest.param(HELLO, OF_RIGHTS, id="rights"),
        pytest.param(HELLO, OF_ROLES, id="roles"),
        pytest.param(AUTH, OF_POOLS, id="user pools"),
        pytest.param(AUTH, OF_CLIENTS_ORDER, id="app clients"),
        pytest.param(STORAGE, OF_BUCKETS, id="buckets"),
        pytest.param(STORAGE, OF_DESTINATIONS, id="destinations"),
        pytest.param(HELLO, OF_EVENTS, id="events"),
        pytest.param(("apiitemsapi",), OF_APIS, id="REST APIs"),
        pytest.param(STORAGE, OF_BUCKET_POLICIES, id="policies of buckets"),
        pytest.param(HELLO, OF_KEYS_AND_LINES, id="keys and lines"),
        pytest.param(HELLO, OF_QUEUES, id="queues"),
        pytest.param(HELLO, OF_RESOLVERS, id="resolvers"),
        pytest.param(HELLO, OF_POLICIES, id="policies and tables"),
    ],
)
def test_what_a_service_refuses_of_its_settings(full: Assembly, path: tuple[str, ...], rows: list[Row]) -> None:
    def check(_: str, changes: tuple[Change, ...], said: str | None) -> None:
        found = told(full, path, *changes)
        if said is None:
            assert found == []
        else:
            assert len(found) == 1, found
            assert said in found[0]

    hold(check, rows)

"""What AWS's managed policies give, by services: those that exports, their documentation and its examples attach.

From the AWS managed policy reference (docs.aws.amazon.com/aws-managed-policy/latest/reference), as of April 2026; AWS
adds to them. Left out is what a policy gives of `iam`, `cloudformation`, `organizations` and `tag` for the console, as
lists of roles to choose from, unless it is about them. Policies that give every service at once name none, as `*` does
not.
"""

from collections.abc import Mapping

POLICIES: Mapping[str, str] = {
    "AWSAppSyncAdministrator": "appsync",
    "AWSAppSyncInvokeFullAccess": "appsync",
    "AWSIoTConfigAccess": "iot",
    "AWSIoTDataAccess": "iot",
    "AWSIoTFullAccess": "iot iotjobsdata",
    "AWSKeyManagementServicePowerUser": "kms",
    "AWSLambdaExecute": "logs s3",
    "AWSLambdaInvocation-DynamoDB": "dynamodb lambda",
    "AWSLambda_FullAccess": "cloudwatch ec2 kms lambda logs states xray",
    "AWSLambda_ReadOnlyAccess": "cloudwatch ec2 kms lambda logs states xray",
    "AWSStepFunctionsFullAccess": "states",
    "AWSXRayDaemonWriteAccess": "xray",
    "AWSXrayWriteOnlyAccess": "xray",
    "AdministratorAccess": "",
    "AmazonAPIGatewayInvokeFullAccess": "execute-api",
    "AmazonAthenaFullAccess": "athena cloudwatch datazone glue lakeformation pricing s3 sns",
    "AmazonBedrockFullAccess": "aws-marketplace bedrock bedrock-mantle ec2 kms sagemaker",
    "AmazonBedrockLimitedAccess": "aws-marketplace bedrock bedrock-mantle ec2 kms",
    "AmazonBedrockReadOnly": "bedrock sagemaker",
    "AmazonCognitoPowerUser": "acm cognito-identity cognito-idp cognito-sync kinesis lambda mobiletargeting ses "
    "sms-voice sns",
    "AmazonCognitoReadOnly": "cognito-identity cognito-idp cognito-sync sns",
    "AmazonDynamoDBFullAccess": "application-autoscaling cloudwatch datapipeline dax dynamodb ec2 kinesis kms "
    "lambda resource-groups sns",
    "AmazonDynamoDBReadOnlyAccess": "application-autoscaling cloudwatch datapipeline dax dynamodb ec2 kinesis kms "
    "lambda resource-groups sns",
    "AmazonEC2ContainerRegistryReadOnly": "ecr",
    "AmazonESFullAccess": "es",
    "AmazonElastiCacheFullAccess": "application-autoscaling cloudwatch ec2 elasticache firehose kms logs outposts s3 "
    "sns",
    "AmazonElasticFileSystemClientFullAccess": "elasticfilesystem",
    "AmazonElasticFileSystemClientReadWriteAccess": "elasticfilesystem",
    "AmazonEventBridgeFullAccess": "events pipes scheduler schemas secretsmanager",
    "AmazonKinesisFirehoseFullAccess": "firehose",
    "AmazonKinesisFullAccess": "kinesis",
    "AmazonLexFullAccess": "cloudwatch kendra kms lambda lex logs polly s3",
    "AmazonLexReadOnly": "lex",
    "AmazonLexRunBotsOnly": "lex",
    "AmazonMobileAnalyticsWriteOnlyAccess": "mobileanalytics",
    "AmazonOpenSearchServiceFullAccess": "es",
    "AmazonPollyFullAccess": "polly",
    "AmazonPollyReadOnlyAccess": "polly",
    "AmazonRDSDataFullAccess": "dbqms rds-data secretsmanager",
    "AmazonRDSFullAccess": "application-autoscaling cloudwatch devops-guru ec2 logs outposts pi rds sns",
    "AmazonRDSReadOnlyAccess": "cloudwatch devops-guru ec2 logs rds",
    "AmazonRekognitionFullAccess": "rekognition",
    "AmazonRekognitionReadOnlyAccess": "rekognition",
    "AmazonS3FullAccess": "s3 s3-object-lambda",
    "AmazonS3ReadOnlyAccess": "s3 s3-object-lambda",
    "AmazonSESFullAccess": "ses",
    "AmazonSNSFullAccess": "sms-voice sns",
    "AmazonSQSFullAccess": "sqs",
    "AmazonSSMFullAccess": "cloudwatch ds ec2 ec2messages logs ssm ssmmessages",
    "AmazonSSMReadOnlyAccess": "ssm",
    "AmazonTextractFullAccess": "textract",
    "AmazonTranscribeFullAccess": "s3 transcribe",
    "AmazonVPCFullAccess": "ec2",
    "CloudFrontFullAccess": "acm cloudfront cloudfront-keyvaluestore ec2 elasticloadbalancing kinesis "
    "pricingplanmanager s3 waf wafv2",
    "CloudWatchFullAccess": "autoscaling cloudwatch logs oam sns",
    "CloudWatchLambdaInsightsExecutionRolePolicy": "logs",
    "CloudWatchLogsFullAccess": "cloudwatch logs observabilityadmin",
    "CloudWatchLogsReadOnlyAccess": "cloudwatch logs observabilityadmin",
    "ComprehendFullAccess": "comprehend s3",
    "ComprehendReadOnly": "comprehend",
    "IAMFullAccess": "iam organizations",
    "IAMReadOnlyAccess": "iam",
    "PowerUserAccess": "",
    "ReadOnlyAccess": "",
    "SecretsManagerReadWrite": "docdb-elastic ec2 kms lambda rds redshift redshift-serverless s3 secretsmanager "
    "serverlessrepo",
    "TranslateFullAccess": "cloudwatch comprehend s3 translate",
    "TranslateReadOnly": "cloudwatch comprehend translate",
    "service-role/AWSAppSyncPushToCloudWatchLogs": "logs",
    "service-role/AWSLambdaBasicExecutionRole": "logs",
    "service-role/AWSLambdaDynamoDBExecutionRole": "dynamodb logs",
    "service-role/AWSLambdaENIManagementAccess": "ec2",
    "service-role/AWSLambdaKinesisExecutionRole": "kinesis logs",
    "service-role/AWSLambdaMSKExecutionRole": "ec2 kafka logs",
    "service-role/AWSLambdaRole": "lambda",
    "service-role/AWSLambdaSQSQueueExecutionRole": "logs sqs",
    "service-role/AWSLambdaVPCAccessExecutionRole": "ec2 logs",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": "logs",
    "service-role/AmazonECSTaskExecutionRolePolicy": "ecr logs",
    "service-role/AmazonSNSRole": "logs",
}
"""By path and name (`service-role/AWSLambdaRole`): prefixes of IAM actions, separated by spaces."""

"""Types that hold data, CloudFormation's and Pulumi's."""

from __future__ import annotations

from collections.abc import Mapping

BUCKET = "AWS::S3::Bucket"

CLOUDFORMATION_TYPES: Mapping[str, str] = {
    "AWS::Backup::BackupVault": "backups",
    "AWS::CodeCommit::Repository": "commits",
    "AWS::Cognito::IdentityPool": "identities",
    "AWS::Cognito::UserPool": "users",
    "AWS::Cognito::UserPoolGroup": "memberships",
    "AWS::Cognito::UserPoolUser": "a user",
    "AWS::DocDB::DBCluster": "documents",
    "AWS::DocDB::DBInstance": "documents",
    "AWS::DynamoDB::GlobalTable": "items",
    "AWS::DynamoDB::Table": "items",
    "AWS::EC2::Volume": "files",
    "AWS::ECR::Repository": "images",
    "AWS::EFS::FileSystem": "files",
    "AWS::EMR::Cluster": "files of its nodes",
    "AWS::ElastiCache::CacheCluster": "entries",
    "AWS::ElastiCache::ReplicationGroup": "entries",
    "AWS::Elasticsearch::Domain": "search index",
    "AWS::FSx::FileSystem": "files",
    "AWS::KMS::Key": "whatever it encrypts",
    "AWS::Kinesis::Stream": "records",
    "AWS::Location::GeofenceCollection": "geofences",
    "AWS::Location::Tracker": "positions",
    "AWS::Logs::LogGroup": "log events",
    "AWS::MemoryDB::Cluster": "entries",
    "AWS::Neptune::DBCluster": "graph",
    "AWS::Neptune::DBInstance": "graph",
    "AWS::OpenSearchService::Domain": "search index",
    "AWS::Organizations::Account": "an account",
    "AWS::Pinpoint::App": "endpoints and campaigns",
    "AWS::QLDB::Ledger": "documents",
    "AWS::RDS::DBCluster": "rows",
    "AWS::RDS::DBInstance": "rows",
    "AWS::RDS::GlobalCluster": "rows",
    "AWS::Redshift::Cluster": "rows",
    BUCKET: "objects",
    "AWS::SDB::Domain": "items",
    "AWS::SQS::Queue": "messages",
    "AWS::SecretsManager::Secret": "a secret",
    "AWS::Timestream::Table": "records",
    "Custom::AmplifyDynamoDBTable": "items",
}
"""CloudFormation's types that hold data, and what kind: those of the resource type reference whose replacement or
removal loses something, and all that Amplify's migration to Gen 2 calls stateful (amplify-cli, gen2-migration)."""

PULUMI_TYPES: Mapping[str, str] = {
    "aws:cognito/userPool:UserPool": "users",
    "aws:docdb/cluster:Cluster": "documents",
    "aws:dynamodb/globalTable:GlobalTable": "items",
    "aws:dynamodb/table:Table": "items",
    "aws:ebs/volume:Volume": "files",
    "aws:ecr/repository:Repository": "images",
    "aws:efs/fileSystem:FileSystem": "files",
    "aws:elasticsearch/domain:Domain": "search index",
    "aws:kinesis/stream:Stream": "records",
    "aws:neptune/cluster:Cluster": "graph",
    "aws:opensearch/domain:Domain": "search index",
    "aws:rds/cluster:Cluster": "rows",
    "aws:rds/instance:Instance": "rows",
    "aws:s3/bucket:Bucket": "objects",
    "aws:s3/bucketV2:BucketV2": "objects",
    "aws-native:cognito:UserPool": "users",
    "aws-native:dynamodb:GlobalTable": "items",
    "aws-native:dynamodb:Table": "items",
    "aws-native:ecr:Repository": "images",
    "aws-native:efs:FileSystem": "files",
    "aws-native:kinesis:Stream": "records",
    "aws-native:opensearchservice:Domain": "search index",
    "aws-native:rds:DbCluster": "rows",
    "aws-native:rds:DbInstance": "rows",
    "aws-native:s3:Bucket": "objects",
}
"""Pulumi's types that hold data, of what the program makes beside the backend, and what kind."""

"""What holds data: types of CloudFormation and of Pulumi, and custom resources by which Amplify makes such things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    "aws:backup/vault:Vault": "backups",
    "aws:codecommit/repository:Repository": "commits",
    "aws:cognito/identityPool:IdentityPool": "identities",
    "aws:cognito/user:User": "a user",
    "aws:cognito/userPool:UserPool": "users",
    "aws:docdb/cluster:Cluster": "documents",
    "aws:dynamodb/globalTable:GlobalTable": "items",
    "aws:dynamodb/table:Table": "items",
    "aws:ebs/volume:Volume": "files",
    "aws:ecr/repository:Repository": "images",
    "aws:efs/fileSystem:FileSystem": "files",
    "aws:elasticache/cluster:Cluster": "entries",
    "aws:elasticache/replicationGroup:ReplicationGroup": "entries",
    "aws:elasticache/serverlessCache:ServerlessCache": "entries",
    "aws:elasticsearch/domain:Domain": "search index",
    "aws:emr/cluster:Cluster": "files of its nodes",
    "aws:fsx/lustreFileSystem:LustreFileSystem": "files",
    "aws:fsx/ontapFileSystem:OntapFileSystem": "files",
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": "files",
    "aws:fsx/windowsFileSystem:WindowsFileSystem": "files",
    "aws:kinesis/stream:Stream": "records",
    "aws:kms/key:Key": "whatever it encrypts",
    "aws:location/geofenceCollection:GeofenceCollection": "geofences",
    "aws:location/tracker:Tracker": "positions",
    "aws:memorydb/cluster:Cluster": "entries",
    "aws:neptune/cluster:Cluster": "graph",
    "aws:opensearch/domain:Domain": "search index",
    "aws:pinpoint/app:App": "endpoints and campaigns",
    "aws:rds/cluster:Cluster": "rows",
    "aws:rds/globalCluster:GlobalCluster": "rows",
    "aws:rds/instance:Instance": "rows",
    "aws:redshift/cluster:Cluster": "rows",
    "aws:redshiftserverless/namespace:Namespace": "rows",
    "aws:s3/bucket:Bucket": "objects",
    "aws:s3/bucketV2:BucketV2": "objects",
    "aws:sqs/queue:Queue": "messages",
    "aws:timestreamwrite/database:Database": "records",
    "aws:timestreamwrite/table:Table": "records",
    "aws-native:backup:BackupVault": "backups",
    "aws-native:codecommit:Repository": "commits",
    "aws-native:cognito:IdentityPool": "identities",
    "aws-native:cognito:UserPool": "users",
    "aws-native:cognito:UserPoolUser": "a user",
    "aws-native:docdb:DbCluster": "documents",
    "aws-native:dynamodb:GlobalTable": "items",
    "aws-native:dynamodb:Table": "items",
    "aws-native:ec2:Volume": "files",
    "aws-native:ecr:Repository": "images",
    "aws-native:efs:FileSystem": "files",
    "aws-native:elasticache:ReplicationGroup": "entries",
    "aws-native:elasticache:ServerlessCache": "entries",
    "aws-native:kinesis:Stream": "records",
    "aws-native:kms:Key": "whatever it encrypts",
    "aws-native:location:GeofenceCollection": "geofences",
    "aws-native:location:Tracker": "positions",
    "aws-native:memorydb:Cluster": "entries",
    "aws-native:neptune:DbCluster": "graph",
    "aws-native:opensearchservice:Domain": "search index",
    "aws-native:rds:DbCluster": "rows",
    "aws-native:rds:DbInstance": "rows",
    "aws-native:rds:GlobalCluster": "rows",
    "aws-native:redshift:Cluster": "rows",
    "aws-native:redshiftserverless:Namespace": "rows",
    "aws-native:s3:Bucket": "objects",
    "aws-native:sqs:Queue": "messages",
    "aws-native:timestream:Database": "records",
    "aws-native:timestream:Table": "records",
}
"""Pulumi's types that hold data, of what the program makes beside the backend, and what kind: those of CloudFormation's
above, but for log groups, and for secrets, which AWS keeps for a while and whose values the program has."""


@dataclass(frozen=True)
class _Callout:
    """A custom resource of Amplify's whose function makes something with data, known by its `properties`: its type and
    its logical id say nothing. One of `remade_by` (empty: any) in an update has the function delete what was."""

    properties: frozenset[str]
    data: str
    remade_by: frozenset[str] = frozenset()


PINPOINT = frozenset({"appName", "pingPointRegion"})
"""The properties of the custom resource that makes a Pinpoint app. The CLI's older versions write `appName` alone, so
what one of them has deployed is known when a newer template takes its place."""

_CALLOUTS = (
    # amplify-cli, pinpoint-cloudformation-template: it answers with the name of its log stream as its physical id, in
    # updates too. Where that is another one, CloudFormation takes it for a replacement, and has it delete the app.
    _Callout(PINPOINT, "endpoints and campaigns"),
    # amplify-cli, geo, geofenceCollectionStack: the collection's name is the physical id.
    _Callout(frozenset({"collectionName", "region"}), "geofences", frozenset({"collectionName", "region"})),
    # amplify-cli, predictions, identify-template (a collection that admins fill): as Pinpoint's, and the collection
    # that it is told to delete is the one that it has just found again.
    _Callout(frozenset({"collectionId", "bucketName"}), "faces"),
)

CALLOUT_PROPERTIES = tuple(callout.properties for callout in _CALLOUTS)
"""The properties by which a custom resource whose function makes something with data is known."""


def data_of(kind: str, properties: Any) -> str:
    """What data a resource of CloudFormation holds; empty for one that holds none."""
    callout = _callout(kind, properties)
    return callout.data if callout else CLOUDFORMATION_TYPES.get(kind, "")


def remade_by(kind: str, properties: Any, changed: frozenset[str]) -> frozenset[str]:
    """Which of the `changed` properties make a custom resource's function delete what it has made, and make another."""
    callout = _callout(kind, properties)
    return frozenset() if callout is None else changed & (callout.remade_by or changed)


def is_custom(kind: str) -> bool:
    """Whether a resource is made by a function of the template's own."""
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def _callout(kind: str, properties: Any) -> _Callout | None:
    if not is_custom(kind) or not isinstance(properties, Mapping):
        return None
    return next((c for c in _CALLOUTS if c.properties <= properties.keys()), None)

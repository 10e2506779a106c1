"""What holds data: types of CloudFormation and of Pulumi, and custom resources by which Amplify makes such things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BUCKET = "AWS::S3::Bucket"

CLOUDFORMATION_TYPES: Mapping[str, str] = {
    "AWS::APS::Workspace": "metrics",
    "AWS::AmazonMQ::Broker": "messages",
    "AWS::Backup::BackupVault": "backups",
    "AWS::Backup::LogicallyAirGappedBackupVault": "backups",
    "AWS::Cassandra::Keyspace": "rows",
    "AWS::Cassandra::Table": "rows",
    "AWS::CloudFront::KeyValueStore": "entries",
    "AWS::CloudTrail::EventDataStore": "events",
    "AWS::CodeArtifact::Repository": "packages",
    "AWS::CodeCommit::Repository": "commits",
    "AWS::Cognito::IdentityPool": "identities",
    "AWS::Cognito::UserPool": "users",
    "AWS::Cognito::UserPoolGroup": "memberships",
    "AWS::Cognito::UserPoolUser": "a user",
    "AWS::DSQL::Cluster": "rows",
    "AWS::DocDB::DBCluster": "documents",
    "AWS::DocDB::DBInstance": "documents",
    "AWS::DocDBElastic::Cluster": "documents",
    "AWS::DynamoDB::GlobalTable": "items",
    "AWS::DynamoDB::Table": "items",
    "AWS::EC2::Volume": "files",
    "AWS::ECR::PublicRepository": "images",
    "AWS::ECR::Repository": "images",
    "AWS::EFS::FileSystem": "files",
    "AWS::EMR::Cluster": "files of its nodes",
    "AWS::ElastiCache::CacheCluster": "entries",
    "AWS::ElastiCache::ReplicationGroup": "entries",
    "AWS::ElastiCache::ServerlessCache": "entries",
    "AWS::Elasticsearch::Domain": "search index",
    "AWS::Events::Archive": "events",
    "AWS::FSx::FileSystem": "files",
    "AWS::FSx::Volume": "files",
    "AWS::HealthImaging::Datastore": "images",
    "AWS::HealthLake::FHIRDatastore": "records",
    "AWS::IoTAnalytics::Datastore": "messages",
    "AWS::KMS::Key": "whatever it encrypts",
    "AWS::KMS::ReplicaKey": "whatever it encrypts",
    "AWS::Kendra::Index": "search index",
    "AWS::Kinesis::Stream": "records",
    "AWS::KinesisVideo::Stream": "video",
    "AWS::Lightsail::Bucket": "objects",
    "AWS::Lightsail::Database": "rows",
    "AWS::Lightsail::Disk": "files",
    "AWS::Location::GeofenceCollection": "geofences",
    "AWS::Location::Tracker": "positions",
    "AWS::Logs::LogGroup": "log events",
    "AWS::Logs::LogStream": "log events",
    "AWS::MSK::Cluster": "records",
    "AWS::MSK::ServerlessCluster": "records",
    "AWS::MemoryDB::Cluster": "entries",
    "AWS::MemoryDB::MultiRegionCluster": "entries",
    "AWS::Neptune::DBCluster": "graph",
    "AWS::Neptune::DBInstance": "graph",
    "AWS::NeptuneGraph::Graph": "graph",
    "AWS::OpenSearchServerless::Collection": "search index",
    "AWS::OpenSearchService::Domain": "search index",
    "AWS::Organizations::Account": "an account",
    "AWS::Pinpoint::App": "endpoints and campaigns",
    "AWS::QLDB::Ledger": "documents",
    "AWS::RDS::DBCluster": "rows",
    "AWS::RDS::DBInstance": "rows",
    "AWS::RDS::GlobalCluster": "rows",
    "AWS::Redshift::Cluster": "rows",
    "AWS::RedshiftServerless::Namespace": "rows",
    "AWS::Rekognition::Collection": "faces",
    BUCKET: "objects",
    "AWS::S3Express::DirectoryBucket": "objects",
    "AWS::S3Outposts::Bucket": "objects",
    "AWS::S3Tables::Table": "rows",
    "AWS::S3Tables::TableBucket": "rows",
    "AWS::S3Vectors::Index": "vectors",
    "AWS::S3Vectors::VectorBucket": "vectors",
    "AWS::SDB::Domain": "items",
    "AWS::SES::MailManagerArchive": "mails",
    "AWS::SQS::Queue": "messages",
    "AWS::SecretsManager::Secret": "a secret",
    "AWS::Serverless::SimpleTable": "items",
    "AWS::StorageGateway::Volume": "files",
    "AWS::Timestream::Database": "records",
    "AWS::Timestream::InfluxDBCluster": "records",
    "AWS::Timestream::InfluxDBInstance": "records",
    "AWS::Timestream::Table": "records",
    "AWS::WorkspacesInstances::Volume": "files",
    "Custom::AmplifyDynamoDBTable": "items",
}
"""CloudFormation's types that hold data, and what kind: those of the resource type reference whose replacement or
removal loses something, and all that Amplify's migration to Gen 2 calls stateful (amplify-cli, gen2-migration). One
that a transform makes a table of is compared before that."""

PULUMI_TYPES: Mapping[str, str] = {
    "aws:amp/workspace:Workspace": "metrics",
    "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault": "backups",
    "aws:backup/vault:Vault": "backups",
    "aws:cloudfront/keyValueStore:KeyValueStore": "entries",
    "aws:cloudtrail/eventDataStore:EventDataStore": "events",
    "aws:cloudwatch/eventArchive:EventArchive": "events",
    "aws:codeartifact/repository:Repository": "packages",
    "aws:codecommit/repository:Repository": "commits",
    "aws:cognito/identityPool:IdentityPool": "identities",
    "aws:cognito/user:User": "a user",
    "aws:cognito/userPool:UserPool": "users",
    "aws:docdb/cluster:Cluster": "documents",
    "aws:docdb/elasticCluster:ElasticCluster": "documents",
    "aws:dsql/cluster:Cluster": "rows",
    "aws:dynamodb/globalTable:GlobalTable": "items",
    "aws:dynamodb/table:Table": "items",
    "aws:ebs/volume:Volume": "files",
    "aws:ecr/repository:Repository": "images",
    "aws:ecrpublic/repository:Repository": "images",
    "aws:efs/fileSystem:FileSystem": "files",
    "aws:elasticache/cluster:Cluster": "entries",
    "aws:elasticache/replicationGroup:ReplicationGroup": "entries",
    "aws:elasticache/serverlessCache:ServerlessCache": "entries",
    "aws:elasticsearch/domain:Domain": "search index",
    "aws:emr/cluster:Cluster": "files of its nodes",
    "aws:fsx/lustreFileSystem:LustreFileSystem": "files",
    "aws:fsx/ontapFileSystem:OntapFileSystem": "files",
    "aws:fsx/ontapVolume:OntapVolume": "files",
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": "files",
    "aws:fsx/openZfsVolume:OpenZfsVolume": "files",
    "aws:fsx/windowsFileSystem:WindowsFileSystem": "files",
    "aws:kendra/index:Index": "search index",
    "aws:keyspaces/keyspace:Keyspace": "rows",
    "aws:keyspaces/table:Table": "rows",
    "aws:kinesis/stream:Stream": "records",
    "aws:kinesis/videoStream:VideoStream": "video",
    "aws:kms/key:Key": "whatever it encrypts",
    "aws:kms/replicaKey:ReplicaKey": "whatever it encrypts",
    "aws:lightsail/bucket:Bucket": "objects",
    "aws:lightsail/database:Database": "rows",
    "aws:lightsail/disk:Disk": "files",
    "aws:location/geofenceCollection:GeofenceCollection": "geofences",
    "aws:location/tracker:Tracker": "positions",
    "aws:memorydb/cluster:Cluster": "entries",
    "aws:memorydb/multiRegionCluster:MultiRegionCluster": "entries",
    "aws:mq/broker:Broker": "messages",
    "aws:msk/cluster:Cluster": "records",
    "aws:msk/serverlessCluster:ServerlessCluster": "records",
    "aws:neptune/cluster:Cluster": "graph",
    "aws:neptunegraph/graph:Graph": "graph",
    "aws:opensearch/domain:Domain": "search index",
    "aws:opensearch/serverlessCollection:ServerlessCollection": "search index",
    "aws:pinpoint/app:App": "endpoints and campaigns",
    "aws:rds/cluster:Cluster": "rows",
    "aws:rds/globalCluster:GlobalCluster": "rows",
    "aws:rds/instance:Instance": "rows",
    "aws:redshift/cluster:Cluster": "rows",
    "aws:redshiftserverless/namespace:Namespace": "rows",
    "aws:rekognition/collection:Collection": "faces",
    "aws:s3/bucket:Bucket": "objects",
    "aws:s3/bucketV2:BucketV2": "objects",
    "aws:s3/directoryBucket:DirectoryBucket": "objects",
    "aws:s3control/bucket:Bucket": "objects",
    "aws:s3tables/table:Table": "rows",
    "aws:s3tables/tableBucket:TableBucket": "rows",
    "aws:sqs/queue:Queue": "messages",
    "aws:storagegateway/cachesIscsiVolume:CachesIscsiVolume": "files",
    "aws:storagegateway/storedIscsiVolume:StoredIscsiVolume": "files",
    "aws:timestreaminfluxdb/dbCluster:DbCluster": "records",
    "aws:timestreaminfluxdb/dbInstance:DbInstance": "records",
    "aws:timestreamwrite/database:Database": "records",
    "aws:timestreamwrite/table:Table": "records",
    "aws-native:amazonmq:Broker": "messages",
    "aws-native:aps:Workspace": "metrics",
    "aws-native:backup:BackupVault": "backups",
    "aws-native:backup:LogicallyAirGappedBackupVault": "backups",
    "aws-native:cassandra:Keyspace": "rows",
    "aws-native:cassandra:Table": "rows",
    "aws-native:cloudfront:KeyValueStore": "entries",
    "aws-native:cloudtrail:EventDataStore": "events",
    "aws-native:codeartifact:Repository": "packages",
    "aws-native:codecommit:Repository": "commits",
    "aws-native:cognito:IdentityPool": "identities",
    "aws-native:cognito:UserPool": "users",
    "aws-native:cognito:UserPoolUser": "a user",
    "aws-native:docdb:DbCluster": "documents",
    "aws-native:docdbelastic:Cluster": "documents",
    "aws-native:dsql:Cluster": "rows",
    "aws-native:dynamodb:GlobalTable": "items",
    "aws-native:dynamodb:Table": "items",
    "aws-native:ec2:Volume": "files",
    "aws-native:ecr:Repository": "images",
    "aws-native:efs:FileSystem": "files",
    "aws-native:elasticache:ReplicationGroup": "entries",
    "aws-native:elasticache:ServerlessCache": "entries",
    "aws-native:events:Archive": "events",
    "aws-native:fsx:Volume": "files",
    "aws-native:healthimaging:Datastore": "images",
    "aws-native:healthlake:FhirDatastore": "records",
    "aws-native:iotanalytics:Datastore": "messages",
    "aws-native:kendra:Index": "search index",
    "aws-native:kinesis:Stream": "records",
    "aws-native:kinesisvideo:Stream": "video",
    "aws-native:kms:Key": "whatever it encrypts",
    "aws-native:kms:ReplicaKey": "whatever it encrypts",
    "aws-native:lightsail:Bucket": "objects",
    "aws-native:lightsail:Database": "rows",
    "aws-native:lightsail:Disk": "files",
    "aws-native:location:GeofenceCollection": "geofences",
    "aws-native:location:Tracker": "positions",
    "aws-native:memorydb:Cluster": "entries",
    "aws-native:memorydb:MultiRegionCluster": "entries",
    "aws-native:msk:Cluster": "records",
    "aws-native:msk:ServerlessCluster": "records",
    "aws-native:neptune:DbCluster": "graph",
    "aws-native:neptunegraph:Graph": "graph",
    "aws-native:opensearchserverless:Collection": "search index",
    "aws-native:opensearchservice:Domain": "search index",
    "aws-native:rds:DbCluster": "rows",
    "aws-native:rds:DbInstance": "rows",
    "aws-native:rds:GlobalCluster": "rows",
    "aws-native:redshift:Cluster": "rows",
    "aws-native:redshiftserverless:Namespace": "rows",
    "aws-native:rekognition:Collection": "faces",
    "aws-native:s3:Bucket": "objects",
    "aws-native:secretsmanager:Secret": "a secret",
    "aws-native:s3express:DirectoryBucket": "objects",
    "aws-native:s3outposts:Bucket": "objects",
    "aws-native:s3tables:Table": "rows",
    "aws-native:s3tables:TableBucket": "rows",
    "aws-native:s3vectors:Index": "vectors",
    "aws-native:s3vectors:VectorBucket": "vectors",
    "aws-native:ses:MailManagerArchive": "mails",
    "aws-native:sqs:Queue": "messages",
    "aws-native:storagegateway:Volume": "files",
    "aws-native:timestream:Database": "records",
    "aws-native:timestream:InfluxDbCluster": "records",
    "aws-native:timestream:InfluxDbInstance": "records",
    "aws-native:timestream:Table": "records",
    "aws-native:workspacesinstances:Volume": "files",
}
"""Pulumi's types that hold data, of what the program makes beside the backend, and what kind: those of CloudFormation's
above, but for log groups, and for secrets of the classic provider, which AWS keeps for a while (`data_beside`).
CloudFormation's handler, which `aws-native` calls, deletes a secret at once (cloudformation-coverage-roadmap 1999)."""

_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type's name


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


def data_beside(kind: str, inputs: Mapping[str, Any]) -> str:
    """What data a resource of Pulumi's holds that has these inputs; empty for one that holds none. A secret holds some
    if it is deleted without a recovery window: else AWS can restore it."""
    if kind == _SECRET:
        return "a secret" if inputs.get("recoveryWindowInDays") == 0 else ""
    return PULUMI_TYPES.get(kind, "")


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

"""A table whose stream is read gets other keys as the refusal says: in two deliveries, in its order."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.deployment.test_in_steps import TABLE, TODO
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds
from unit.export.mutations import copy_export, replace_file

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("in-steps")]

ROLE = {
    "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    },
    "Policies": [
        {
            "PolicyName": "stream",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": [
                            "dynamodb:DescribeStream",
                            "dynamodb:GetRecords",
                            "dynamodb:GetShardIterator",
                            "dynamodb:ListStreams",
                        ],
                        "Resource": "*",
                    }
                ],
            },
        }
    ],
}
READER: dict[str, dict[str, Any]] = {
    "ReaderRole": {"Type": "AWS::IAM::Role", "Properties": ROLE},
    "Reader": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"ZipFile": "exports.handler = async () => {};"},
            "Handler": "index.handler",
            "Runtime": "nodejs22.x",
            "Role": {"Fn::GetAtt": ["ReaderRole", "Arn"]},
        },
    },
}
TRIGGER: dict[str, dict[str, Any]] = {
    "Trigger": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "EventSourceArn": {"Fn::GetAtt": ["TodoTable", "StreamArn"]},
            "FunctionName": {"Ref": "Reader"},
            "StartingPosition": "LATEST",
        },
    }
}


def taken(environment: Environment, name: str, *, trigger: bool, keys: tuple[str, ...]) -> None:
    """An export with a function that reads the model's stream or not, and with these keys of its table."""
    folder = environment.workspace.project.parent / name
    export = copy_export("todo-series/v1", folder / "amplify-export-seriesapp")
    template = json.loads((export / TODO).read_bytes())
    template["Resources"] |= {**READER, **(TRIGGER if trigger else {})}
    properties = template["Resources"]["TodoTable"]["Properties"]
    properties["AttributeDefinitions"] = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    properties["KeySchema"] = [{"AttributeName": key, "KeyType": kind} for key, kind in kinds]
    replace_file(export / TODO, json.dumps(template).encode())
    environment.workspace.put_export(export)


def sources(environment: Environment) -> list[str]:
    """The tables whose streams are read."""
    found = environment.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return [str(mapping["EventSourceArn"]).split("/")[1] for mapping in found]


def test_a_table_whose_stream_is_read_is_copied_in_the_order_that_is_told(
    local_aws: LocalAws, examined: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path, local_aws, tools(), examined, "todo-series/v1")
    stack_file = environment.workspace.project / "Pulumi.dev.yaml"
    before, both = ("id",), ("id", "owner")
    taken(environment, "first", trigger=True, keys=before)
    succeeds(environment.plain("up", "--skip-preview"))
    dynamodb = environment.client("dynamodb")
    (old,) = dynamodb.list_tables()["TableNames"]
    assert sources(environment) == [old]
    item = {"id": {"S": "kept"}, "owner": {"S": "me"}}
    dynamodb.put_item(TableName=old, Item=item)

    taken(environment, "other-keys", trigger=True, keys=both)
    without = stack_file.read_text()
    printed = re.search(r"`pulumi (config set-all -s dev [^`]+)`", environment.delivery("plan").output)
    assert printed
    environment.workspace.succeed(*shlex.split(printed[1]))
    with_entry = stack_file.read_text()
    fails(environment.delivery("up"), "AD743", TABLE, "By hand, in this order: (1) take the table out")
    assert dynamodb.list_tables()["TableNames"] == [old]

    stack_file.write_text(without)
    taken(environment, "by-hand-1", trigger=False, keys=before)
    succeeds(environment.delivery("up"))
    assert sources(environment) == []

    stack_file.write_text(with_entry)
    taken(environment, "by-hand-2", trigger=True, keys=both)
    done = succeeds(environment.delivery("up"))
    assert f"1 item of {old} copied to v2-{old}, and compared" in done.output
    assert dynamodb.scan(TableName=f"v2-{old}")["Items"] == [item]
    assert sources(environment) == [f"v2-{old}"]
    assert dynamodb.scan(TableName=old)["Items"] == [item]

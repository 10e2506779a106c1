"""One local AWS with a pipeline service for all tests of a process; fresh accounts and a fresh repository per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from aws_rehearsal_tests.pipeline_service.world import World

MINUTE = 0.2
"""Seconds a declared minute lasts in these tests: five minutes, AWS's least timeout, are one second."""


@pytest.fixture(scope="session")
def service() -> Iterator[PipelineService]:
    """The service, joined to a running local AWS."""
    aws, room = local_aws_with_room()
    try:
        with (
            aws,
            PipelineService(
                aws, room, build_variables={"PATH": os.environ["PATH"]}, minute=MINUTE, grace=30, poll_seconds=0.1
            ) as running,
        ):
            yield running
    finally:
        room.close()


@pytest.fixture
def world(service: PipelineService, tmp_path: Path) -> Iterator[World]:
    """Two fresh accounts with roles, a bucket, a key and a repository; its pipelines are deleted afterwards."""
    service.update_policy = "cancel"
    made = World(service.aws, service, tmp_path)
    yield made
    for pipeline in made.pipelines.list_pipelines()["pipelines"]:
        made.pipelines.delete_pipeline(name=pipeline["name"])

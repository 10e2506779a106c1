"""CodePipeline, CodeBuild and CodeStar Notifications in the local AWS: speaks their APIs and runs what is declared.

`PipelineService` is what others use; `joining` says where the service lives and why. What decides is pure (`structure`,
`decisions`, `triggers`, `buildspec`, `variables`, `overrides`, `views`), what acts is apart (`engine`, `actions`,
`build_run`, `processes`).
"""

from __future__ import annotations

from aws_rehearsal.pipeline_service.joining import Room, local_aws_with_room
from aws_rehearsal.pipeline_service.notifications.events import Event
from aws_rehearsal.pipeline_service.service import PipelineService, restart_on_update

__all__ = ["Event", "PipelineService", "Room", "local_aws_with_room", "restart_on_update"]

"""Lint an assembly and bring its objects into a staging bucket."""

from publishing.credentials import provider_session
from publishing.preflight import examine
from publishing.target import PublishTarget
from publishing.upload import PublishReport, publish

__all__ = ["PublishReport", "PublishTarget", "examine", "provider_session", "publish"]

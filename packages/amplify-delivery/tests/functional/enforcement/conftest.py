"""A running pipeline service, and real exports."""

from aws_rehearsal_tests.pipeline_service.conftest import service, world
from unit.export.conftest import app_export, export_copy, large_export

__all__ = ["app_export", "export_copy", "large_export", "service", "world"]

"""The AWS services as botocore has them, read once for all tests of a process."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore import xform_name
from botocore.session import Session, get_session


@cache
def service_model(service: str) -> Any:
    """The model of a service (`s3`): its operations and their shapes."""
    return _session().get_service_model(service)


@cache
def _session() -> Session:
    return get_session()


@cache
def waiter_names(service: str) -> frozenset[str]:
    """What `aws SERVICE wait` can wait for."""
    found = _session().get_component("data_loader").load_service_model(service, "waiters-2")
    return frozenset(xform_name(name, "-") for name in found["waiters"])

"""The record that an account's stack writes down: what its roles were made for, and which rights that came to.

A later version of this program may give a role more for the same types. The bootstrap version stays what it is then,
since nothing of the earlier one stops working; without the record AWS would tell, in the middle of a deployment.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace

from amplify_delivery.components.documents.account.account_documents import (
    AccountDocuments,
    account_documents,
    with_keys,
)
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import PROJECTS, EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.rights.prepared import Prepared, prepared
from amplify_delivery.components.documents.statements import Document
from amplify_delivery.errors import ConfigError

BOUNDARY, EXECUTION = "boundary", "cloudformation"
PARTS = (BOUNDARY, EXECUTION, *PROJECTS)
"""What is told apart in `Prepared.rights`, in this order."""
_LENGTH = 4
"""Hexadecimal digits for each."""


def account_record(access: EnvironmentAccess) -> Prepared:
    """What the roles of `access` are made for, with the rights that it comes to."""
    found = prepared(access)
    return replace(found, rights=rights_of(found))


def rights_of(found: Prepared) -> str:
    """A digest of the rights that this version gives for what `found` says, part by part. It depends on nothing else:
    names, and what else an account's file says, are the same for all."""
    # As a whole: what has no room inline, where names are long, are the same rights in another place.
    documents = account_documents(_some_account(found), room=sys.maxsize)
    return "".join(_digest(list(_of(documents, part))) for part in PARTS)


def changed(found: Prepared) -> tuple[str, ...]:
    """The `PARTS` that this version gives other rights than the one which has made them; all where it did not write
    that down, or has made them for a type that is not known here: a later one."""
    try:
        now = rights_of(found)
    except ConfigError:
        return PARTS
    return tuple(part for n, part in enumerate(PARTS) if _part(found.rights, n) != _part(now, n))


def _part(rights: str, number: int) -> str:
    return rights[number * _LENGTH : (number + 1) * _LENGTH]


def _of(documents: AccountDocuments, part: str) -> Iterator[Document]:
    if part == BOUNDARY:
        yield documents.boundary.document
        return
    roles = {EXECUTION: documents.execution, **dict(zip(PROJECTS, documents.project_roles, strict=True))}
    yield from roles[part].policies.values()
    yield from map(documents.managed_policy, roles[part].managed_policies)


def _digest(documents: list[Document]) -> str:
    return hashlib.sha256(json.dumps(documents, sort_keys=True).encode()).hexdigest()[:_LENGTH]


def _some_account(found: Prepared) -> EnvironmentAccess:
    names = EnvironmentNames(app="app", account="0" * 12, region="eu-west-1", environment="env")
    access = EnvironmentAccess(
        names=names,
        pipeline=PipelineNames(app="app", account="1" * 12, region="eu-west-1"),
        stack_name="amplify-app-env-00000",
        resource_types=found.backend,
        program_types=found.program,
        page_buckets=found.pages,
        boundary_services=tuple(sorted(found.boundary)),
        images=True,
        staging_key=True,
        tags={"user:Stack": "env"},
    )
    return with_keys(access, ["key/state", "key/staging"])

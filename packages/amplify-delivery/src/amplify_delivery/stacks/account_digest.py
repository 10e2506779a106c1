"""The digest of an account's stack: of all that it makes in the account, known without an engine and without AWS.

As long as an account says of itself that this very thing has been made there, to the end, there is nothing that an
update could change, unless somebody has changed it by hand. What counts is what is declared, not how it came about: the
documents as they are written, and the code that declares everything else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import amplify_delivery
from amplify_delivery.components.documents import staging
from amplify_delivery.components.documents.account.account_documents import SOME_KEY, account_documents, with_keys
from amplify_delivery.components.documents.account.record import account_record
from amplify_delivery.components.documents.account.storage import (
    repository_policy,
    state_bucket_policy,
    state_key_policy,
)
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION, EnvironmentAccess
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.statements import to_json
from amplify_delivery.stacks.config import AccountConfig

DECLARING = (
    "components/declared.py",
    "components/documents/account/storage.py",
    "components/image_repository.py",
    "components/private_bucket.py",
    "components/providers.py",
    "components/remembered.py",
    "components/staging_area.py",
    "components/target_account.py",
    "stacks/account.py",
)
"""The code that declares what an account's stack makes: what is in no document stands there. Not the builders of
documents: what they come to is in the documents; but the one that says how long what is stored stays."""


def account_digest(
    config: AccountConfig, accesses: Mapping[str, EnvironmentAccess], engine: EngineDownload | None
) -> str:
    """SHA-256 of what the stack of `config` makes for its environments, by name."""
    content = {
        "version": ACCOUNT_VERSION,
        "code": _code(),
        "tags": dict(config.tags),
        "protect": config.protect,
        "environments": {name: _environment(access, engine) for name, access in accesses.items()},
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _environment(access: EnvironmentAccess, engine: EngineDownload | None) -> dict[str, Any]:
    names = access.names
    return {
        "place": (names.account, names.region, names.former),
        "pipeline": access.visitor,
        "documents": account_documents(with_keys(access, [SOME_KEY] * 2), engine),
        "types": account_record(access).plain(),
        "images": repository_policy(access.names) if access.images else None,
        "staging": to_json(staging.bucket_policy(names.staging_bucket, names.region)),
        "stagingKey": to_json(staging.key_policy(names.account, names.region)) if access.staging_key else None,
        "state": (state_bucket_policy(names), state_key_policy(names)),
    }


@cache
def _code() -> str:
    package = Path(amplify_delivery.__file__).parent
    whole = hashlib.sha256()
    for name in DECLARING:
        whole.update((package / name).read_bytes())
    return whole.hexdigest()


def _plain(value: Any) -> Any:
    """What JSON does not know of a document."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a digest")

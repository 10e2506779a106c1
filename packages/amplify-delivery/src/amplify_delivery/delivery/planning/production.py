"""What `production` asks for beside the templates. Pure."""

from __future__ import annotations

from amplify_delivery.changes.steps import ProtectStack, Step


def protection(protected: bool, production: bool | None) -> tuple[Step, ...]:
    """The root stack's termination protection, where `production` says what it should be, and it is not so."""
    return () if production in (None, protected) else (ProtectStack(bool(production)),)

"""The root stack's termination protection, as a plan has it. Pure."""

from __future__ import annotations

from amplify_delivery.changes.steps import ProtectStack, Step


def protection(protected: bool, wanted: bool | None) -> tuple[Step, ...]:
    """The step to what is `wanted` (`EnvironmentConfig.termination_protection`), where it is not so."""
    return () if wanted in (None, protected) else (ProtectStack(bool(wanted)),)

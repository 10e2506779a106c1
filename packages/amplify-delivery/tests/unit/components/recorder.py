"""The recorder that teams test their own programs with."""

from amplify_delivery.testing import MADE_UP, STACK, STASH, UNKNOWN, Recording, Registered, record

__all__ = ["MADE_UP", "STACK", "STASH", "UNKNOWN", "Recording", "Registered", "record"]

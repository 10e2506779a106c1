"""The wheel of the engine that runs, made once for all tests of a process."""

from __future__ import annotations

from functools import cache

from amplify_delivery.delivery.scaffold.wheels import installed_wheel

wheel_of_this_version = cache(installed_wheel)

"""Wheels whose bytes depend on nothing but their files: the released ones, and the one of whatever is installed."""

from amplify_delivery.delivery.scaffold.wheels.installed import installed_wheel
from amplify_delivery.delivery.scaffold.wheels.packing import Wheel, opened, repacked

__all__ = ["Wheel", "installed_wheel", "opened", "repacked"]

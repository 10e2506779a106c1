"""What an Amplify export is: read it, check it, repair it, assemble it, compare two.

Frozen dataclasses and pure functions over files: no Pulumi, no AWS, no clock, no randomness.
"""

from amplify_delivery.errors import AssemblyError, ConfigError, DeliveryError, ExportRefused
from amplify_delivery.export.assembling.assemble import assemble, check
from amplify_delivery.export.assembling.compare import Comparison, TouchedResource, TouchedStack, compare
from amplify_delivery.export.assembling.production import in_production
from amplify_delivery.export.assembling.root import RootStack, Secret, exported_values, render_root
from amplify_delivery.export.assembling.successors import Successor, with_successors
from amplify_delivery.export.assembly import (
    Assembly,
    AssemblyObject,
    NestedStack,
    Value,
    load_assembly,
    write_assembly,
)
from amplify_delivery.export.model import Export
from amplify_delivery.export.names import StackName
from amplify_delivery.export.read import read_export, read_files
from amplify_delivery.export.values.environment import EnvironmentValues, ExportedValues
from amplify_delivery.findings import Finding

__all__ = [
    "Assembly",
    "AssemblyError",
    "AssemblyObject",
    "Comparison",
    "ConfigError",
    "DeliveryError",
    "EnvironmentValues",
    "Export",
    "ExportRefused",
    "ExportedValues",
    "Finding",
    "NestedStack",
    "RootStack",
    "Secret",
    "StackName",
    "Successor",
    "TouchedResource",
    "TouchedStack",
    "Value",
    "assemble",
    "check",
    "compare",
    "exported_values",
    "in_production",
    "load_assembly",
    "read_export",
    "read_files",
    "render_root",
    "with_successors",
    "write_assembly",
]

"""What an Amplify export is: read it, check it, repair it, assemble it, compare two.

Frozen dataclasses and pure functions over files: no Pulumi, no AWS, no clock, no randomness.
"""

from amplify_export.assemble import assemble, check
from amplify_export.assembly import Assembly, AssemblyObject, NestedStack, Value, load_assembly, write_assembly
from amplify_export.compare import Comparison, TouchedResource, TouchedStack, compare
from amplify_export.environment import EnvironmentValues, ExportedValues
from amplify_export.errors import AssemblyError, ConfigError, DeliveryError, ExportRefused
from amplify_export.findings import Finding
from amplify_export.model import Export
from amplify_export.names import StackName
from amplify_export.read import read_export
from amplify_export.root import RootStack, Secret, exported_values, render_root

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
    "TouchedResource",
    "TouchedStack",
    "Value",
    "assemble",
    "check",
    "compare",
    "exported_values",
    "load_assembly",
    "read_export",
    "render_root",
    "write_assembly",
]

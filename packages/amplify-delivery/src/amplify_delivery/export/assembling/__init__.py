"""From an export to an assembly, and from an assembly to one environment's root template."""

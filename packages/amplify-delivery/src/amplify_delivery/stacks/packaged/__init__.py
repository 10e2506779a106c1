"""The components as a Pulumi package, for programs in other languages (docs/other-languages.md).

Components take domain objects; what another language can pass is texts, lists and mappings. So this is an adapter of
its own: typed dictionaries, of which Pulumi's SDK makes the schema, and components that compose ours.
"""

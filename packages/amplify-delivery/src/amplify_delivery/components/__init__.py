"""The Pulumi components: `AmplifyBackend`, `StagingArea`, and what they share.

Import from the modules: `from amplify_delivery.components.amplify_backend import AmplifyBackend`. This package imports
nothing by itself, so that `amplify_delivery.stacks.config` can be read by tools that do not start Pulumi.
"""

"""The real provider beside the stand-in: `make conformance PLUGIN=.../pulumi-resource-aws`.

A plugin binary of pulumi-aws is started as the engine starts one, and told to make, read, change and delete a resource
of each type in the local AWS (`cases`), through a proxy that notes the calls (`proxy`). They are compared with those
that `amplify_delivery.components.documents.rights.provider_calls` has, and what the plugin says to Check and Diff with
what the stand-in says.

Opt-in: the binary comes from its vendor (`pulumi plugin install resource aws VERSION` on a machine that reaches its
host), and works for minutes. Notifications are left out: they are the pipeline service's, not the local AWS's.
"""

"""Stand-ins for the provider plugins that the Pulumi engine starts: `aws` (classic) and `aws-native`.

They speak the engine's own protocol (`pulumi/provider.proto`) and act on whatever AWS endpoint the environment names.
What the real providers do, traps included, is what they do: a difference found is a defect here.
"""

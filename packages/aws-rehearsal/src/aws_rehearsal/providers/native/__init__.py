"""The stand-in for pulumi-aws-native: every type generically, from CloudFormation's own resource schemas.

Where the real provider calls Cloud Control, this one puts a single resource into a CloudFormation stack of its own: a
local AWS makes resources that way, while its Cloud Control only keeps records.
"""

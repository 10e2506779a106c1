"""The Pulumi program of every stack of this project: the one that the stack's configuration names with `program`."""

from amplify_delivery.stacks import programs
from components.stage import Stage

programs.run(stage=Stage)

"""The configuration of all kinds of stacks: validated models, and their readers.

`from_pulumi` reads an environment's inside a running program; `EnvironmentConfig.from_file` reads `Pulumi.STACK.yaml`
without Pulumi, and `Project` reads any stack file by its name, for tools and for other stacks. Secrets are only known
by name here: nobody but the program of that very stack decrypts them.
"""

from amplify_delivery.components.documents.pipeline.stage_models import Stage, Step
from amplify_delivery.stacks.config.account import AccountConfig
from amplify_delivery.stacks.config.backend_program import Configuration, from_pulumi
from amplify_delivery.stacks.config.environment import EnvironmentConfig, keys
from amplify_delivery.stacks.config.parameters import SecretKey
from amplify_delivery.stacks.config.pipeline import PipelineConfig
from amplify_delivery.stacks.config.project import Project

__all__ = [
    "AccountConfig",
    "Configuration",
    "EnvironmentConfig",
    "PipelineConfig",
    "Project",
    "SecretKey",
    "Stage",
    "Step",
    "from_pulumi",
    "keys",
]

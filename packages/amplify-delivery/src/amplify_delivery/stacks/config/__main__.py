"""Writes docs/configuration.md and docs/schema anew."""

from pathlib import Path

from amplify_delivery.stacks.config.documentation import write

write(Path(__file__).parents[2] / "docs")

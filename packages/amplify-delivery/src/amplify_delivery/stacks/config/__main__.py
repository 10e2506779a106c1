"""Writes docs/configuration.md and docs/schema; run it in the root of this repository."""

from pathlib import Path

from amplify_delivery.stacks.config.documentation import write

write(Path("docs"))

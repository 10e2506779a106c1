"""What the commands do, one room per part; docs/architecture.md has their order."""

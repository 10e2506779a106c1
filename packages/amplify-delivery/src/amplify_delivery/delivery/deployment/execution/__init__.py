"""Carrying a plan out: the engine's updates, and what no update does."""

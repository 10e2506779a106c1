"""Who may do what, decided from documents alone: what a local AWS cannot enforce is proved here."""

from aws_rehearsal.policy.evaluator import Decision, Principal, Request, Role, World, decide

__all__ = ["Decision", "Principal", "Request", "Role", "World", "decide"]
"""The evaluator; `aws_rehearsal.policy.conditions` holds the operators."""

"""Rights that a release gains: what may be done, and by whom, that could not be before. Pure.

What CDK's security-broadening check asks an approver for (`cdk deploy --require-approval broadening`: IAM statements,
managed policies, security group rules), and what opens an Amplify backend beside: ways to sign in, open fields, guests.
"""

from amplify_delivery.changes.gained.comparing import Comparison, Gained, gained, gained_between
from amplify_delivery.changes.gained.graphql import Contents, nothing_known

__all__ = ["Comparison", "Contents", "Gained", "gained", "gained_between", "nothing_known"]

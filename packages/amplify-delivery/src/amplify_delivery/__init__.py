"""Amplify Delivery: brings what `amplify export` writes into AWS accounts, with Pulumi."""

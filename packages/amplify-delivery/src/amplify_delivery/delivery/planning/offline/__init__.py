"""What can be said of a release without any AWS account: from files, and from what git has of them."""

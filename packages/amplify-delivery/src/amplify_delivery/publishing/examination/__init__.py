"""What CloudFormation, AppSync and IAM would refuse, found before anything is sent."""

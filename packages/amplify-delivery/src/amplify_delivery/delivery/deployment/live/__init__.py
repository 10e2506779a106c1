"""What CloudFormation does while a deployment runs: nested stacks and resources, with times, reasons, an estimate."""

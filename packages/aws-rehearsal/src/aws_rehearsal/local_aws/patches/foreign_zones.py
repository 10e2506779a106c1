"""A subnet can lie in an availability zone of its own region only.

MiniStack takes any text for a zone.
AWS: EC2 API Reference, CreateSubnet, `AvailabilityZone`: "The Availability Zone or Local Zone for the subnet"; another
one is refused: "Value (us-east-1a) for parameter availabilityZone is invalid. Subnets can currently only be created in
the following availability zones: ..." (aws-cdk 5544, terraform-provider-aws 7107).
"""

from __future__ import annotations

from typing import Any

from ministack.core.responses import get_region

from ._resources import Properties, before_create_or_update


def apply() -> None:
    """Look at the zone first."""
    before_create_or_update({"AWS::EC2::Subnet"}, _of_this_region)


def _of_this_region(new: Properties, _old: Properties | None) -> Properties:
    zone, region = new.get("AvailabilityZone"), get_region()
    if isinstance(zone, str) and not zone.startswith(region):
        zones = ", ".join(f"{region}{letter}" for letter in "abc")
        raise ValueError(
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
            f"following availability zones: {zones}."
        )
    return new


def probe(aws: Any) -> bool:
    """A stack with a subnet in a zone of another region fails."""
    network = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    place = {"VpcId": {"Ref": "Network"}, "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "sa-west-9a"}
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": place}
    return aws.stack({"Network": network, "Subnet": subnet}) == "ROLLBACK_COMPLETE"

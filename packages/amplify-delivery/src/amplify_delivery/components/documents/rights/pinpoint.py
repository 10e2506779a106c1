"""What CloudFormation needs for Pinpoint's types, whose schemas tell no calls: those of Pinpoint's API for each.

An app and its channels of mobile push. Segments, campaigns, journeys and what becomes of events ended with Pinpoint
itself, on October 30, 2026; mobile push goes on as AWS End User Messaging.
"""

from __future__ import annotations

from collections.abc import Mapping

_CHANNELS: Mapping[str, str] = {
    "APNSChannel": "Apns",
    "APNSSandboxChannel": "ApnsSandbox",
    "GCMChannel": "Gcm",
}
"""Types, and what their channels are called in the API."""
PINPOINT: Mapping[str, tuple[str, ...]] = {
    "AWS::Pinpoint::App": (
        "mobiletargeting:CreateApp",
        "mobiletargeting:DeleteApp",
        "mobiletargeting:GetApp",
        "mobiletargeting:ListTagsForResource",
        "mobiletargeting:TagResource",
        "mobiletargeting:UntagResource",
    ),
    **{
        f"AWS::Pinpoint::{kind}": tuple(f"mobiletargeting:{verb}{name}Channel" for verb in ("Delete", "Get", "Update"))
        for kind, name in _CHANNELS.items()
    },
}
"""By type: actions of IAM."""

"""Names that are the same wherever they are computed: no stack has to read another stack's state.

All hold the app's name, so that two apps in one account do not meet.
"""

import hashlib

MAX_BUCKET_NAME = 63
"""S3's limit of a bucket's name, in characters, in the account-regional namespace as well."""


def partition(region: str) -> str:
    """The AWS partition of `region`: `aws`, `aws-cn` or `aws-us-gov`."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def dns_suffix(region: str) -> str:
    """What the names of AWS's endpoints in `region` end with."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def staging_bucket_name(project: str, environment: str, account: str, region: str) -> str:
    """The staging bucket of one environment, in S3's account-regional namespace: `NAME-ACCOUNT-REGION-an`.

    Nobody else can take a name that ends with our account. A NAME that is too long, or that loses its
    capitals (S3 allows none), is cut and gets a hash of what was lost. See "Namespaces for general purpose
    buckets" in the S3 user guide.
    """
    tail = f"-{account}-{region}-an"
    name = f"{project}-{environment}-staging"
    room = MAX_BUCKET_NAME - len(tail)
    if name != name.lower() or len(name) > room:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name.lower()[: room - len(digest) - 1].rstrip('-')}-{digest}"
    return name + tail


def object_url(bucket: str, key: str, region: str) -> str:
    """The address of an object as CloudFormation wants it in `TemplateURL`: path style, of its own region."""
    return f"https://s3.{region}.{dns_suffix(region)}/{bucket}/{key}"

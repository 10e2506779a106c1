"""AWS on one's own machine, for programs that deploy to it: it refuses what AWS refuses, and runs what is declared.

`local_aws` is MiniStack with identities enforced; `pipeline_service` a CodePipeline and CodeBuild that execute;
`policy` an evaluator of IAM policies; `providers` and `language_host` let the real Pulumi engine work against it;
`setup` fetches or builds what all of that needs. Nothing in here knows who uses it.
"""

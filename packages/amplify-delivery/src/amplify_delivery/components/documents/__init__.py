"""Every document that says who may do what, as pure functions: no Pulumi, no AWS, no clock.

`naming` names everything across accounts; `account` gives the documents of a target account, `pipeline` those of the
tooling account, `definition` the pipeline itself, `limits` what AWS would refuse.
"""

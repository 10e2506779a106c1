"""An environment's projects, started from outside of its account: what a CI does where no CodePipeline is."""

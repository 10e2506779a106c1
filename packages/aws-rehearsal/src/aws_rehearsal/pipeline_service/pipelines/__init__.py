"""CodePipeline: what is declared, what is decided, and what its actions do."""

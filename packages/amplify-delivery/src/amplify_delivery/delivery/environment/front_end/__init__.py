"""What a front end is configured with: read from what runs, written to files, left for the pipeline's steps."""

"""Earlier releases: what the staging bucket still holds of them, to go back to, and what nothing needs any more."""

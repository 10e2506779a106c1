"""Building container images: with Docker, or from what something else has built."""

"""The rehearsal of a delivery: the story of a pipeline, or exports of one's own, on this machine."""

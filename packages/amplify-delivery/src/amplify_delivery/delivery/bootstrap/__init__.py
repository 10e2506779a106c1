"""Many accounts at once: what each says of itself, workers that go on where others fail, and the table of it all."""

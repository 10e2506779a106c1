"""What no rehearsal can know, asked of the real account: facts are asked for in `asking`, and judged in `judging`."""

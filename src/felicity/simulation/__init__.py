"""The simulated city: people whose true expressions are known, counted by the same index."""

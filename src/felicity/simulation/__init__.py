"""The simulated city: people whose true expression is known, on their way through the same index."""

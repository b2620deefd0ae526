"""What each release wrote, and what later ones still read of it."""

"""A model behind HTTP: what it accepts, what it answers, how it is loaded, and how much it bears."""

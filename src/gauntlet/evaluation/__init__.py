"""The statistics of gates: estimates on predictions, their intervals, and what follows from them."""

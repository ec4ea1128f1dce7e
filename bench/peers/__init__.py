"""What others do for one transfer, measured beside us in the same run."""

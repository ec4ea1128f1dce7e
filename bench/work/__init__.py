"""What workers do; imported once Django is set up."""

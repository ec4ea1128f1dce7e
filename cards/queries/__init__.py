"""What is asked of the cards."""

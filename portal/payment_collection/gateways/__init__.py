"""One module per payment processor."""

"""The one door to a payment processor, in our own words: a Protocol per subject."""

"""Collections: who is asked for overdue money, how, how often, and when to stop."""

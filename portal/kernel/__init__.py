"""Plain Python below everything: money, numbers, clock, calendar, states, events, errors."""

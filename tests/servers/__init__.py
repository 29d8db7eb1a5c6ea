"""Servers of other people that tests talk to on 127.0.0.1."""

"""Measure an index on itself: how to search it, and how close a good match is in it."""

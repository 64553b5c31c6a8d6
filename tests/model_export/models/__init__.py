"""Models for the tests, small and of every kind that a trainer may hand over."""

"""A Django app with models, for what handlers return."""

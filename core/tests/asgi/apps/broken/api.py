"""An `api` module that cannot be imported."""

raise ImportError("a mistake in the project")

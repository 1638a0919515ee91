"""What handlers have seen, for later requests to ask."""

seen: list[str] = []

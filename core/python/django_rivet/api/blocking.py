"""Where code may block."""

import asyncio


def may_block() -> bool:
    """Whether no loop runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False

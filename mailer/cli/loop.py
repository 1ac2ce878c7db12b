"""The event loop: uvloop where it is installed, asyncio's own elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """asyncio.run, on the faster loop where there is one."""
    try:
        import uvloop
    except ImportError:  # it is not made for every platform
        return asyncio.run(main)
    return uvloop.run(main)

"""Ports in a row that nobody listens at, for processes that a test starts."""

import contextlib
import random
import socket


def free(many: int) -> range:
    """Return so many, below those that the kernel hands out, so that none goes meanwhile."""
    while True:
        first = random.randrange(12_000, 32_000)  # noqa: S311 - no secret
        found = range(first, first + many)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in found:
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return found

"""What an API server refuses, the real one or the one in memory."""

from __future__ import annotations


class Refused(Exception):
    """The server's refusal: its HTTP status, and its words as the message."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status

"""A server on this machine for one file, with and without ranges, that remembers what it was asked for."""

from __future__ import annotations

__all__ = ["served"]

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def served(
    path: Path, *, ranges: bool = True, told: bool = True, short: int = 0, grows: int = 0
) -> Iterator[tuple[str, list[int]]]:
    """Yield the address of a file, and a list that takes the number of bytes of each answer.

    Args:
        path: The file.
        ranges: Whether the server knows what a range is.
        told: Whether it says which range it sends.
        short: Bytes that every answer after the first lacks at its end.
        grows: Bytes by which the file seems longer after the first answer.
    """
    sent: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = path.read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")) if ranges else None
            start, end = (int(asked[1]), min(int(asked[2]) + 1, len(content))) if asked else (0, len(content))
            part = content[start : end - (short if sent else 0)]
            self.send_response(206 if asked else 200)
            if asked and told:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content) + (grows if sent else 0)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part)
            sent.append(len(part))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/films.edgerec", sent
    finally:
        server.shutdown()
        server.server_close()

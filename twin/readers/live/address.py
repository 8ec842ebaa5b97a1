"""Where the live page listens, and whether a browser can be opened on it."""

from __future__ import annotations

import os
import re
import sys

from twin.ground.errors import UsageError


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``[HOST][:PORT]``. Raises UsageError for any but this machine's own
    loopback."""
    match = re.fullmatch(
        r"(\[[^\]]*\]|[^:\[\]/]*)(?::(\d{1,5}))?", f":{text}" if text.isdigit() else text
    )
    # `--live` takes the next word as its address, even if that was meant as the scenario
    if match is None or int(match[2] or 0) > 65535 or text.endswith((".yaml", ".yml")):
        raise UsageError(
            f"--live {text}: is not HOST:PORT, such as 127.0.0.1:8400 (or give the scenario before "
            f"--live)"
        )
    host, port = match[1].strip("[]") or "127.0.0.1", match[2] or "0"
    seen = port if int(port) else "8400"
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(
            f"--live {text}: the page takes commands, so it is for this machine only (leave out "
            f"{host}; from another "
            f"machine: --live {seen} here, and there ssh -L {seen}:127.0.0.1:{seen} THIS_MACHINE)"
        )
    return "127.0.0.1" if host == "localhost" else host, int(port)


def can_browse() -> bool:
    """Whether a browser can be opened: output goes to a terminal, and there is a display."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("TWIN_NO_BROWSER")
        and (
            sys.platform != "linux"
            or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
        )
    )

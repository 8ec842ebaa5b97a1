"""Names of hosts that a user gives, before a library is asked for them: each fails in its own way
at a name that nothing can have."""

from __future__ import annotations


def is_host(name: str) -> bool:
    """Whether a host could be called so: parts of 1 to 63 characters (RFC 1035), in the letters of
    any script (RFC 3490); or an address."""
    if not name or any(not c.isprintable() or c.isspace() for c in name):
        return False
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return True

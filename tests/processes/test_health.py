"""Addresses that are taken, strange or unknown are refused with a mend."""

import pytest

from twin.ground.errors import UsageError
from twin.readers.listening import Address


def test_an_address_that_is_taken_strange_or_unknown_is_refused_with_a_mend() -> None:
    """In use, of another machine, of no machine; and a free port on every address of the host is
    one port."""
    sockets = Address("--metrics", "localhost", 0).bind()
    port = sockets[0].getsockname()[1]
    try:
        assert {one.getsockname()[1] for one in sockets} == {port}
        with pytest.raises(
            UsageError,
            match=f"--metrics 127.0.0.1:{port}: something already listens .* {port} .--metrics :0",
        ):
            Address("--metrics", "127.0.0.1", port).bind()
    finally:
        for one in sockets:
            one.close()
    Address("--metrics", "127.0.0.1", port).try_out()
    with pytest.raises(UsageError, match=r"192\.0\.2\.1:0: cannot listen there"):
        Address("--metrics", "192.0.2.1", 0).try_out()
    with pytest.raises(UsageError, match=r"no\.such\.host\.invalid:1: no such host"):
        Address("--metrics", "no.such.host.invalid", 1).try_out()

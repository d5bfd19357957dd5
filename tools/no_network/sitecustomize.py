"""Python processes that start with this folder on PYTHONPATH can reach this machine only, never the network.

Notebooks run this way, in `make notebooks` and in the tests, so that no cell can come to depend on a download.
"""

import sys

LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}


def refuse_network(event: str, args: tuple) -> None:
    """Audit hook: let Unix sockets and loopback addresses through, refuse every other host by name."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in LOOPBACK and not str(host).startswith("127."):
        raise ConnectionError(f"the network is blocked while notebooks and tests run, and something asked for {host!r}")


sys.addaudithook(refuse_network)

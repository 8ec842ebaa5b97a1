"""Calls of grafana-api (1.0.3, archived in 2022), with its defects mended: no other file imports
it.

It wants host, port and prefix apart (`_parts`). It follows redirects, which turns a POST into a GET
(`_seen`). It shows a wrong token, an HTML page and an empty body as raw exceptions of `requests` or
of its own (`_asked`). Here every error is a GrafanaError: one line, without the token.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from grafana_api.grafana_api import GrafanaClientError, GrafanaServerError
from grafana_api.grafana_face import GrafanaFace

from twin.ground.answers import limit, plain
from twin.ground.errors import TwinError, UsageError
from twin.ground.hosts import is_host

PATIENCE_S = 10.0
"""Wall-clock seconds for an answer, and for which a call is repeated that comes too often."""
PAUSE_S = 1.0
"""Between two tries, where Grafana names no wait."""
TOKEN_FROM = "Administration > Users and access > Service accounts"


class GrafanaError(TwinError):
    """Grafana refused or did not answer; ``code`` is its HTTP status, 0 without an answer."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later: no answer, too many calls, trouble there."""
        return self.code in (0, 429) or self.code >= 500


class Calls:
    """One Grafana, seen with one user's rights. Every call raises GrafanaError."""

    def __init__(self, url: str, auth: str | tuple[bytes, bytes]) -> None:
        scheme, host, port, prefix = _parts(url)
        self.url = f"{scheme}://{host}{f':{port}' if port else ''}/{prefix}".rstrip("/")
        self._secrets = [auth] if isinstance(auth, str) else [auth[1].decode()]
        self._login = "token" if isinstance(auth, str) else "user or password"
        # grafana-api joins these without a check: host without a scheme, prefix with a slash.
        self._face = GrafanaFace(
            auth=auth,
            host=host,
            port=port,
            url_path_prefix=prefix,
            protocol=scheme,
            timeout=PATIENCE_S,
        )
        self._api = self._face.api
        limit(self._api.s)
        # before grafana-api reads an answer
        self._api.s.hooks["response"].append(self._seen)
        self._code, self._wait_s = 0, PAUSE_S
        self.bare = scheme == "http" and not _loopback(host)
        """Whether the token crosses a network unencrypted."""

    def warning(self) -> str:
        """The warning for a token that is sent unencrypted."""
        return (
            f"warning: the {self._login.split()[0]} goes to {self.url} unencrypted, and others on "
            f"the network may read it (use https)"
        )

    def _found(
        self, doing: str, call: Callable[[], Any], role: str = "Editor"
    ) -> dict[str, Any] | None:
        """What a call gives, None for 404."""
        try:
            found: dict[str, Any] | None = self._asked(doing, call, role)
            return found
        except GrafanaError as error:
            if error.code != 404:
                raise
            return None

    def _seen(self, response: requests.Response, *args: Any, **more: Any) -> None:
        """See every answer before grafana-api does; a redirect would turn a POST into a GET, which
        would then seem to succeed."""
        self._code = response.status_code
        asked = response.headers.get("Retry-After", "")
        self._wait_s = float(asked) if asked.isascii() and asked.isdigit() else PAUSE_S
        if response.is_redirect:
            there = response.headers["location"].partition("/api/")[0]
            raise GrafanaError(
                self._clean(
                    f"{self.url}: redirects to {there} (give the address at which Grafana itself "
                    f"answers)"
                ),
                response.status_code,
            )

    def _asked(self, doing: str, call: Callable[[], Any], role: str = "Editor") -> Any:
        """What a call gives, None for an empty body; every failure as a GrafanaError. ``role`` is
        the one that may do it. A call that comes too often (429: nothing was done) is repeated."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._once(doing, call, role)
            except GrafanaError as error:
                if error.code != 429 or time.monotonic() + self._wait_s > until:
                    raise
            time.sleep(self._wait_s)

    def _once(self, doing: str, call: Callable[[], Any], role: str) -> Any:
        # without an answer there is no code, in particular not that of the call before
        self._code = 0
        try:
            return call()
        except (GrafanaClientError, GrafanaServerError) as error:
            body = error.response if isinstance(error.response, dict) else {}
            text = str(body.get("message") or "") or (
                "" if body else "an answer that is not Grafana's"
            )
            raise self._refused(
                error.status_code, doing, text, str(body.get("status", "")), role
            ) from None
        # before RequestException, of which it is a kind
        except requests.exceptions.JSONDecodeError as error:
            if not str(error.doc).strip():
                return None
            raise GrafanaError(
                f"{self.url}: answers with something else than Grafana's JSON (give the address of "
                f"a Grafana, with the "
                "path under which it is served)",
                self._code,
            ) from None
        # grafana-api looks for a message in an error's body whatever that is: a list, a number, a
        # page
        except TypeError:
            # not about an error's body, so a bug of ours
            if self._code < 400:
                raise
            raise self._refused(
                self._code, doing, "an answer that is not Grafana's", "", role
            ) from None
        except requests.exceptions.RequestException as error:
            raise GrafanaError(self._clean(f"{self.url}: {_silence(error)}")) from None

    def _refused(self, code: int, doing: str, text: str, status: str, role: str) -> GrafanaError:
        """An error that says where, why, and the mend."""
        why, mend = f"could not {doing}", ""
        if code == 401:
            why, text = f"refuses the {self._login}", ""
            mend = (
                f"is it expired, or of another Grafana? make one at {TOKEN_FROM} and set "
                f"GRAFANA_TOKEN"
                if self._login == "token"
                else "set GRAFANA_USER and GRAFANA_PASSWORD"
            )
        elif code == 403:
            why, mend = (
                f"the {self._login.split()[0]} has no permission to {doing}",
                f"it needs the role {role}: {TOKEN_FROM}",
            )
        elif code == 404:
            why, mend = (
                f"has nothing there to {doing}",
                "is that a Grafana, and served under that path?",
            )
        elif code == 409:
            mend = (
                "something of that name or uid exists, or was changed meanwhile: look at it and "
                "try again"
            )
        elif code == 412:
            mend = {
                "name-exists": "another dashboard of that title is in the folder: rename or "
                "remove it",
                "plugin-dashboard": "it belongs to a plugin: remove it there",
            }.get(status, "somebody changed it meanwhile: try again")
        elif code == 429:
            why, mend = f"is asked too often and could not {doing}", "try again later"
        elif code == 422:
            mend = "was it made for a newer Grafana?"
        elif code >= 500:
            why, mend = f"has an internal error and {why}", "its log says more"
        shown = f": {text}" if text else ""
        return GrafanaError(
            self._clean(f"{self.url}: {why}, {code}{shown}") + (f" ({mend})" if mend else ""), code
        )

    def _clean(self, text: str) -> str:
        """One line of limited length without secrets, whatever a server answers."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        # secrets are gone before it is cut, so that no half of one is left
        return plain(text, 400)


def _parts(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path prefix (empty or ending in a slash) of an address. Raises
    UsageError."""
    mend = "(write it like http://127.0.0.1:3000 or https://host/grafana)"
    try:
        parts = urlsplit(url.strip())
        port, name = parts.port, parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"the address of Grafana cannot be read: {error} {mend}") from None
    if parts.username or parts.password:
        raise UsageError(
            "the address of Grafana contains a user or password (take it out and set GRAFANA_TOKEN)"
        )
    if (
        parts.scheme not in ("http", "https")
        or not is_host(name)
        # `urlsplit` drops line breaks in silence
        or not url.strip().isprintable()
        or parts.query
        or parts.fragment
    ):
        raise UsageError(f"{url}: is not the address of a Grafana {mend}")
    # the brackets of IPv6, which urlsplit takes away
    host = f"[{name}]" if ":" in name else name
    # grafana-api adds /api itself
    prefix = re.sub(r"(^|/)api$", "", parts.path.strip("/"))
    return parts.scheme, host, port, f"{prefix}/" if prefix else ""


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _silence(error: requests.exceptions.RequestException) -> str:
    """Why there was no answer, in a few words, and the mend."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        known = "CERTIFICATE_VERIFY_FAILED" in text
        return (
            "its certificate is not trusted (set REQUESTS_CA_BUNDLE to the file of the authority "
            "that signed it)"
            if known
            else "TLS failed (does it speak https there, or http?)"
        )
    if isinstance(error, requests.exceptions.Timeout):
        return f"does not answer within {PATIENCE_S:g} s (is it up, and is a firewall between?)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy of the environment does not let it through (set NO_PROXY for that host)"
    if "refused" in text:
        return "refuses the connection (is Grafana up, and is that its port?)"
    if "resolve" in text or "Name or service" in text:
        return "there is no such host"
    return f"cannot be reached: {type(error).__name__} (is Grafana up?)"

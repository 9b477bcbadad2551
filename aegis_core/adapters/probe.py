"""Asks health URLs over HTTP (port `Prober`)."""

from time import monotonic
from typing import Final

import requests

from aegis_core.domain.verification import Probe

BODY_LIMIT: Final = 65_536  # bytes read of an answer, so that its time counts as a user would feel it


class HttpProber:
    """GET without proxies and without following redirects: a health URL has to answer by itself."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def probe(self, url: str) -> Probe:
        """See `ports.Prober.probe`."""
        began = monotonic()
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.get(url, timeout=self._timeout, allow_redirects=False, stream=True) as answer:
                    next(answer.iter_content(BODY_LIMIT), b"")
                    return Probe(status=answer.status_code, seconds=monotonic() - began)
        except (requests.RequestException, ValueError) as error:
            return Probe(status=None, seconds=monotonic() - began, detail=_told(error))


def _told(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__

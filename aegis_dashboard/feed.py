"""Where a page's data comes from on this redraw: all of it from the core, or all of it from the samples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from aegis_dashboard.chaos_client import ChaosClient
from aegis_dashboard.core_client import CoreAway, CoreClient, Feed
from aegis_dashboard.people_client import PeopleClient
from aegis_dashboard.samples import SampleFeed
from aegis_dashboard.settings import load_settings

View = TypeVar("View")


@dataclass(frozen=True)
class Loaded(Generic[View]):
    """What a page shows. `away` says why the core gave nothing; then the view is made of samples."""

    view: View
    away: CoreAway | None = None

    @property
    def sample(self) -> bool:
        return self.away is not None


def load(gather: Callable[[Feed], View]) -> Loaded[View]:
    """Gather a view from the core; if any part of that fails, gather all of it from the samples.

    So nothing on a page is ever half real. Raises UnknownIncident as `gather` does.
    """
    try:
        return Loaded(gather(core()))
    except CoreAway as away:
        return Loaded(gather(samples()), away)


@st.cache_resource(show_spinner=False)
def core() -> CoreClient:
    """The one client of this process, shared by all viewers."""
    return CoreClient(load_settings().url)


@st.cache_resource(show_spinner=False)
def people() -> PeopleClient:
    settings = load_settings()
    return PeopleClient(settings.url, settings.secret)


@st.cache_resource(show_spinner=False)
def samples() -> SampleFeed:
    return SampleFeed(load_settings().samples_file)


@st.cache_resource(show_spinner=False)
def target_app() -> ChaosClient:
    return ChaosClient(load_settings().target_app_url)

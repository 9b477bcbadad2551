"""What Streamlit runs: the frame of the dashboard, and the way to its pages.

streamlit run aegis_dashboard/app.py
"""

from pathlib import Path
from typing import Final

import streamlit as st
from pydantic import ValidationError

from aegis_dashboard.components.markup import draw
from aegis_dashboard.components.page import viewer_clock
from aegis_dashboard.components.strip import strip
from aegis_dashboard.feed import load
from aegis_dashboard.settings import load_settings

_ASSETS: Final = Path(__file__).resolve().parent / "assets"
_STRIP_SECONDS: Final = 4
_PAGES: Final = (
    ("live", "Live", ":material/monitor_heart:"),
    ("incidents", "Incidents", ":material/list_alt:"),
    ("runbook", "Runbook", ":material/menu_book:"),
    ("impact", "Impact", ":material/insights:"),
    ("brain", "Brain", ":material/psychology:"),
    ("chaos", "Chaos", ":material/bolt:"),
)


@st.fragment(run_every=_STRIP_SECONDS)
def _strip() -> None:
    loaded = load(lambda feed: feed.readiness())
    draw(strip(loaded.view, loaded.away, viewer_clock()))


def _settings_are_fine() -> bool:
    """Whether the settings can be read; says on the page what is wrong with them."""
    try:
        load_settings()
    except ValidationError as error:
        wrong = [f"AEGIS_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors()]
        st.error("The settings of the dashboard cannot be used. " + "; ".join(wrong))
        return False
    return True


def main() -> None:
    st.set_page_config(page_title="Aegis", page_icon=str(_ASSETS / "mark.svg"), layout="wide")
    st.html(_ASSETS / "theme.css")
    st.logo((_ASSETS / "logo.svg").read_text(encoding="utf-8"), size="large")
    if not _settings_are_fine():
        return
    pages = [
        st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "live")
        for name, title, icon in _PAGES
    ]
    page = st.navigation(pages, position="top")
    _strip()
    page.run()


main()

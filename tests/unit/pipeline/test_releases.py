"""Which releases are noted as healthy, and when."""

from typing import Any

import pytest

from aegis_core.domain.target import Health
from aegis_core.errors import StoreUnavailable
from aegis_core.pipeline.releases import Registrar
from aegis_core.testing import StubProber
from tests import examples as make

from .scene import NAME, Scene

URL = "http://web:8000/health"


def noted(scene: Scene, registrar: Registrar | None = None, seconds: float = 11.0) -> list[str]:
    """Let time pass, look, and tell what is noted of the target."""
    scene.clock.advance(seconds)
    scene.tools.sightings.saw(list(scene.runtime.targets()), {})
    (registrar or Registrar(scene.tools)).look()
    return [one.image_id for one in scene.releases.of(NAME)]


def scene(**known: Any) -> Scene:
    return Scene(**{"image_id": "sha256:1", **known})


def test_what_runs_well_for_the_stability_window_is_noted_by_its_image_and_name() -> None:
    one = scene()
    registrar = Registrar(one.tools)
    assert noted(one, registrar, seconds=5) == []
    assert noted(one, registrar, seconds=6) == ["sha256:1"]
    assert one.releases.of(NAME)[0].image == "shop/web:1"


def test_it_is_noted_once_and_again_when_it_is_another_target() -> None:
    one = scene()
    registrar = Registrar(one.tools)
    noted(one, registrar)
    first = one.releases.of(NAME)[0].verified_at
    noted(one, registrar)
    assert one.releases.of(NAME)[0].verified_at == first
    one.runtime.add(NAME, labels=make.LABELS, image_id="sha256:1")
    noted(one, registrar)
    assert one.releases.of(NAME)[0].verified_at > first


def test_what_is_ill_is_no_release() -> None:
    one = scene(health=Health.HEALTHY)
    one.runtime.turn(NAME, Health.UNHEALTHY)
    assert noted(one) == []


def test_what_has_an_open_incident_is_no_release() -> None:
    one = scene()
    incident = one.incident()
    assert noted(one) == []
    one.incidents.known[incident.id] = one.after(incident, [make.failed()])
    assert noted(one) == ["sha256:1"]


@pytest.mark.parametrize("labels", [{}, {"aegis.enable": "false"}, {"aegis.self": "true", "aegis.enable": "true"}])
def test_what_is_never_acted_on_is_not_noted(labels: dict[str, str]) -> None:
    assert noted(scene(labels=labels)) == []


@pytest.mark.parametrize(("status", "known"), [(200, ["sha256:1"]), (503, []), (None, [])])
def test_without_a_check_of_its_own_the_health_url_is_asked(status: int | None, known: list[str]) -> None:
    one = scene(health_url=URL)
    prober = StubProber(status=status)
    one.use(prober=prober)
    assert noted(one) == known
    assert prober.asked == [URL]


def test_where_the_runtime_has_a_check_the_health_url_is_not_asked() -> None:
    one = scene(health=Health.HEALTHY, health_url=URL)
    prober = StubProber(status=503)
    one.use(prober=prober)
    assert noted(one) == ["sha256:1"]
    assert prober.asked == []


def test_what_could_not_be_written_is_noted_at_the_next_look() -> None:
    one = scene()
    registrar = Registrar(one.tools)
    note = one.releases.note

    def away(_: object) -> None:
        one.releases.note = note  # type: ignore[method-assign]
        raise StoreUnavailable

    one.releases.note = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        noted(one, registrar)
    assert noted(one, registrar) == ["sha256:1"]

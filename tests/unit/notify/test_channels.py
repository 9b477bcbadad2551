"""The channels that need no network."""

from collections.abc import Callable, Sequence

import pytest
from structlog.testing import capture_logs

from aegis_core.adapters.notify.lessons import LessonChannel
from aegis_core.adapters.notify.log import LogChannel
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.notice import Digest, Notice, Share
from aegis_core.errors import DeliveryDeferred, RunbookError

MakeNotice = Callable[..., Notice]


class FullDisk:
    """A runbook that cannot be written."""

    def lessons(self) -> Sequence[Lesson]:
        return ()

    def add(self, lesson: Lesson) -> None:
        raise RunbookError("writing runbook.json: No space left on device")


class Pages:
    """A runbook in memory."""

    def __init__(self) -> None:
        self.added: list[Lesson] = []

    def lessons(self) -> Sequence[Lesson]:
        return self.added

    def add(self, lesson: Lesson) -> None:
        self.added.append(lesson)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("received", "info"),
        ("approval", "warning"),
        ("acting", "info"),
        ("resolved", "info"),
        ("failed", "warning"),
    ],
)
def test_the_log_has_one_line_per_notice_and_warns_where_a_person_is_needed(
    make_notice: MakeNotice, kind: str, level: str
) -> None:
    with capture_logs() as lines:
        LogChannel().deliver(make_notice(kind))
    (line,) = lines
    assert line["log_level"] == level
    assert line["incident_id"] == "inc-20261120-021150-3fa9c1"
    assert line["event"].startswith("buggy-app-v2")


def test_a_log_line_cannot_be_forged_from_outside(make_notice: MakeNotice) -> None:
    with capture_logs() as lines:
        LogChannel().deliver(
            make_notice("failed", reason="x\n2026-11-20 [info] all is well\x1b[2J", incident_id="a\nb")
        )
    assert "\n" not in lines[0]["event"]
    assert "\x1b" not in lines[0]["event"]


def test_a_digest_is_one_line_and_warns_where_a_person_is_needed(digest: Digest) -> None:
    with capture_logs() as lines:
        LogChannel().deliver(digest)
        LogChannel().deliver(digest.model_copy(update={"failed": Share()}))
    assert [line["log_level"] for line in lines] == ["warning", "info"]
    assert lines[0]["event"].startswith("37 incidents need a person; 12 are resolved. Need a person: 2 critical")
    assert lines[1]["event"].startswith("12 incidents are resolved.")


def test_lessons_are_not_for_the_log(make_notice: MakeNotice) -> None:
    with capture_logs() as lines:
        LogChannel().deliver(make_notice("lesson"))
    assert lines == []


def test_a_lesson_goes_into_the_runbook(make_notice: MakeNotice) -> None:
    runbook = Pages()
    LessonChannel(runbook).deliver(make_notice("lesson"))
    assert [lesson.fix for lesson in runbook.added] == ["RESTART"]


def test_a_notice_without_a_lesson_is_passed_over(make_notice: MakeNotice) -> None:
    LessonChannel(FullDisk()).deliver(make_notice("received"))


def test_a_digest_is_not_for_the_runbook(digest: Digest) -> None:
    LessonChannel(FullDisk()).deliver(digest)


def test_a_full_disk_puts_the_lesson_off(make_notice: MakeNotice) -> None:
    with pytest.raises(DeliveryDeferred, match="No space left"):
        LessonChannel(FullDisk()).deliver(make_notice("lesson"))

"""Logs as the engine sends them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.adapters.docker.log import frames, newest_lines


def frame(data: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def test_both_streams_come_in_the_order_in_which_they_were_written() -> None:
    sent = frame(b"one\n") + frame(b"two\n", 2) + frame(b"three\n")

    assert newest_lines([sent], terminal=False, most=10) == ("one", "two", "three")


def test_a_line_that_the_engine_cut_is_put_together_although_another_stream_comes_between() -> None:
    sent = frame(b"begin ") + frame(b"an error\n", 2) + frame(b"end\n")

    assert newest_lines([sent], terminal=False, most=10) == ("an error", "begin end")


@given(st.lists(st.tuples(st.integers(1, 2), st.binary(max_size=40)), max_size=8), st.integers(1, 20))
def test_frames_survive_any_cutting_of_the_transport(sent: list[tuple[int, bytes]], size: int) -> None:
    raw = b"".join(frame(data, stream) for stream, data in sent)

    assert list(frames(raw[start : start + size] for start in range(0, len(raw), size))) == sent


def test_a_frame_that_breaks_off_is_left_out() -> None:
    assert list(frames([frame(b"whole\n"), frame(b"broken\n")[:-2]])) == [(1, b"whole\n")]


def test_a_terminal_sends_plain_bytes() -> None:
    assert newest_lines([b"one\r\ntw", b"o\r\n"], terminal=True, most=10) == ("one", "two")


def test_the_newest_lines_are_kept() -> None:
    sent = [frame(f"line {number}\n".encode()) for number in range(50)]

    assert newest_lines(sent, terminal=False, most=3) == ("line 47", "line 48", "line 49")


def test_the_last_line_counts_although_it_has_no_end() -> None:
    assert newest_lines([frame(b"one\ntwo")], terminal=False, most=2) == ("one", "two")


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert newest_lines([frame(b"caf\xe9 \x00\n")], terminal=False, most=2) == ("caf\N{REPLACEMENT CHARACTER}",)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_line_without_an_end_is_cut_to_what_is_kept(terminal: bool) -> None:
    piece = b"x" * 16_384
    sent = [piece if terminal else frame(piece) for _ in range(64)]

    lines = newest_lines(sent, terminal, most=10)

    assert [len(line) for line in lines] == [2_048]

"""Evaluate: ask a brain questions whose answers are known, and mark what it says."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from aegis_core.domain.trial import Answered, Question, marked
from aegis_core.errors import BrainError
from aegis_core.ports import Brain


def evaluate(
    questions: Sequence[Question],
    brain: Brain,
    at_once: int = 1,
    told: Callable[[Answered], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Answered, ...]:
    """Ask all questions, `at_once` of them at a time, and return the marked answers in the order of the questions.

    `told` hears of each as soon as it is there, in the caller's thread; `clock` gives seconds. A brain that gives no
    answer has abstained, and why is kept.
    """
    if at_once == 1:
        answers = []
        for question in questions:
            answers.append(_ask(question, brain, clock))
            told(answers[-1])
        return tuple(answers)
    pool = ThreadPoolExecutor(at_once)
    try:
        asked = [pool.submit(_ask, question, brain, clock) for question in questions]
        for one in as_completed(asked):
            told(one.result())
        return tuple(one.result() for one in asked)
    finally:
        pool.shutdown(cancel_futures=True)  # who is interrupted waits for what is under way, and for nothing else


def _ask(question: Question, brain: Brain, clock: Callable[[], float]) -> Answered:
    begun = clock()
    try:
        diagnosis = brain.diagnose(question.evidence)
    except BrainError as error:
        return marked(question, None, clock() - begun, str(error))
    return marked(question, diagnosis, clock() - begun)

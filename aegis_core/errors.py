"""Everything that Aegis raises. The docstring of an exception is its default message.

AegisError
├── ConfigError
│   └── CaseInvalid
├── Interrupted
├── PayloadInvalid
│   ├── PayloadUnreadable
│   └── MediaUnsupported
├── SignatureInvalid
├── DeliveryRepeated
├── AnswerRefused
│   ├── NotWaiting
│   ├── AlreadyAnswered
│   ├── ApprovalExpired
│   └── ApprovalReplaced
├── StoreError
│   ├── StoreUnavailable      (transient)
│   ├── VersionConflict       (transient)
│   ├── Fenced
│   ├── IncidentUnknown
│   ├── ChainBroken
│   └── AlreadyRunning
├── RuntimeProblem
│   ├── RuntimeUnavailable    (transient)
│   │   └── RuntimeAway       (transient)
│   ├── TargetGone
│   ├── ActionUnsupported
│   └── NotUndone
├── BrainError
│   ├── BrainUnavailable      (transient)
│   ├── BrainRefused
│   ├── AnswerInvalid
│   └── Unfamiliar
├── RunbookError              (transient)
└── DeliveryError
    ├── DeliveryDeferred      (transient)
    └── DeliveryRejected

`transient` says whether the same call may succeed later: what is transient is retried, the rest is reported.
"""

from typing import ClassVar


class AegisError(Exception):
    """Something went wrong in Aegis."""

    transient: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class ConfigError(AegisError):
    """A setting cannot be used."""


class CaseInvalid(ConfigError):
    """A recorded case cannot be read."""


class Interrupted(AegisError):
    """The agent is stopping; the stage is run again at the next start."""


class PayloadInvalid(AegisError):
    """What was posted is not what its family of webhooks sends."""


class PayloadUnreadable(PayloadInvalid):
    """What was posted is no JSON document, or none that can be taken in."""


class MediaUnsupported(PayloadInvalid):
    """What was posted is in a format that is not read here."""


class SignatureInvalid(AegisError):
    """Who posted this has not proven to be allowed to."""


class DeliveryRepeated(AegisError):
    """A signed delivery with this id has been taken in already."""


class AnswerRefused(AegisError):
    """What a person answered does not count."""


class NotWaiting(AnswerRefused):
    """The incident does not wait for an answer."""


class AlreadyAnswered(AnswerRefused):
    """Somebody has answered already."""


class ApprovalExpired(AnswerRefused):
    """The answer came too late: nothing is done without one in time."""


class ApprovalReplaced(AnswerRefused):
    """Things have changed since the question was shown: the answer was to something else."""


class StoreError(AegisError):
    """The event log failed."""


class StoreUnavailable(StoreError):
    """The event log cannot be reached or written right now."""

    transient = True


class VersionConflict(StoreError):
    """Somebody else has appended to this incident first."""

    transient = True


class Fenced(StoreError):
    """This worker no longer owns the incident: another one has taken it over."""


class IncidentUnknown(StoreError):
    """There is no incident with this id."""


class ChainBroken(StoreError):
    """An event does not match its hash, or the hash of the event before it."""


class AlreadyRunning(StoreError):
    """Another agent is already running on this data directory."""


class RuntimeProblem(AegisError):
    """The runtime that runs the targets reported a problem."""


class RuntimeUnavailable(RuntimeProblem):
    """The runtime does not answer, or answered with an internal error."""

    transient = True


class RuntimeAway(RuntimeUnavailable):
    """Nothing listens where the runtime should be: it is stopped, or being upgraded."""


class TargetGone(RuntimeProblem):
    """The target no longer exists, or is another one under the same name."""


class ActionUnsupported(RuntimeProblem):
    """This runtime cannot carry out this action."""


class NotUndone(RuntimeProblem):
    """What was done cannot be taken back."""


class BrainError(AegisError):
    """A rung of the brain gave no diagnosis."""


class BrainUnavailable(BrainError):
    """The model cannot be reached, is overloaded, or did not answer in time."""

    transient = True


class BrainRefused(BrainError):
    """The model's server refused the request: wrong key, unknown model, or a request it does not take."""


class AnswerInvalid(BrainError):
    """The model answered, but not with a diagnosis that the evidence supports."""


class Unfamiliar(BrainError):
    """This rung knows nothing of such a trouble. It has not failed: the next one is asked."""


class RunbookError(AegisError):
    """The runbook file cannot be read or written."""

    transient = True


class DeliveryError(AegisError):
    """A notice could not be delivered."""


class DeliveryDeferred(DeliveryError):
    """The channel is away or wants us to wait."""

    transient = True

    def __init__(self, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeliveryRejected(DeliveryError):
    """The channel will never take this notice."""

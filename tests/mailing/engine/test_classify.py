from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailing.engine.classify import Fault, Reply, classify
from mailing.enums import DeliveryState, Outcome, Stage

D = DeliveryState


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "state", "fault", "suppress"),
    [
        (Stage.DOT, 250, "2.0.0", D.SENT, Fault.NONE, False),
        (Stage.DOT, 252, "", D.SENT, Fault.NONE, False),
        (Stage.DOT, 299, "", D.SENT, Fault.NONE, False),
        (Stage.DOT, 0, "", D.UNKNOWN, Fault.TRANSPORT, False),
        (Stage.DOT, 354, "", D.UNKNOWN, Fault.TRANSPORT, False),
        (Stage.DOT, 451, "4.7.1", D.DEFERRED, Fault.MAILBOX, False),
        (Stage.DOT, 421, "", D.DEFERRED, Fault.TRANSPORT, False),
        (Stage.DOT, 554, "5.6.0", D.FAILED, Fault.MESSAGE, False),
        (Stage.DOT, 552, "5.3.4", D.FAILED, Fault.MESSAGE, False),
        (Stage.DOT, 550, "5.7.26", D.FAILED, Fault.POLICY, False),
        (Stage.RCPT, 550, "5.1.1", D.FAILED, Fault.ADDRESS, True),
        (Stage.RCPT, 550, "5.1.10", D.FAILED, Fault.ADDRESS, True),
        (Stage.RCPT, 550, "", D.FAILED, Fault.ADDRESS, False),
        (Stage.RCPT, 553, "5.1.3", D.FAILED, Fault.ADDRESS, True),
        (Stage.RCPT, 550, "5.7.1", D.FAILED, Fault.POLICY, False),
        (Stage.RCPT, 550, "5.2.1", D.FAILED, Fault.MAILBOX, True),
        (Stage.RCPT, 552, "5.2.2", D.DEFERRED, Fault.MAILBOX, False),
        (Stage.RCPT, 452, "4.2.2", D.DEFERRED, Fault.MAILBOX, False),
        (Stage.RCPT, 450, "4.7.1", D.DEFERRED, Fault.MAILBOX, False),
        (Stage.RCPT, 451, "", D.DEFERRED, Fault.MAILBOX, False),
        (Stage.RCPT, 450, "4.7.28", D.DEFERRED, Fault.RATE, False),
        (Stage.RCPT, 452, "4.3.1", None, Fault.TRANSPORT, False),
        (Stage.RCPT, 452, "", None, Fault.TRANSPORT, False),
        (Stage.RCPT, 421, "", None, Fault.TRANSPORT, False),
        (Stage.RCPT, 503, "5.5.1", D.FAILED, Fault.PROTOCOL, False),
        (Stage.RCPT, 555, "", D.FAILED, Fault.PROTOCOL, False),
        (Stage.MAIL, 530, "5.7.0", None, Fault.CONFIGURATION, False),
        (Stage.MAIL, 550, "5.7.1", D.FAILED, Fault.POLICY, False),
        # The address is judged at RCPT only: the same code elsewhere says nothing of the recipient.
        (Stage.MAIL, 550, "5.1.1", D.FAILED, Fault.POLICY, False),
        # An enhanced code that contradicts the first digit counts for nothing (RFC 2034).
        (Stage.RCPT, 450, "5.1.1", D.DEFERRED, Fault.MAILBOX, False),
        (Stage.RCPT, 550, "4.2.2", D.FAILED, Fault.ADDRESS, False),
        (Stage.CONNECT, 535, "5.7.8", None, Fault.CONFIGURATION, False),
        (Stage.CONNECT, 554, "", None, Fault.TRANSPORT, False),
        (Stage.RCPT, 0, "", None, Fault.PROTOCOL, False),
    ],
)
def test_a_reply_means(
    stage: Stage, code: int, enhanced: str, state: D | None, fault: Fault, suppress: bool
) -> None:
    verdict = classify(stage, Reply(code, enhanced))
    assert (verdict.state, verdict.fault, verdict.suppress) == (state, fault, suppress)


@given(
    stage=st.sampled_from([s for s in Stage if s != Stage.RENDER]),
    code=st.one_of(st.just(0), st.integers(200, 599)),
    enhanced=st.one_of(st.just(""), st.from_regex(r"\A[245]\.\d{1,3}\.\d{1,3}\Z")),
    text=st.text(max_size=40),
)
def test_whatever_comes(stage: Stage, code: int, enhanced: str, text: str) -> None:
    verdict = classify(stage, Reply(code, enhanced, text))
    kind = code // 100
    # Only the first digit after the dot makes a letter sent, and nothing else does.
    assert (verdict.state == D.SENT) == (stage == Stage.DOT and kind == 2)
    assert (verdict.state == D.UNKNOWN) == (stage == Stage.DOT and kind not in {2, 4, 5})
    # A 4yz never fails a client for good, a 5yz of the client's never comes back.
    if kind == 4:
        assert verdict.outcome == Outcome.TRANSIENT
    if verdict.suppress:
        assert kind == 5
        assert enhanced.startswith("5.1.")

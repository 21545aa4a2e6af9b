from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from connectors import breaker

LIMIT = 3
REST = 10.0


def test_failures_in_a_row_open_and_a_success_between_starts_the_count_anew():
    one = breaker.Breaker(failures=3, seconds=10)

    for _ in range(2):
        one.failed(now=0, turn=0)
    one.succeeded()
    for _ in range(2):
        one.failed(now=1, turn=0)

    assert one.state(now=1) is breaker.State.CLOSED
    one.failed(now=2, turn=0)
    assert one.state(now=2) is breaker.State.OPEN
    assert one.wait(now=5) == 7


def test_after_its_rest_one_probe_goes_and_the_others_wait():
    one = opened(at=0)

    assert one.state(now=10) is breaker.State.HALF_OPEN
    assert one.wait(now=10) == 0
    assert one.begin() > 0
    assert one.wait(now=10) > 0


def test_a_probe_that_fails_opens_anew_and_one_that_succeeds_closes():
    one = opened(at=0)

    one.failed(now=11, turn=one.begin())
    assert one.wait(now=11) == 10

    one.begin()
    one.succeeded()
    assert one.state(now=22) is breaker.State.CLOSED
    assert one.begin() == 0


def test_a_probe_given_up_leaves_room_for_the_next():
    one = opened(at=0)

    one.abandoned(one.begin())

    assert one.wait(now=10) == 0


def test_calls_from_before_the_opening_neither_prolong_the_rest_nor_end_the_probe():
    one = opened(at=0)

    one.failed(now=9, turn=0)
    assert one.wait(now=10) == 0

    one.begin()
    one.failed(now=11, turn=0)
    one.abandoned(turn=0)

    assert one.wait(now=11) > 0
    assert one.opened_at == 0


def test_what_somebody_else_opened_rests_as_long_as_they_say():
    one = breaker.Breaker(failures=1, seconds=10)

    one.told_open(now=100, seconds=4)

    assert one.wait(now=100) == 4
    assert one.state(now=104) is breaker.State.HALF_OPEN


def opened(at):
    one = breaker.Breaker(failures=1, seconds=10)
    one.failed(now=at, turn=0)
    return one


class Calls(RuleBasedStateMachine):
    """Calls that begin and end in any order, beside a model kept in the words of the docs."""

    def __init__(self):
        super().__init__()
        self.breaker = breaker.Breaker(LIMIT, REST)
        self.now = 0.0
        self.under_way = []
        self.in_a_row = 0
        self.rests_until = None
        self.probe = None

    def may_call(self):
        return self.rests_until is None or (self.now >= self.rests_until and self.probe is None)

    @rule(seconds=st.sampled_from([0.0, 0.5, REST - 0.5, REST]))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.may_call())
    @rule()
    def a_call_begins(self):
        turn = self.breaker.begin()
        assert (turn > 0) == (self.rests_until is not None)
        self.under_way.append(turn)
        self.probe = turn or None

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), how=st.sampled_from(["succeeds", "fails", "is given up"]))
    def a_call_ends(self, data, how):
        turn = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        if how == "succeeds":
            self.breaker.succeeded()
            self.in_a_row, self.rests_until, self.probe = 0, None, None
            return
        if how == "fails":
            self.breaker.failed(self.now, turn)
            self._fails(turn)
        else:
            self.breaker.abandoned(turn)
        if turn == self.probe:
            self.probe = None

    def _fails(self, turn):
        is_probe = turn == self.probe
        if self.rests_until is None:
            self.in_a_row += 1
        if is_probe or (self.rests_until is None and self.in_a_row >= LIMIT):
            self.rests_until = self.now + REST

    @rule(seconds=st.sampled_from([-REST, 0.0, 1.0, REST]))
    def somebody_else_opens(self, seconds):
        self.breaker.told_open(self.now, seconds)
        self.rests_until, self.probe = self.now + seconds, None

    @invariant()
    def it_lets_through_what_the_model_does(self):
        assert (self.breaker.wait(self.now) == 0) == self.may_call()

    @invariant()
    def its_state_is_the_models(self):
        state = breaker.State.CLOSED
        if self.rests_until is not None:
            rests = self.now < self.rests_until
            state = breaker.State.OPEN if rests else breaker.State.HALF_OPEN
        assert self.breaker.state(self.now) is state


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)

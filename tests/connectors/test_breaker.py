from connectors import breaker


def test_failures_in_a_row_open_and_a_success_between_starts_the_count_anew():
    one = breaker.Breaker(failures=3, seconds=10)

    for _ in range(2):
        one.failed(now=0)
    one.succeeded()
    for _ in range(2):
        one.failed(now=1)

    assert one.state(now=1) is breaker.State.CLOSED
    one.failed(now=2)
    assert one.state(now=2) is breaker.State.OPEN
    assert one.wait(now=5) == 7


def test_after_its_rest_one_probe_goes_and_the_others_wait():
    one = opened(at=0)

    assert one.state(now=10) is breaker.State.HALF_OPEN
    assert one.wait(now=10) == 0
    assert one.begin() is True
    assert one.wait(now=10) > 0


def test_a_probe_that_fails_opens_anew_and_one_that_succeeds_closes():
    one = opened(at=0)

    one.begin()
    one.failed(now=11)
    assert one.wait(now=11) == 10

    one.begin()
    one.succeeded()
    assert one.state(now=22) is breaker.State.CLOSED
    assert one.begin() is False


def test_a_probe_given_up_leaves_room_for_the_next():
    one = opened(at=0)

    one.begin()
    one.abandoned()

    assert one.wait(now=10) == 0


def test_calls_from_before_the_opening_do_not_prolong_the_rest():
    one = opened(at=0)

    one.failed(now=9)

    assert one.wait(now=10) == 0


def opened(at):
    one = breaker.Breaker(failures=1, seconds=10)
    one.failed(now=at)
    return one

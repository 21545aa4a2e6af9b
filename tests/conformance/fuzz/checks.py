"""What Schemathesis takes for a mistake of the hub's: its own list of codes is of other servers."""

import schemathesis

#: The codes by which the hub owns that something went wrong with it.
_OURS = {"INTERNAL", "OPERATION_TIMEOUT"}


@schemathesis.check
def no_mistake_of_the_hub(ctx, response, case):
    """Fail on a status of the server's, on an error of its own, and on one that has no code."""
    assert response.status_code < 500, f"status {response.status_code}"
    errors = response.json().get("errors", [])
    codes = {error.get("extensions", {}).get("code") for error in errors}
    assert not codes & {None, *_OURS}, f"errors {errors}"

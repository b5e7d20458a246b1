"""What all tests share."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _state_folder(tmp_path_factory):
    """Keep the journals of runs out of the user's own state folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield

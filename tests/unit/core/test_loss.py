import pytest

from imgconv.core.loss import Loss, require_allowed
from imgconv.errors import LossRefused

HARMFUL = Loss("uneven-slice-spacing", "the slices are not evenly spaced", True)
HARMLESS = Loss("padding", "the padding value is not kept", False)


def test_require_allowed_passes_harmless_losses():
    require_allowed([HARMLESS])


def test_require_allowed_refuses_a_harmful_loss_and_says_how_to_accept_it():
    with pytest.raises(LossRefused) as caught:
        require_allowed([HARMLESS, HARMFUL])
    assert caught.value.hint == "accept it by `--allow uneven-slice-spacing`"


@pytest.mark.parametrize("name", ["uneven-slice-spacing", "all"])
def test_require_allowed_accepts_what_is_named(name):
    require_allowed([HARMFUL], allow=frozenset({name}))


def test_require_allowed_if_strict_refuses_harmless_ones():
    with pytest.raises(LossRefused) as caught:
        require_allowed([HARMLESS, HARMFUL], strict=True)
    assert "padding,uneven-slice-spacing" in caught.value.hint

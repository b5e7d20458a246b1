import errno
import inspect
import pickle

import pytest

from imgconv import errors
from imgconv.exitcodes import ExitCode

CLASSES = [
    item
    for _, item in inspect.getmembers(errors, inspect.isclass)
    if issubclass(item, errors.ImgconvError)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_error_survives_pickling_with_its_facts(kind):
    error = kind("bits are `20`", path="a/b.dcm", hint="use `--to x`")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.message, back.path, back.hint) == (error.message, error.path, error.hint)
    assert str(back) == str(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_error_with_path_keeps_class_and_first_path(kind):
    error = kind("wrong", hint="h").with_path("a")
    assert type(error) is kind
    assert str(error) == "a: wrong"
    assert error.with_path("b") is error


def test_all_names_every_class():
    assert {kind.__name__ for kind in CLASSES} == set(errors.__all__) - {
        "input_error",
        "output_error",
    }


def test_the_tree_is_drawn_in_the_docstring():
    for kind in CLASSES:
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, ExitCode.USAGE),
        (errors.MissingExtra, ExitCode.USAGE),
        (errors.CorruptData, ExitCode.NONE_DONE),
        (errors.OutputError, ExitCode.OUTPUT),
        (errors.InternalError, ExitCode.INTERNAL),
    ],
)
def test_exit_codes(kind, code):
    assert kind("x").exit_code == code


def test_input_error_names_the_reason():
    error = errors.input_error(OSError(errno.EACCES, "Permission denied"), "in.dcm")
    assert type(error) is errors.InputError
    assert str(error) == "in.dcm: cannot be read: Permission denied"
    assert errors.input_error(OSError(), "in.dcm").message == "cannot be read: OSError"


def test_output_error_names_the_reason():
    error = errors.output_error(OSError(errno.ENOSPC, "No space left"), "out.nii")
    assert str(error) == "out.nii: cannot be written: no space left on the device"


def test_output_error_of_an_unlisted_reason_uses_the_system_text():
    assert "Bad address" in str(errors.output_error(OSError(errno.EFAULT, "Bad address"), "x"))

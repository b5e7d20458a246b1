import sys
import threading

import pytest

from imgconv.codecs.unraisable import Swallowed, raise_swallowed


class _Faulty:
    def __del__(self):
        raise ValueError("in a place that cannot raise")


def test_raise_swallowed_raises_what_was_swallowed_in_this_thread():
    hook = sys.unraisablehook
    with pytest.raises(Swallowed, match="ValueError"), raise_swallowed():
        _Faulty()
    assert sys.unraisablehook is hook


def test_raise_swallowed_leaves_other_threads_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    with raise_swallowed():
        thread = threading.Thread(target=_Faulty)
        thread.start()
        thread.join()
    assert len(seen) == 1


def test_raise_swallowed_in_many_threads_restores_the_hook():
    hook = sys.unraisablehook
    results = []

    def work(number):
        try:
            with raise_swallowed():
                if number % 2:
                    _Faulty()
            results.append(False)
        except Swallowed:
            results.append(True)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == 20
    assert sys.unraisablehook is hook

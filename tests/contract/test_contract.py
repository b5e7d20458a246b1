"""Run the contract suite over every format that is installed."""

from imgconv.testing.test_formats import *  # noqa: F403  the tests are the module's content

"""Run the contract suite over every codec that is installed."""

from imgconv.testing.test_codecs import *  # noqa: F403  the tests are the module's content

"""The contract that every format keeps, as tests that run over all installed ones.

``pytest --pyargs imgconv.testing`` checks imgconv's own formats and those of
every plug-in; ``IMGCONV_CONTRACT_FORMATS=name,name`` restricts it. It needs
pytest.
"""

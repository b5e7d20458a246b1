"""What the vendors say in private attributes, one module per vendor."""

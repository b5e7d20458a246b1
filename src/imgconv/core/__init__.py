"""The hub types: images, their geometry, values and metadata, losses and findings."""

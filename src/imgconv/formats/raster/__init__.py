"""Pictures: PNG, JPEG and its successors, TIFF, BMP, WebP; no geometry, no patient."""

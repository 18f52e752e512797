"""The terminals' interface, /v1."""

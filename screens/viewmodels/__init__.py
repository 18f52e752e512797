"""Typed view-models: what QML may know of a snapshot, and the intents it may send."""

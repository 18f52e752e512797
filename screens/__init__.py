"""The touch screen: QML pages over typed view-models."""

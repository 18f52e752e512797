"""市民之窗: the self-service terminal."""

__version__ = "0.1.0"

"""市民之窗: the self-service terminal."""

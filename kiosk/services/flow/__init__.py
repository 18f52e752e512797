"""The journey's stages: each module takes a `Turn` and moves the citizen on."""

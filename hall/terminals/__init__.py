"""终端: who they are, how they fare, and what they wrote down."""

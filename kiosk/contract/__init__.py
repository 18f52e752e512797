"""Wire types that the terminal and the hall share; standard library and pydantic only."""

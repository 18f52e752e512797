"""How other processes of the terminal speak to the owner of the store."""

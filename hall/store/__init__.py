"""The hall's database: tables, one writer with group commit, readers."""

"""What every table and column is made from: read from files that are made or held against the code, never guessed."""

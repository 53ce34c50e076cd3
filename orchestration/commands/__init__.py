"""The commands of the command line, a file a concern. Each parses, calls one function of a room, prints."""

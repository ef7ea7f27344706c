"""The command line: one file for each command, and options from the functions' signatures."""

"""The commands of `taskbind`, one a module: what each takes from the command line, and what it prints."""

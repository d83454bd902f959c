"""The work of the commands, in files with the same names as in `commands`."""

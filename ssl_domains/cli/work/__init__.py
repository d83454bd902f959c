"""What each command does, under the file name that its arguments have in `commands`."""

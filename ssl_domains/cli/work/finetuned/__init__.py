"""Work of the commands that use a fine-tuned run: from its folder and new data to files."""

"""What is shown of a survey: its headers in words, its live map, its amplitudes."""

"""Small pictures and sounds of samples: signals drawn as lines, many thumbnails in one picture, sounds for players."""

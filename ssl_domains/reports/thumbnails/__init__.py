"""Small pictures of samples: signals drawn as lines, and many thumbnails in one picture (a sprite)."""

"""Encoders of Hugging Face models that lie in a local folder: of token ids and of pictures; ``transformers:FOLDER``."""

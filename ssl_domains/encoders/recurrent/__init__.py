"""Encoders of pictures of text lines: a convolutional network, then what reads its columns.

That is a BiLSTM from left to right and back, or a convolution over a few columns.

A picture ``[B, C, H, W]`` of one height and any width comes in; the map ``[B, F, T]`` that goes out has a vector for
each frame, which is a few columns of pixels. The number of frames follows from the width without a run.
"""

"""What a fine-tuning is compared with, and how the comparison is measured.

In: labelled rows, their split, and a pre-trained run or weights. Out: the trainings to do, their effort, their scores.
"""

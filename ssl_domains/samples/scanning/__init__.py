"""What every reader's scan needs: the files of a folder, one guarded read a file, progress, and a restart.

In comes a source folder. `walk` lists its files, `each_file` reads them one by one under the guard (`read_guarded`):
what can't be read becomes a row of `Problems`, and the scan goes on. Out come the values that the reader made of each
file.
"""

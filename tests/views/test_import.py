"""Importing the views, and using their CPU forms, asks nobody on the network."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import socket, sys

def refuse(*args, **kwargs):
    raise SystemExit("the network was asked for")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse

import ssl_domains.views as views
assert "albumentations" not in sys.modules, "albumentations should wait until it is needed"

import cv2, numpy, os
assert os.environ["NO_ALBUMENTATIONS_UPDATE"] == "1"
assert cv2.getNumThreads() == 1
recipe = views.ViewRecipe((views.Rotate(reason="test"),), 8, views=1)
recipe.cpu_view(numpy.ones((8, 8, 1), numpy.float32), seed=0, step=0, slot=0)
assert "albumentations" in sys.modules
print("good")
"""


def test_no_network_on_import() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "good"

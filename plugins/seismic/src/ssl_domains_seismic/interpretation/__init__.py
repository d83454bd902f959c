"""An interpreter's files on the command line: which survey each belongs to, and the columns that they give its samples.

What comes in are the surveys of a scan and the paths of ``--labels`` and ``--horizon``. `attach` places every file by
line number and time, merges the labels of a survey into one label volume beside the table, and adds columns:
``mask_path``, the shares of the classes, and the time from a horizon.
"""

from ssl_domains_seismic.interpretation.attach import Attached, attach
from ssl_domains_seismic.interpretation.label_files import find_label_files
from ssl_domains_seismic.interpretation.request import OPTIONS, InterpretationRequest, request_of
from ssl_domains_seismic.interpretation.surveys import SampledSurvey

__all__ = ["OPTIONS", "Attached", "InterpretationRequest", "SampledSurvey", "attach", "find_label_files", "request_of"]

"""The Python-based `onnxruntime` backend: the part of the engine that runs inside Triton, on Triton's own Python.

It may import nothing but the standard library, numpy, onnxruntime, openvino and itself: the launcher copies this
package beside `model.py`, and the application's environment is not there.
"""

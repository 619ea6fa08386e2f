"""The errors of the alphamatting.com benchmark: Rhemann et al., A Perceptually Motivated Online Benchmark, CVPR 2009.

Over the whole picture, without a trimap, as for automatic matting (P3M: Li et al. 2021). Alphas are (H, W) float64,
0 to 1.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.float64]

_SIGMA = 1.4  # Of the Gaussian whose derivatives measure the gradient, in pixels: the paper's.
_LEAST = 0.01  # The filter ends where the Gaussian has fallen to this: the benchmark's own code.


def mean_absolute(alpha: Alpha, truth: Alpha) -> float:
    """Mean absolute error, 0 to 1."""
    return float(np.abs(alpha - truth).mean())


def mean_squared(alpha: Alpha, truth: Alpha) -> float:
    """Mean squared error, 0 to 1."""
    return float(np.square(alpha - truth).mean())


def sum_of_differences(alpha: Alpha, truth: Alpha) -> float:
    """Sum of absolute differences (SAD), in thousands of pixels."""
    return float(np.abs(alpha - truth).sum()) / 1000


def gradient_error(alpha: Alpha, truth: Alpha) -> float:
    """Sum of the squared differences between the magnitudes of the gradients, in thousands.

    Gradients are by first-order Gaussian derivative filters with a sigma of 1.4, each of unit length.
    """
    return float(np.square(_steepness(alpha) - _steepness(truth)).sum()) / 1000


def _steepness(alpha: Alpha) -> Alpha:
    smooth, slope = _filters()
    across = cv2.sepFilter2D(alpha, cv2.CV_64F, slope, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(alpha, cv2.CV_64F, smooth, slope, borderType=cv2.BORDER_REPLICATE)
    steepness: Alpha = np.hypot(across, down)
    return steepness


def _filters() -> tuple[Alpha, Alpha]:
    """A Gaussian and its derivative; the filter that they span has unit length."""
    reach = int(np.ceil(_SIGMA * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * _SIGMA * _LEAST))))
    place = np.arange(-reach, reach + 1, dtype=np.float64)
    smooth = np.exp(-np.square(place) / (2 * _SIGMA**2)) / (_SIGMA * np.sqrt(2 * np.pi))
    slope = -place * smooth / _SIGMA**2
    return smooth / np.linalg.norm(smooth), slope / np.linalg.norm(slope)

"""The small model for people, on every frame."""

from server.video.flow import Effort
from server.video.watch import Sight

# About twice the model's own size: what the outline is drawn to is finer than the model.
SIGHT = Sight(working_side=480, motion_side=240, effort=Effort.LITTLE)

MOST_STRETCH = 1.5
"""How much wider than it is somebody may look to the model: in an upright frame, bars would leave too little of it."""

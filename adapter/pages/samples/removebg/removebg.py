# pip install requests
import os
from pathlib import Path

import requests

# Was https://api.remove.bg/v1.0/removebg.
resp = requests.post(
    "https://api.clearcanvas.app/v1.0/removebg",
    headers={"X-Api-Key": os.environ["CLEARCANVAS_API_KEY"]},
    files={"image_file": Path("photo.png").read_bytes()},
    data={"size": "auto"},
    timeout=60,
)
resp.raise_for_status()
Path("result.png").write_bytes(resp.content)

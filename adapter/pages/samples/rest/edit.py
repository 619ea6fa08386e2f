# pip install requests
import os
from pathlib import Path

import requests

resp = requests.post(
    "https://api.clearcanvas.app/image/color/v1",
    headers={"X-API-Key": os.environ["CLEARCANVAS_API_KEY"]},
    files={"image": Path("photo.png").read_bytes()},
    data={"bgcolor": "#f5f5f4", "shadow": "drop"},
    timeout=60,
)
resp.raise_for_status()
Path("result.png").write_bytes(resp.content)

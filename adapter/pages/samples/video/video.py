# pip install requests
import os
import time
from pathlib import Path

import requests

API = "https://api.clearcanvas.app"
session = requests.Session()
session.headers["X-API-Key"] = os.environ["CLEARCANVAS_API_KEY"]

job = session.post(
    f"{API}/video/submit/v1",
    files={"video": Path("clip.mp4").read_bytes()},
    data={"bg_color": "0,160,60"},
    timeout=60,
)
job.raise_for_status()

result = f"{API}/video/result/{job.json()['uuid']}"
while (resp := session.get(result, timeout=60)).status_code == 202:
    time.sleep(1)
resp.raise_for_status()
Path("result.mp4").write_bytes(resp.content)

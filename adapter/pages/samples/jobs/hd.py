# pip install requests
import os
import time
from pathlib import Path

import requests

API = "https://api.clearcanvas.app"
session = requests.Session()
session.headers["X-API-Key"] = os.environ["CLEARCANVAS_API_KEY"]

job = session.post(
    f"{API}/image/hd/submit/v1",
    files={"image": Path("photo.png").read_bytes()},
    data={"operation": "blur"},
    timeout=60,
)
job.raise_for_status()

result = f"{API}/image/hd/result/{job.json()['uuid']}"
while (resp := session.get(result, timeout=60)).status_code == 202:
    time.sleep(1)
resp.raise_for_status()
Path("result.png").write_bytes(resp.content)

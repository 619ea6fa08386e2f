"""Removes a background with PyPI's client of remove.bg: python removebg_requests.py ADDRESS KIND SOURCE RESULT.

The key in API_KEY, options as JSON in OPTIONS. KIND is file, base64 or url. Prints what the client gives or raises.
"""

import base64
import json
import os
import shutil
import sys
from pathlib import Path

import removebg.removebg  # type: ignore[import-untyped]
import requests


def main(address: str, kind: str, source: str, result: str) -> None:
    removebg.removebg.API_ENDPOINT = f"{address}/v1.0/removebg"  # The one thing that is changed in the client.
    client = removebg.RemoveBg(os.environ["API_KEY"], os.devnull)
    options = json.loads(os.environ.get("OPTIONS", "{}"))
    errors = []
    try:
        match kind:
            case "file":
                client.remove_background_from_img_file(source, **options)
                shutil.move(f"{source}_no_bg.png", result)
            case "base64":
                encoded = base64.b64encode(Path(source).read_bytes())
                client.remove_background_from_base64_img(encoded, new_file_name=result, **options)
            case "url":
                client.remove_background_from_img_url(source, new_file_name=result, **options)
    except requests.HTTPError as error:
        errors = error.response.json()["errors"]
    print(json.dumps({"result": {}, "errors": errors}))


main(*sys.argv[1:])

"""What one writes in place of `pipeline workflow list` with a standard library alone."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import sys
from email.utils import formatdate

access_key, secret_key = os.environ["PANDORA_ACCESS_KEY"], os.environ["PANDORA_SECRET_KEY"]
path = "/v2/workflows"
date = formatdate(usegmt=True)
mac = hmac.new(secret_key.encode(), f"GET\n\n\n{date}\n{path}".encode(), hashlib.sha1)
signature = base64.urlsafe_b64encode(mac.digest()).decode()
connection = http.client.HTTPConnection(sys.argv[1].removeprefix("http://"))
headers = {"Date": date, "Authorization": f"Pandora {access_key}:{signature}"}
connection.request("GET", path, headers=headers)
response = connection.getresponse()
assert response.status == 200
for workflow in json.load(response):
    print(workflow["name"], workflow["region"], workflow["status"], workflow["updateTime"])

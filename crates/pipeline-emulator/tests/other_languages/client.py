"""A client of nothing but the standard library: every resource from its making to its end.

Called with the port of an emulator and its keys. Says on standard output how many requests it sent; whatever
is not as it should be ends it.
"""

import base64
import gzip
import hashlib
import hmac
import http.client
import io
import json
import struct
import sys
import zipfile
from email.utils import formatdate

PORT, ACCESS_KEY, SECRET_KEY = int(sys.argv[1]), sys.argv[2], sys.argv[3]
connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
sent = 0


def send(method, target, body=None, kind=None, coding=None, secret=SECRET_KEY):
    """One signed request. JSON unless another type is given."""
    global sent
    sent += 1
    headers = {"Date": formatdate(usegmt=True)}
    if isinstance(body, (dict, list)):
        body, kind = json.dumps(body), kind or "application/json"
    if isinstance(body, str):
        body = body.encode()
    if kind:
        headers["Content-Type"] = kind
    if coding:
        headers["Content-Encoding"] = coding
    if kind == "application/java-archive":
        headers["Content-MD5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
    text = "\n".join([
        method,
        headers.get("Content-MD5", ""),
        kind or "",
        headers["Date"],
        target.partition("?")[0],
    ])
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
    signature = base64.urlsafe_b64encode(mac).decode()
    headers["Authorization"] = f"Pandora {ACCESS_KEY}:{signature}"
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    content = response.read()
    where = f"{method} {target}: {response.status} {content!r}"
    assert response.getheader("Content-Type") == "application/json", where
    assert response.getheader("X-Reqid"), where
    return response.status, json.loads(content), where


def ok(expected, *request, **more):
    """A request that succeeds; what it brings, or a function that is to hold for that."""
    status, found, where = send(*request, **more)
    assert status == 200, where
    assert expected(found) if callable(expected) else found == expected, where
    return found


def refused(status, code, *request, **more):
    """A request that is refused: by this status, with nothing but the error in the body."""
    found, body, where = send(*request, **more)
    assert found == status and list(body) == ["error"], where
    assert body["error"].startswith(f"{code}: "), where


def names(collection, key, *expected):
    """Whether a list has these, and is an object of one list."""
    return lambda body: list(body) == [collection] and [it[key] for it in body[collection]] == [*expected]


def jar(name, above, methods):
    """An archive with one class without code."""
    texts = [name, above, "Code", *methods]
    pool = b"".join(b"\x01" + struct.pack(">H", len(text)) + text.encode() for text in texts)
    pool += b"\x07\x00\x01" + b"\x07\x00\x02"
    this = len(texts) + 1
    body = struct.pack(">6H", 0x21, this, this + 1, 0, 0, len(methods))
    for at, _ in enumerate(methods):
        body += struct.pack(">4H", 1, 4 + at, 4 + at, 0)
    whole = b"\xca\xfe\xba\xbe" + struct.pack(">HHH", 0, 52, this + 2) + pool + body + struct.pack(">H", 0)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name + ".class", whole)
    return archive.getvalue()


FIELDS = [{"key": "host", "valtype": "string", "required": True}, {"key": "bytes", "valtype": "long"}]
JAVA, TEXT = "application/java-archive", "text/plain"

# Who it is.
status, body, where = send("GET", "/v2/repos", secret="another")
assert status == 401 and list(body) == ["error"], where
refused(404, "E18102", "GET", "/v2/repos/clicks")

# A queue, what is pushed into it and what is seen of that.
ok({"repos": []}, "GET", "/v2/repos")
ok({"exist": False}, "GET", "/v2/repos/clicks/exists")
ok({}, "POST", "/v2/repos/clicks", {"region": "nb", "schema": FIELDS})
refused(409, "E18101", "POST", "/v2/repos/clicks", {"region": "nb", "schema": FIELDS})
ok({"exist": True}, "GET", "/v2/repos/clicks/exists")
ok(names("repos", "name", "clicks"), "GET", "/v2/repos")
ok({}, "PUT", "/v2/repos/clicks", {"schema": [*FIELDS, {"key": "ref", "valtype": "string"}, {"key": "raw", "valtype": "string"}]})
ok(lambda body: [it["key"] for it in body["schema"]] == ["host", "bytes", "ref", "raw"], "GET", "/v2/repos/clicks")
ok({}, "POST", "/v2/repos/clicks/data", "host=a\\tb\tbytes=1\nhost=c\tref=\n", TEXT)
ok({}, "POST", "/v2/repos/clicks/data", gzip.compress(b"host=d\tbytes=2"), TEXT, "gzip")
refused(404, "E18111", "POST", "/v2/repos/clicks/data", "host=e\tcolour=red", TEXT)
refused(400, "E18110", "POST", "/v2/repos/clicks/data", "host=e\nhost=f\tbytes=many", TEXT)
refused(404, "E18102", "POST", "/v2/repos/gone/data", "host=e", TEXT)
ok({"records": [{"host": "a\\tb", "bytes": 1}, {"host": "c", "ref": ""}, {"host": "d", "bytes": 2}]},
   "GET", "/v2/repos/clicks/data?count=10")
ok({"code": 200, "message": ""}, "POST", "/v2/stream/clicks/data", "host=g\n", TEXT)
ok(lambda body: body["code"] == 404 and body["message"].startswith("E18111: "), "POST", "/v2/stream/clicks/data", "colour=red", TEXT)
ok(lambda body: len(body["records"]) == 2 and body["records"][-1]["host"] == "g", "GET", "/v2/repos/clicks/data?count=2")

# What computes on it, and where it goes.
path = "/v2/repos/clicks/transforms/clean"
sql = {"mode": "sql", "code": "select host from stream", "interval": "1m", "container": {"type": "1U2G", "count": 1}, "whence": "newest"}
ok({}, "POST", path + "/to/hosts", {**sql, "destrepo": [{"key": "host", "valtype": "string"}]})
refused(409, "E18201", "POST", path + "/to/hosts", sql)
ok(names("transforms", "name", "clean"), "GET", "/v2/repos/clicks/transforms")
ok(lambda body: body["to"] == "hosts" and body["spec"]["mode"] == "sql", "GET", path)
ok({}, "PUT", path, {"code": "select host from stream", "interval": "5m"})
ok({"exist": True}, "GET", path + "/exists")
ok(names("repos", "name", "clicks", "hosts"), "GET", "/v2/repos?withDag=true")
refused(400, "E18112", "DELETE", "/v2/repos/clicks")
export = "/v2/repos/hosts/exports/out"
target = {"host": "http://127.0.0.1:9", "uri": "/x", "format": "json"}
ok({}, "POST", export, {"type": "http", "spec": target, "whence": "oldest"})
refused(400, "E18322", "POST", "/v2/repos/hosts/exports/bad", {"type": "pigeon", "spec": target, "whence": "oldest"})
ok(names("exports", "name", "out"), "GET", "/v2/repos/hosts/exports")
ok({}, "PUT", export, {"spec": {**target, "uri": "/y"}})
ok(lambda body: body["spec"]["uri"] == "/y", "GET", export)
ok({}, "DELETE", export)
refused(404, "E18302", "GET", export)
refused(400, "E18206", "DELETE", "/v2/repos/hosts")
ok({}, "DELETE", path)
refused(404, "E18202", "DELETE", path)
ok({"exist": False}, "GET", "/v2/repos/hosts/exists")

# Batches.
files = {"bucket": "bkt", "keyPrefixes": ["p"], "fileType": "json"}
ok({}, "POST", "/v2/datasources/files", {"region": "nb", "type": "kodo", "spec": files, "schema": FIELDS})
ok(names("datasources", "name", "files"), "GET", "/v2/datasources")
job = {
    "srcs": [{"name": "files", "fileFilter": "$(date)", "type": "datasource", "tableName": "tab"}],
    "computation": {"code": "select * from tab", "type": "sql"},
    "container": {"type": "1U2G", "count": 1},
    "scheduler": {"type": "manual"},
    "params": [{"name": "p", "default": "v"}],
}
refused(404, "E18612", "POST", "/v2/jobs/daily", {**job, "srcs": [{**job["srcs"][0], "name": "gone"}]})
ok({}, "POST", "/v2/jobs/daily", job)
ok(names("jobs", "name", "daily"), "GET", "/v2/jobs?srcDatasource=files")
ok({}, "POST", "/v2/jobs/daily/exports/out", {"type": "http", "spec": target})
ok(names("exports", "name", "out"), "GET", "/v2/jobs/daily/exports")
ok({}, "DELETE", "/v2/jobs/daily/exports/out")
ok({"total": 0, "history": []}, "GET", "/v2/jobs/daily/history")
ok({}, "POST", "/v2/jobs/daily/actions/start", {"params": [{"name": "p", "value": "w"}]})
refused(409, "E18621", "POST", "/v2/jobs/daily/actions/start", {})
ok({}, "POST", "/v2/jobs/daily/actions/stop", b"")
ok(lambda body: [it["runId"] for it in body["history"]] == [1], "GET", "/v2/jobs/daily/history")
ok(lambda body: body["rerunCount"] == 1, "POST", "/v2/batch/actions/rerun", {"jobName": "daily", "runId": 1})
ok({}, "DELETE", "/v2/jobs/daily")
refused(404, "E18606", "GET", "/v2/jobs/daily")
ok({}, "DELETE", "/v2/datasources/files")

# Code.
parser = jar("com/example/P", "java/lang/Object", ["parse"])
ok({}, "POST", "/v2/plugins/com.example.P", parser, JAVA)
refused(409, "E18217", "POST", "/v2/plugins/com.example.P", parser, JAVA)
ok(names("plugins", "name", "com.example.P"), "GET", "/v2/plugins")
ok({"outputFields": []}, "POST", "/v2/verify/plugins/com.example.P", b"")
ok({}, "DELETE", "/v2/plugins/com.example.P")
refused(404, "E18216", "GET", "/v2/plugins/com.example.P")
functions = jar("com/example/F", "org/apache/hadoop/hive/ql/exec/UDF", ["<init>", "evaluate"])
ok({}, "POST", "/v2/udf/jars/functions", functions, JAVA)
ok({}, "PUT", "/v2/udf/jars/functions", {"description": "d"})
ok(names("result", "jarName", "functions"), "GET", "/v2/udf/jars")
function = {"jarName": "functions", "className": "com.example.F", "funcDeclaration": "f(x)", "description": "d"}
refused(404, "E18632", "POST", "/v2/udf/funcs/f", {**function, "className": "com.example.G"})
ok({}, "POST", "/v2/udf/funcs/f", function)
ok(names("result", "funcName", "f"), "GET", "/v2/udf/funcs?jarName=functions")
ok({}, "DELETE", "/v2/udf/funcs/f", kind="application/json")
ok({}, "DELETE", "/v2/udf/jars/functions")

# Variables, without a content type as the vendor's client sends them.
ok({}, "POST", "/v2/variables/yesterday", b'{"name":"yesterday","type":"time","value":"$(now)-1d","format":"yyyy"}')
ok({"name": "yesterday", "type": "time", "value": "$(now)-1d", "format": "yyyy"}, "GET", "/v2/variables/yesterday")
ok({}, "PUT", "/v2/variables/yesterday", {"type": "time", "value": "$(now)-2d", "format": "yyyy"})
ok(names("variables", "name", "yesterday"), "GET", "/v2/variables?type=user")
ok({}, "DELETE", "/v2/variables/yesterday")
refused(404, "E18654", "GET", "/v2/variables/yesterday")

# A workflow of it all.
ok({}, "POST", "/v2/workflows/flow", {"region": "nb"})
ok({}, "POST", "/v2/repos/inside", {"region": "nb", "schema": FIELDS, "workflow": "flow"})
ok({}, "POST", "/v2/repos/inside/exports/out", {"type": "http", "spec": target, "whence": "oldest"})
ok(lambda body: sorted(body["nodes"]) == ["inside-repo", "out-export"], "GET", "/v2/workflows/flow")
ok({}, "POST", "/v2/workflows/flow/start", b"")
ok(lambda body: body["status"] == "Started", "GET", "/v2/workflows/flow/status")
refused(400, "E18643", "PUT", "/v2/workflows/flow", {"name": "flow", "region": "nb", "nodes": {}})
ok({}, "POST", "/v2/workflows/flow/stop", b"")
ok({}, "DELETE", "/v2/workflows/flow")
ok([], "GET", "/v2/workflows")
ok({}, "DELETE", "/v2/repos/clicks")
ok({"repos": []}, "GET", "/v2/repos")

print(sent)

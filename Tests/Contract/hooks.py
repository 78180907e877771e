"""What Schemathesis cannot read in the document: what a run must not do to the ground it stands on, and the rules
that no schema can state. Loaded by Tests/Contract/run, which sets the environment."""

import itertools
import json
import os
import uuid
from urllib.parse import quote

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation

URL = os.environ["CONTRACT_URL"]
TOKEN = os.environ["CONTRACT_TOKEN"]
LOGIN = {"email": os.environ["CONTRACT_EMAIL"], "password": os.environ["CONTRACT_PASSWORD"]}
# Of each parameter of paths, the id of something that is there for the run.
SEEDS = json.loads(os.environ["CONTRACT_SEEDS"])
# The accounts that the runs are logged in with, and their sessions.
SELF = set(os.environ["CONTRACT_SELF"].split())

PASSWORD = "several words of no use "
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqbLGWkbrOdtmqHnbhXzxBL0TbgY5sQGhmEPpOkLxcT"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIDE2$" + 43 * "A"
CONDITIONS = ("", "id IS NOT NULL", "createdAt > '2026-01-01T00:00:00Z' AND NOT id = '00000000-0000-7000-8000-000000000000'")
FUTURE = "2100-01-01T00:00:00Z"
turns = itertools.count()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Every answer must stand in the document under its own status: `default` is for what nobody foresees."""
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("default", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    fit(case)
    if case.meta is not None:
        find(case)
        if case.meta.generation.mode.is_positive:
            make_real(case)
            keep_short(case)
    protect(case)


def fit(case):
    """What is longer than 16 KiB is refused by the HTTP server before it is a request, and not by the gateway."""
    for name, value in (case.query or {}).items():
        if isinstance(value, str) and len(quote(value)) > 12_000:
            case.query[name] = value[:1000]


def find(case):
    """Asks every other time for something that is there; ids that were made up lead nowhere."""
    if case.meta.phase.name.value == "stateful" or case.meta.is_negative_at(ParameterLocation.PATH):
        return
    names = [name for name in case.path_parameters or {} if name in SEEDS]
    if names and next(turns) % 2:
        case.path_parameters.update({name: SEEDS[name] for name in names})


def protect(case):
    """Nothing changes the accounts and sessions of the run, and nothing that it needs is removed."""
    for name, value in (case.path_parameters or {}).items():
        is_needed = value == SEEDS.get(name) and not case.path.endswith("/shares/{userId}")
        if case.method != "GET" and value in SELF or case.method == "DELETE" and is_needed:
            case.path_parameters[name] = str(uuid.uuid4())
    # The session that ends is one made for it.
    if (case.method, case.path) == ("DELETE", "/iaas/sessions") and case.headers.get("Authorization") == TOKEN:
        case.headers["Authorization"] = log_in()


def log_in():
    answer = requests.post(f"{URL}/iaas/sessions", json=LOGIN, timeout=10)
    answer.raise_for_status()
    return answer.text


def make_real(case):
    """Fills in what is valid by form into something that is valid in fact."""
    # A key stands for one request, and the same one comes with many.
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    query = case.query or {}
    # A cursor comes from the `Link` of a page before.
    query.pop("after", None)
    # The language of conditions is more than a pattern can say.
    if "query" in query:
        query["query"] = CONDITIONS[next(turns) % len(CONDITIONS)]
    # Samples are kept for 31 days.
    if "since" in query:
        query["since"] = "600"
    if isinstance(case.body, dict):
        case.body = real_body(case, dict(case.body))


def real_body(case, body):
    # What no schema says: a time that is still to come, a password that is hard to guess, a group of the configuration,
    # a key that is one, and that an invitation is for those who have no account.
    if "expiresAt" in body:
        body["expiresAt"] = FUTURE
    if "password" in body and case.path.startswith("/iaas/users"):
        body["password"] = (PASSWORD + str(body["password"]))[:200]
    if "passwordHash" in body:
        body["passwordHash"] = HASH
    if isinstance(body.get("quota"), dict) and "group" in body["quota"]:
        body["quota"] = {**body["quota"], "group": "small"}
    if "key" in body:
        body["key"] = KEY
    if case.path.endswith("/shares"):
        body["user"] = SEEDS["userId"]
    if case.path == "/iaas/users":
        body.pop("invitation", None)
    if case.path == "/iaas/sessions" and next(turns) % 2:
        body = dict(LOGIN)
    # One change at a time.
    if case.path == "/iaas/vms/{vmId}":
        name = sorted(body)[next(turns) % len(body)]
        body = {name: body[name]}
    # VMs of an image that is there, and as small as they can be.
    if case.path in ("/iaas/vms", "/iaas/placements"):
        body["image"] = SEEDS["imgId"]
        body.update(mem=64, vcpus=1)
        for name in ("disk", "keys", "sshKeys"):
            body.pop(name, None)
    # Images of a URL are downloads, which other tests are about.
    if case.path == "/iaas/images":
        for name in ("url", "checksums", "sha256"):
            body.pop(name, None)
        body.setdefault("name", "of the contract")
    # The one host stays in service and keeps its room.
    if case.path == "/iaas/hosts/{hostId}":
        if "state" in body:
            body["state"] = "up"
        if "overcommit" in body:
            body["overcommit"] = {"cpus": 100, "mem": 100, "disk": 100}
    return body


def keep_short(case):
    """Nothing is waited for longer than a second."""
    if any(parameter.name == "Prefer" for parameter in case.operation.headers):
        case.headers["Prefer"] = "wait=1"
    if "wait" in (case.query or {}):
        case.query["wait"] = min(int(case.query["wait"]), 1)

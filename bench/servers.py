"""The servers under load: the bare reference and OpsFlux, started, filled and stopped."""
import csv
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

from load import HERE, Target

ROOT = os.path.dirname(HERE)
WORK = os.path.join(ROOT, "target", "bench")
DEPARTMENTS = 10
BULK = 1000


class BenchFailed(Exception):
    """Something could not be started or filled, or its books do not balance."""


def data_set(tickets):
    """The CSV of that many tickets, made once, with words.txt beside it."""
    folder = os.path.join(WORK, f"data-{tickets}")
    path = os.path.join(folder, "tickets.csv")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        subprocess.run([sys.executable, f"{HERE}/seed/gen.py", path + ".part", str(tickets)], check=True)
        os.replace(path + ".part", path)
    return path


def description(name):
    with open(f"{HERE}/targets/{name}.json") as file:
        return json.load(file)


class Process:
    """A server process and the time from its start to its first answer."""

    def __init__(self, command, env, probe, log):
        self.log = log
        started = time.monotonic()
        with open(log, "ab") as out:
            self.process = subprocess.Popen(command, env=dict(os.environ, **env), stdout=out, stderr=out)
        while True:
            try:
                urllib.request.urlopen(probe, timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self.process.poll() is not None or time.monotonic() - started > 120:
                    self.stop()
                    raise BenchFailed(f"{command[0]} did not start; see {log}") from None
                time.sleep(0.002)
        self.first_answer_ms = (time.monotonic() - started) * 1e3

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


class Limits:
    """The bare reference on its own SQLite file."""

    port = 8391

    def __init__(self, tickets):
        source = data_set(tickets)
        folder = os.path.join(WORK, f"limits-{tickets}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        database = os.path.join(folder, "limits.db")
        subprocess.run([sys.executable, f"{HERE}/seed/load_sqlite.py", source, database], check=True)
        base = f"http://127.0.0.1:{self.port}"
        binary = os.path.join(ROOT, "target", "limits", "release", "limits")
        self.server = Process([binary, "serve", database, str(self.port)], {}, f"{base}/static", f"{folder}/log")
        about = description("limits")
        self.target = Target(
            "limits", base, self.server.process.pid, about["ops"],
            {"Authorization": "Bearer bench", "Content-Type": "application/json"},
            about["statuses"], os.path.join(os.path.dirname(source), "words.txt"), dict(about["ids"], max=tickets))

    def stop(self):
        self.server.stop()


class OpsFlux:
    """OpsFlux on a fresh data folder, filled through its own API."""

    port = 8392
    admin = "admin@bench.example"

    def __init__(self, tickets, database_url=None, encrypted=False):
        self.tickets = tickets
        self.source = data_set(tickets)
        self.database = "postgres" if database_url else "sqlite-encrypted" if encrypted else "sqlite"
        self.secret_key = secrets.token_hex(32) if encrypted else None
        self.database_url = database_url
        self.folder = os.path.join(WORK, f"opsflux-{self.database}-{tickets}")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.password = secrets.token_urlsafe(18)
        self.base = f"http://127.0.0.1:{self.port}"
        self.places = {}
        self.start()

    def start(self):
        env = {
            "OPSFLUX_DATA": os.path.join(self.folder, "data"), "OPSFLUX_LISTEN": f"127.0.0.1:{self.port}",
            "OPSFLUX_ADMIN_EMAIL": self.admin, "OPSFLUX_ADMIN_PASSWORD": self.password,
            "OPSFLUX_HTTP__RATE_LIMIT": "0",
        }
        if self.database_url:
            env["OPSFLUX_DATABASE_URL"] = self.database_url
        if self.secret_key:
            env |= {"OPSFLUX_ENCRYPTION": "on", "OPSFLUX_SECRET_KEY": self.secret_key}
        binary = os.path.join(ROOT, "target", "release", "opsflux")
        self.server = Process([binary, "serve"], env, f"{self.base}/health", f"{self.folder}/log")

    def stop(self):
        self.server.stop()

    def restart(self):
        """Stops and starts again; returns milliseconds to the first answer."""
        self.stop()
        self.start()
        return self.server.first_answer_ms

    def call(self, method, path, body=None, token=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise BenchFailed(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None

    def ask(self, method, path, body=None, token=None):
        return json.loads(self.call(method, path, body, token))

    def sign_in(self, email):
        body = {"email": email, "password": self.password}
        return self.ask("POST", "/api/v1/auth/login", body)["access_token"]

    def fill(self, progress):
        """Departments, people and the tickets, by bulk operations in the order of the data set."""
        token = self.sign_in(self.admin)
        company = self.ask("GET", "/api/v1/companies", token=token)["items"][0]["id"]
        roles = {r["name"]: r["id"] for r in self.ask("GET", "/api/v1/roles", token=token)["items"]}

        def create(collection, **data):
            return self.ask("POST", f"/api/v1/{collection}", data, token)["id"]

        categories = {}
        requesters = []
        for at in range(DEPARTMENTS):
            department = create("departments", name=f"Department {at}", code=f"D{at}", company=company)
            requesters.append(create("users", full_name=f"Requester {at}", email=f"requester{at}@bench.example",
                                     department=department, company=company))
            if at == 0:
                technician = create("users", full_name="Tech Nician", email="technician@bench.example",
                                    password=self.password, department=department, company=company)
                create("memberships", user=technician, company=company, role=roles["technician"],
                       department=department)
        self.places = {"@requester": requesters[0]}
        states = description("opsflux")["statuses"]
        batch, sent = [], 0

        def flush():
            nonlocal token, sent
            if sent % (100 * BULK) == 0:
                token = self.sign_in(self.admin)
            self.call("POST", "/api/v1/tickets/bulk", {"operations": batch}, token)
            sent += len(batch)
            batch.clear()
            progress(sent, self.tickets)

        with open(self.source, newline="") as file:
            for at, row in enumerate(csv.DictReader(file)):
                if row["category"] not in categories:
                    categories[row["category"]] = create("categories", name=row["category"])
                batch.append({"op": "create", "data": {
                    "title": row["title"], "description": row["description"], "status": states[at % len(states)],
                    "priority": row["priority"], "category": categories[row["category"]],
                    "requester": requesters[at % DEPARTMENTS]}})
                if len(batch) == BULK:
                    flush()
        if batch:
            flush()
        self.places["@category"] = categories["hardware"]
        self.settle(token)

    def settle(self, token):
        """Until the search index has read every change."""
        while self.gauge('opsflux_feed_lag{reactor="search"}') > 0:
            time.sleep(0.2)

    def gauge(self, name):
        for line in self.call("GET", "/metrics").decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def target(self, technician=False):
        """The operations as the administrator, or as a technician who sees a department's tenth of the tickets."""
        about = description("opsflux")
        ops = json.loads(json.dumps(about["ops"]))
        for op in ops.values():
            for place, value in self.places.items():
                if "body" in op:
                    op["body"] = op["body"].replace(place, value)
        token = self.sign_in("technician@bench.example" if technician else self.admin)
        ids = dict(about["ids"], max=self.tickets, step=DEPARTMENTS if technician else 1)
        name = f"{self.database}{', technician' if technician else ''}"
        return Target(name, self.base, self.server.process.pid, ops,
                      {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                      about["statuses"], os.path.join(os.path.dirname(self.source), "words.txt"), ids)

    def books(self):
        """(writes, audit rows, feed rows) of tickets: a record's version counts its writes.

        Requests that wrk had sent when it stopped are still being written: they are waited for.
        """
        end = None
        while end != (end := self.gauge("opsflux_feed_end")):
            time.sleep(1)
        if self.secret_key:
            # Nobody but the server opens the file; the same workloads on the plain one are counted.
            return None
        statements = [
            "SELECT coalesce(sum(version), 0) FROM r_ticket",
            "SELECT count(*) FROM r_audit_entry WHERE entity_key = 'ticket' AND result = 'ok'",
            "SELECT count(*) FROM sys_feed WHERE entity = 'ticket'",
        ]
        return tuple(self.count(statement) for statement in statements)

    def count(self, statement):
        if self.database_url:
            answer = subprocess.run(["psql", self.database_url, "-Atc", statement], capture_output=True, text=True,
                                    check=True)
            return int(answer.stdout)
        path = os.path.join(self.folder, "data", "opsflux.db")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return int(database.execute(statement).fetchone()[0])

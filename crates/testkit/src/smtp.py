"""A real mail server that writes down what it got.

One line of JSON on stdout for its address, then one for each message whose text it got whole. How it treats
a message is said by the name before the @ of its recipient.
"""

import asyncio
import json
import ssl
import sys
from email import message_from_bytes
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = json.loads(sys.argv[1])
seen = {}


def say(what):
    print(json.dumps(what), flush=True)


def nth(name):
    seen[name] = seen.get(name, 0) + 1
    return seen[name]


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, _options):
        name = address.split("@")[0]
        if name.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        if name.startswith("later") and nth(name) == 1:
            return "451 4.7.1 try again in a while"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=default)
        part = {p.get_content_type(): p.get_content() for p in message.walk() if not p.is_multipart()}
        to = envelope.rcpt_tos[0]
        say({
            "to": to,
            "from": envelope.mail_from,
            "id": message["Message-ID"],
            "subject": message["Subject"],
            "headers": sorted(message.keys()),
            "text": part.get("text/plain"),
            "html": part.get("text/html"),
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "signed_in": bool(session.authenticated),
        })
        name = to.split("@")[0]
        if name.startswith("dropped"):
            server.transport.abort()
            return "250 nobody hears this"
        if name.startswith("spam"):
            return "554 5.7.1 not this"
        if name.startswith("full") and nth(name) == 1:
            return "452 4.3.1 no room at the moment"
        if name.startswith("slow"):
            await asyncio.sleep(options.get("slow", 0) / 1000)
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"ops" and data.password == b"right"
    # Not handled: the server itself says no.
    return AuthResult(success=good, handled=False)


def protocol():
    context = None
    if options.get("certificate"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options["certificate"], options["key"])
    return SMTP(
        Handler(),
        hostname="mail.example",
        tls_context=context if not options.get("implicit") else None,
        require_starttls=bool(context) and not options.get("implicit"),
        authenticator=authenticate if options.get("auth") else None,
        auth_required=bool(options.get("auth")),
        auth_require_tls=False,
    )


async def main():
    context = None
    if options.get("implicit"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options["certificate"], options["key"])
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=context)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())

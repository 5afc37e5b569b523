import hashlib
import secrets
import ssl
import uuid
context = ssl.create_default_context()
assert context.verify_mode == ssl.CERT_REQUIRED and context.get_ca_certs() is not None
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
side = context.wrap_bio(incoming, outgoing, server_hostname="example.com")
try:
    side.do_handshake()
    raise AssertionError("nobody answered")
except ssl.SSLWantReadError:
    pass
assert outgoing.read()[:1] == b"\x16"
assert hashlib.scrypt(b"p", salt=b"s", n=16, r=8, p=1) and len(secrets.token_bytes(32)) == 32
assert uuid.uuid4() != uuid.uuid4() and uuid.uuid1()

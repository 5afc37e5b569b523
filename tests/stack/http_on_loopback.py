import http.server
import threading
import urllib.request
from xmlrpc.client import ServerProxy
from xmlrpc.server import SimpleXMLRPCServer

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"found " + self.path.encode())
    def log_message(self, *arguments):
        pass
server.RequestHandlerClass = Handler
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/here"
assert urllib.request.urlopen(url, timeout=10).read() == b"found /here"
server.shutdown()
calls = SimpleXMLRPCServer(("localhost", 0), logRequests=False)
calls.register_function(pow)
threading.Thread(target=calls.serve_forever, daemon=True).start()
assert ServerProxy(f"http://localhost:{calls.server_address[1]}").pow(2, 10) == 1024
calls.shutdown()

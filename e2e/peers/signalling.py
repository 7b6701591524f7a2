"""The HTTP side of a WHIP or WHEP peer, and what it tells the test that started it: JSON lines on standard output."""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT = 8  # seconds


def tell(event, **facts):
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")  # in one piece: threads tell at once
    sys.stdout.flush()


class Resource:
    """A session at the server: made by POST, patched while candidates come, deleted in the end."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.url = ""
        self.etag = ""

    def post(self, offer):
        """Returns the SDP answer. Ends the program when the server refuses."""
        began = time.monotonic()
        status, headers, body = request("POST", self.endpoint, offer, {"Content-Type": "application/sdp"})
        if status not in (200, 201):
            tell("refused", status=status, detail=body)
            sys.exit(2)
        self.url = urllib.parse.urljoin(self.endpoint, headers["Location"])
        self.etag = headers.get("ETag", "")
        elapsed = 1000 * (time.monotonic() - began)
        tell("answered", status=status, location=headers["Location"], milliseconds=elapsed, answer=body)
        return body

    def trickle(self, fragment):
        headers = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": self.etag}
        status, _, _ = request("PATCH", self.url, fragment, headers)
        tell("patched", status=status)

    def answer(self, sdp):
        """Answers a counter-offer."""
        status, _, _ = request("PATCH", self.url, sdp, {"Content-Type": "application/sdp"})
        tell("patched", status=status)

    def counter_offer(self):
        """Asks the server for its offer, which comes as a 406."""
        status, headers, body = request("POST", self.endpoint, "", {"Content-Type": "application/sdp"})
        if status != 406 or not headers["Content-Type"].startswith("application/sdp"):
            tell("refused", status=status, detail=body)
            sys.exit(2)
        self.url = urllib.parse.urljoin(self.endpoint, headers["Location"])
        tell("answered", status=status, location=headers["Location"], milliseconds=0, answer=body)
        return body

    def delete(self):
        if self.url:
            status, _, _ = request("DELETE", self.url, None, {})
            tell("deleted", status=status)


def request(method, url, body, headers):
    """Returns status, headers and body, whatever the status is."""
    data = None if body is None else body.encode()
    wish = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(wish, timeout=TIMEOUT) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read().decode()

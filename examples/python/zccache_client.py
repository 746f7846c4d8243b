#!/usr/bin/env python3
"""A zccache client in plain Python, written from docs/spec/ alone.

It shows each lane of the wire: v15 (bincode), v16 (protobuf) and FrameV1 (protobuf in an envelope).
Standard library only. Run it against a daemon:

    python3 zccache_client.py /path/to/daemon.sock
"""

import socket
import struct
import sys

MAX_LENGTH = 16 * 1024 * 1024  # docs/spec/wire.md#limits
REFUSAL = "protocol version mismatch: "  # docs/spec/wire.md#recognising-a-refusal


class WireError(Exception):
    """The daemon's bytes break a rule of docs/spec, or the connection ended."""


class Refused(Exception):
    """The daemon answered `Error`; `is_version` tells a version refusal."""

    def __init__(self, message):
        super().__init__(message)
        self.is_version = message.removeprefix("protocol error: ").startswith(REFUSAL)


# --- Frames (docs/spec/wire.md#frame, docs/spec/frame-v1.md#head) ---------------------------------


class Connection:
    """One connection to a daemon. A timeout or a broken rule makes it unusable."""

    def __init__(self, path, timeout=10.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.frames_sent = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_header_frame(self, version, body):
        if 4 + len(body) > MAX_LENGTH:
            raise ValueError(f"message too large: {4 + len(body)} bytes")
        self.socket.sendall(struct.pack("<II", 4 + len(body), version) + body)

    def send_envelope(self, envelope):
        if len(envelope) > MAX_LENGTH:
            raise ValueError(f"message too large: {len(envelope)} bytes")
        self.socket.sendall(struct.pack("<BI", 1, len(envelope)) + envelope)

    def receive(self):
        """Returns `(version, body)` of the next frame; the version of an envelope is None."""
        head = self._exactly(5)
        if head[0] == 1 and head[4] <= 1:  # docs/spec/wire.md#first-bytes
            (length,) = struct.unpack_from("<I", head, 1)
            self._check(length, 0)
            return None, self._exactly(length)
        length, version = struct.unpack("<II", head + self._exactly(3))
        self._check(length, 4)
        return version, self._exactly(length - 4)

    @staticmethod
    def _check(length, least):
        if not least <= length <= MAX_LENGTH:
            raise WireError(f"a frame of an illegal length: {length}")

    def _exactly(self, count):
        parts = []
        while count:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise WireError("the daemon closed the connection")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


# --- bincode (docs/spec/wire-v15.md) --------------------------------------------------------------


def u32(value):
    return struct.pack("<I", value)


def byte_string(value):
    return struct.pack("<Q", len(value)) + value


def text(value):
    return byte_string(value.encode())


def items(values):
    return struct.pack("<Q", len(values)) + b"".join(values)


class Reader:
    """Reads bincode values from a body, in order."""

    def __init__(self, body):
        self.body, self.at = body, 0

    def take(self, count):
        if count > len(self.body) - self.at:
            raise WireError("the body ends too early")
        self.at += count
        return self.body[self.at - count : self.at]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def i32(self):
        return struct.unpack("<i", self.take(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.take(8))[0]

    def byte_string(self):
        return self.take(self.u64())

    def text(self):
        return self.byte_string().decode()

    def artifact(self):
        outputs = []
        for _ in range(self.u64()):
            name, kind = self.text(), self.u32()
            if kind not in (0, 1):
                raise WireError(f"ArtifactPayload {kind} is not known")
            outputs.append((name, self.byte_string() if kind == 0 else self.text()))
        return outputs, self.byte_string(), self.byte_string(), self.i32()


# Request and Response variants, docs/spec/wire-v15.md#request and docs/spec/wire-v15.md#response.
PING, LOOKUP, STORE = 0, 3, 4
PONG, LOOKUP_RESULT, STORE_RESULT, ERROR = 0, 3, 4, 9


def v15_call(connection, body, expected, version=15):
    """Sends a request as bincode and returns a reader of the expected reply's fields."""
    connection.send_header_frame(version, body)
    number, reply = connection.receive()
    if number != version:
        raise refusal_on_another_lane(number, reply)
    reader = Reader(reply)
    variant = reader.u32()
    if variant == ERROR:
        raise Refused(reader.text())
    if variant != expected:
        raise WireError(f"reply {variant} to another request")
    return reader


def v15_ping(connection):
    v15_call(connection, u32(PING), PONG)


def v15_store(connection, key, outputs, stdout=b"", stderr=b"", exit_code=0):
    """Stores `outputs`, pairs of name and contents; returns whether the key was new."""
    files = [text(name) + u32(0) + byte_string(contents) for name, contents in outputs]
    artifact = items(files) + byte_string(stdout) + byte_string(stderr) + struct.pack("<i", exit_code)
    return v15_call(connection, u32(STORE) + text(key) + artifact, STORE_RESULT).u32() == 0


def v15_lookup(connection, key):
    """Returns `(outputs, stdout, stderr, exit_code)`, or None for a miss."""
    reader = v15_call(connection, u32(LOOKUP) + text(key), LOOKUP_RESULT)
    return reader.artifact() if reader.u32() == 0 else None


# --- protobuf (docs/spec/wire-v16.md, proto/zccache/v1/zccache_v1.proto) --------------------------


def varint(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field(number, value):
    """A field: an int as a varint, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """Yields `(number, value)` for each field of a message."""
    at = 0

    def next_varint():
        nonlocal at
        value = 0
        for shift in range(0, 70, 7):
            if at >= len(message):
                raise WireError("protobuf ends too early")
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise WireError("a varint is too long")

    while at < len(message):
        key = next_varint()
        if key & 7 == 0:
            yield key >> 3, next_varint()
            continue
        if key & 7 not in (1, 2, 5):
            raise WireError(f"wire type {key & 7}")
        length = next_varint() if key & 7 == 2 else {1: 8, 5: 4}[key & 7]
        if length > len(message) - at:
            raise WireError("protobuf ends too early")
        at += length
        yield key >> 3, message[at - length : at]


def message(member, contents, request_id):
    """A `Request`: its member, and the inner id in field 100."""
    return field(member, contents) + field(100, request_id.encode())


def parse_message(body):
    """Returns the member's number, its contents and the inner id of a `Response`."""
    member, contents, request_id = None, b"", ""
    for number, value in fields(body):
        if number == 100:
            request_id = value.decode()
        elif isinstance(value, bytes) and number < 100:
            member, contents = number, value
    return member, contents, request_id


def error_text(contents):
    return b"".join(value for number, value in fields(contents) if number == 1).decode()


def answered(member, contents, expected):
    if member == 10:  # Response.error
        raise Refused(error_text(contents))
    if member != expected:
        raise WireError(f"reply {member} to another request")
    return contents


def v16_call(connection, member, contents, expected, request_id, version=16):
    connection.send_header_frame(version, message(member, contents, request_id))
    number, body = connection.receive()
    if number != version:
        raise refusal_on_another_lane(number, body)
    member, contents, echoed = parse_message(body)
    # docs/spec/wire.md#request-ids: only a request that was turned away unread has no ids.
    if echoed != request_id and not (member in (10, 17) and not echoed):
        raise WireError(f"the reply is to {echoed!r}")
    return answered(member, contents, expected)


def v16_ping(connection):
    v16_call(connection, 1, b"", 1, "control-ping")


# --- FrameV1 (docs/spec/frame-v1.md) --------------------------------------------------------------

PAYLOAD_PROTOCOL = 0x7A63


def parse_envelope(envelope):
    """Returns payload and `request_id` after the checks of docs/spec/frame-v1.md#checks."""
    values = {1: 0, 2: 0, 3: 0, 4: b"", 5: 0, 6: 0}
    values.update(fields(envelope))
    if values[1] != 1 or values[3] != PAYLOAD_PROTOCOL or values[2] not in (0, 1) or values[6] != 0:
        raise WireError("not an envelope of zccache")
    return values[4], values[5]


def frame_v1_call(connection, member, contents, expected, request_id):
    connection.frames_sent += 1
    frame_id = connection.frames_sent
    payload = message(member, contents, request_id)
    connection.send_envelope(
        field(1, 1) + field(3, PAYLOAD_PROTOCOL) + field(4, payload) + field(5, frame_id)
    )
    number, envelope = connection.receive()
    if number is not None:
        raise refusal_on_another_lane(number, envelope)
    payload, echoed_frame = parse_envelope(envelope)
    member, contents, echoed = parse_message(payload)
    unread = member in (10, 17) and not echoed and not echoed_frame
    if (echoed, echoed_frame) != (request_id, frame_id) and not unread:
        raise WireError(f"the reply is to {echoed!r} and frame {echoed_frame}")
    return answered(member, contents, expected)


def frame_v1_ping(connection):
    frame_v1_call(connection, 1, b"", 1, "control-ping")


# --- Refusals (docs/spec/wire.md#how-a-refusal-is-framed) -----------------------------------------

BINCODE, PROTOBUF = (15, 17, 18, 23), (16, 19, 24)  # docs/spec/wire.md#version-numbers


def refusal_on_another_lane(number, body):
    """Makes the exception for a frame that is not on the lane of the request: only `Error` may come so."""
    if number in BINCODE:
        reader = Reader(body)
        if reader.u32() == ERROR:
            return Refused(reader.text())
    elif number is None or number in PROTOBUF:
        member, contents, _ = parse_message(body if number else parse_envelope(body)[0])
        if member == 10:
            return Refused(error_text(contents))
    return WireError(f"a reply of version {number} to another lane")


# --- A tour ---------------------------------------------------------------------------------------


def main(path):
    with Connection(path) as connection:
        v15_ping(connection)
        print("v15 ping: pong")
        v16_ping(connection)
        print("v16 ping: pong, on the same connection")
        frame_v1_ping(connection)
        print("FrameV1 ping: pong, on the same connection")

        outputs = [("main.o", b"\x7fELF"), ("main.d", b"main.o: main.c\n")]
        new = v15_store(connection, "python-example", outputs, stderr=b"warning: example\n")
        print("store:", "stored" if new else "the key was in use")
        found = v15_lookup(connection, "python-example")
        assert found == (outputs, b"", b"warning: example\n", 0), found
        print("lookup: hit,", len(found[0]), "outputs")
        assert v15_lookup(connection, "python-example, but absent") is None
        print("lookup of another key: miss")

    with Connection(path) as connection:
        try:
            v16_call(connection, 1, b"", 1, "control-ping", version=99)
            raise WireError("version 99 was served")
        except Refused as refused:
            if not refused.is_version:
                raise
            print("version 99: refused:", refused)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

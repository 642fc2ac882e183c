"""Reads protobuf's wire format and our spool without the code under test.

A message becomes {field number: [values]}: integers, 8-byte floats, bytes. Field numbers are those of
proto/ddl/v1/events.proto.
"""

import pathlib
import struct

EVENT_SEQ, EVENT_STARTED, EVENT_STEP, EVENT_CHECKPOINT, EVENT_EXITED = 1, 3, 4, 5, 8
STEP_STEP, STEP_TOKENS, STEP_SAMPLES = 1, 2, 5
STARTED_PID, STARTED_RESUMED_STEP = 1, 7
SPOOL_HEADER = struct.Struct("<III")  # Length, CRC32C of the payload, CRC32C of those two.


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def decode(data):
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        elif kind == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            raise ValueError(f"wire type {kind} at {at}")
        fields.setdefault(number, []).append(value)
    return fields


def crc32c(data):
    """Bit by bit from the polynomial: slow and plain, for headers."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def spool(path):
    """The whole records of a spool, decoded; a torn tail is left out, a damaged header an error."""
    try:
        data = pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        return []
    events, at = [], 0
    while at + SPOOL_HEADER.size <= len(data):
        size, _, header_sum = SPOOL_HEADER.unpack_from(data, at)
        if crc32c(data[at:at + 8]) != header_sum:
            raise ValueError(f"{path}: the header at offset {at} is damaged")
        end = at + SPOOL_HEADER.size + size
        if end > len(data):
            break
        events.append(decode(data[at + SPOOL_HEADER.size:end]))
        at = end
    return events


def last_step(path):
    """Step of the last StepRecord in a spool; 0 before the first."""
    step = 0
    for event in spool(path):
        for record in event.get(EVENT_STEP, ()):
            step = max(step, decode(record).get(STEP_STEP, [0])[0])
    return step


def checkpoints(path):
    """Steps of the checkpoints that the rank of this spool has prepared."""
    return [decode(event[EVENT_CHECKPOINT][0]).get(STEP_STEP, [0])[0]
            for event in spool(path) if EVENT_CHECKPOINT in event]

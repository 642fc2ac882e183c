"""Reads protobuf's wire format and our spool without the code under test.

A message becomes {field number: [values]}: integers, 8-byte floats, bytes. Field numbers are those of
proto/ddl/v1/events.proto.
"""

import pathlib
import struct

EVENT_SEQ, EVENT_STARTED, EVENT_STEP, EVENT_CHECKPOINT, EVENT_EXITED = 1, 3, 4, 5, 8
STEP_STEP, STEP_TOKENS, STEP_SAMPLES = 1, 2, 5
STARTED_PID, STARTED_RESUMED_STEP = 1, 7


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


def spool(path):
    """The whole records of a spool, decoded; a torn tail is left out."""
    try:
        data = pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        return []
    events, at = [], 0
    while at + 8 <= len(data):
        size = struct.unpack_from("<I", data, at)[0]
        if at + 8 + size > len(data):
            break
        events.append(decode(data[at + 8:at + 8 + size]))
        at += 8 + size
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

"""CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of TensorBoard's records."""

from __future__ import annotations

import numpy as np

_POLYNOMIAL = 0x82F63B78  # its bits reflected
_LANE = 64  # bytes of a lane
_MANY = 1500  # bytes from which lanes are faster


def masked(content: bytes) -> int:
    """The checksum as records have it: turned by 15 bits, and a constant added."""
    crc = crc32c(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(content: bytes) -> int:
    """The checksum of some bytes.

    Python's loop over bytes takes a quarter of a second per MB, so that many of them are summed in
    lanes side by side. The checksum is linear: that of two parts, one after the other, is that of
    the first, moved past as many zero bytes as the second has, plus (xor) that of the second.
    """
    if len(content) < _MANY:
        crc = 0xFFFFFFFF
        for byte in content:
            crc = _ENTRIES[(crc ^ byte) & 0xFF] ^ crc >> 8
        return crc ^ 0xFFFFFFFF
    lanes = 1 << max(0, (len(content) - 1) // _LANE).bit_length()
    padded = np.zeros(lanes * _LANE, "uint8")  # zero bytes in front change nothing
    padded[-len(content) :] = np.frombuffer(content, "uint8")
    padded[-len(content) :][:4] ^= 0xFF  # as if it began with a state of ones
    state = np.zeros(lanes, "uint32")
    for column in padded.reshape(lanes, _LANE).T:
        state = _step(state ^ column)
    move = _MOVE_LANE
    while len(state) > 1:
        state = _moved(move, state[::2]) ^ state[1::2]
        move = _moved(move, move)
    return int(state[0]) ^ 0xFFFFFFFF


def _step(state: np.ndarray) -> np.ndarray:
    """What becomes of states, into which a byte has been added, when they move past it."""
    return _TABLE[state & 0xFF] ^ (state >> 8)


def _moved(move: np.ndarray, state: np.ndarray) -> np.ndarray:
    """States times the matrix of a move, whose columns are what becomes of each bit alone."""
    return np.bitwise_xor.reduce(np.where(state[:, None] >> _BITS & 1, move, 0), axis=1)


_BITS = np.arange(32, dtype="uint32")
_TABLE = np.arange(256, dtype="uint32")
for _ in range(8):
    _TABLE = np.where(_TABLE & 1, _TABLE >> 1 ^ np.uint32(_POLYNOMIAL), _TABLE >> 1)
_ENTRIES = _TABLE.tolist()
_MOVE_LANE = np.uint32(1) << _BITS
for _ in range(_LANE):
    _MOVE_LANE = _step(_MOVE_LANE)

"""A disk that loses at a power cut what was not flushed, as a real one may.

    python3 disk.py FOLDER

shows the disk as the file `disk` in FOLDER, through the kernel's FUSE, for a loop device to make a block device of. What is
written goes into a cache. A FLUSH of the block layer, which is what an `fsync` in ext4 comes down to, arrives here as an
FSYNC of the file, and carries the cache over to what lasts. Standard input gives the orders, one a line, each answered by
`ok`: `plug` shows the disk and gives it power, `cut` takes the power, `unplug` shows it no more. At its end all is over.

The protocol is that of Linux's `include/uapi/linux/fuse.h`, in the version 7.31.
"""

import ctypes
import os
import struct
import sys
import threading

SIZE = 512 << 20
BLOCK = 4096
MOST = 128 << 10  # in one write
ROOT, FILE = 1, 2
LOOKUP, FORGET, GETATTR, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSH, INIT = 1, 2, 3, 14, 15, 16, 18, 20, 25, 26
ENOENT, ENOSYS = 2, 38
DETACH = 2

libc = ctypes.CDLL(None, use_errno=True)


class Platter:
    def __init__(self):
        self.lasting, self.cached, self.has_power = {}, {}, False

    def read(self, offset, size):
        first, last = offset // BLOCK, -(-(offset + size) // BLOCK)
        blocks = (self.cached.get(at) or self.lasting.get(at) or bytes(BLOCK) for at in range(first, last))
        return b"".join(blocks)[offset % BLOCK :][:size]

    def write(self, offset, data):
        """Without power, nothing comes of it."""
        if not self.has_power:
            return
        begin = offset - offset % BLOCK
        end = -(-(offset + len(data)) // BLOCK) * BLOCK
        data = self.read(begin, offset - begin) + data + self.read(offset + len(data), end - offset - len(data))
        for place in range(0, len(data), BLOCK):
            self.cached[(begin + place) // BLOCK] = data[place : place + BLOCK]

    def flush(self):
        self.lasting |= self.cached
        self.cached = {}

    def cut(self):
        self.has_power = False
        self.cached = {}


def attributes(node):
    mode, size = (0o100600, SIZE) if node == FILE else (0o040700, 0)
    return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, BLOCK, 0)


def answer(platter, operation, node, body):
    """The error and the bytes that the kernel gets; None where it waits for nothing."""
    if operation == INIT:
        return 0, struct.pack("<IIIIHHIIHH8I", 7, 31, MOST, 0, 16, 12, MOST, 1, 0, 0, *[0] * 8)[:64]
    if operation == LOOKUP:
        if body.rstrip(b"\0") != b"disk":
            return ENOENT, b""
        return 0, struct.pack("<4Q2I", FILE, 0, 3600, 3600, 0, 0) + attributes(FILE)
    if operation == GETATTR:
        return 0, struct.pack("<QII", 3600, 0, 0) + attributes(node)
    if operation == OPEN:
        return 0, struct.pack("<QII", 0, 0, 0)
    if operation == READ:
        _, offset, size = struct.unpack_from("<QQI", body)
        return 0, platter.read(offset, max(0, min(size, SIZE - offset)))
    if operation == WRITE:
        _, offset, size = struct.unpack_from("<QQI", body)
        platter.write(offset, body[40 : 40 + size])
        return 0, struct.pack("<II", size, 0)
    if operation == FSYNC:
        platter.flush()
        return 0, b""
    if operation in (RELEASE, FLUSH):
        return 0, b""
    return None if operation == FORGET else (ENOSYS, b"")


def serve(device, platter, lock):
    while True:
        try:
            message = os.read(device, MOST + 4096)
        except OSError:
            return os.close(device)  # It was unplugged.
        _, operation, unique, node = struct.unpack_from("<IIQQ", message)
        with lock:
            answered = answer(platter, operation, node, message[40:])
        if answered is not None:
            error, body = answered
            os.write(device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def plug(folder, platter, lock):
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    check(libc.mount(b"disk", folder.encode(), b"fuse.disk", 0, options.encode()))
    platter.has_power = True
    threading.Thread(target=serve, args=(device, platter, lock), daemon=True).start()


def obey(order, folder, platter, lock):
    if order == "plug":
        plug(folder, platter, lock)
    elif order == "cut":
        with lock:
            platter.cut()
    else:
        check(libc.umount2(folder.encode(), 0))


def main(folder):
    platter, lock = Platter(), threading.Lock()
    for order in sys.stdin:
        try:
            obey(order.strip(), folder, platter, lock)
            print("ok", flush=True)
        except OSError as error:
            print(error, flush=True)
    libc.umount2(folder.encode(), DETACH)


if __name__ == "__main__":
    main(sys.argv[1])

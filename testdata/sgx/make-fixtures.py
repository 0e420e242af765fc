#!/usr/bin/env python3
"""Writes the stand-in PALs, manifests and expected.tsv of this folder.

The expected values come from the few lines below, written apart from the program after the Intel
SDM (vol. 3D: ECREATE, EADD, EEXTEND, SIGSTRUCT) and Gramine's layout, page by page and without any
of the program's short cuts; the signature from the openssl command.
"""
import hashlib
import pathlib
import struct
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
KEY = HERE.parent / 'sign' / 'sgx-pkcs1.pem'
PAGE = 4096
R, W, X = 4, 2, 1


def elf(segments, entry):
    """segments: (offset, vaddr, content, memory size, flags), in program header order."""
    end = max(offset + len(content) for offset, _, content, _, _ in segments)
    out = bytearray(max(end, 64 + 56 * len(segments)))
    for offset, _, content, _, _ in segments:
        out[offset:offset + len(content)] = content
    out[:64] = struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\2\1\1', 3, 62, 1, entry, 64, 0, 0,
                           64, 56, len(segments), 0, 0, 0)
    for i, (offset, vaddr, content, memory, flags) in enumerate(segments):
        out[64 + 56 * i:120 + 56 * i] = struct.pack(
            '<IIQQQQQQ', 1, flags, offset, vaddr, vaddr, len(content), memory, PAGE)
    return bytes(out)


def noise(label, size):
    out = b''
    while len(out) < size:
        out += hashlib.sha256(f'{label} {len(out)}'.encode()).digest()
    return out[:size]


# What each PAL is for stands in README.md. The first segment of a PAL that covers the headers is
# long enough to hold them: they are part of what is measured.
PALS = {
    'plain.so': elf([(0, 0, noise('p0', 400), 400, R), (0x1000, 0x1000, noise('p1', 300), 300, R | X),
                     (0x1e00, 0x2e00, noise('p2', 700), 9000, R | W)], 0x1010),
    'holes.so': elf([(0, 0, noise('h0', 5000), 5000, R | X),
                     (0x1400, 0x8400, noise('h1', 100), 100, R),
                     (0x1500, 0x13500, b'', 0x5000, R | W)], 0x200),
    'shared-page.so': elf([(0, 0, noise('s0', 0x900), 0x900, R | X),
                           (0x900, 0x900, noise('s1', 0x300), 0x1800, R | W)], 0x300),
    'fixed-address.so': elf([(0, 0x400000, noise('f0', 600), 600, R | X),
                             (0x1000, 0x402000, noise('f1', 600), 5000, R | W)], 0x400100),
}

BASE = '''libos.entrypoint = "/app"
loader.entrypoint.uri = "file:/gramine/libsysdb.so"
loader.entrypoint.sha256 = "%s"
loader.argv = ["app"]
fs.mounts = []
''' % ('ab' * 32)


def sized(text, size):
    return text + '#' + 'x' * (size - len(text) - 1)


# name: (pal, manifest, enclave size, threads, edmm, SIGSTRUCT differences)
CASES = {
    'defaults': ('plain.so', BASE, 256 << 20, 4, False, {}),
    'edmm': ('plain.so', BASE + 'sgx.edmm_enable = true\nsgx.max_threads = 1\n', 1 << 40, 1, True, {}),
    'hex-size': ('plain.so', BASE + 'sgx.enclave_size = "0x4000K"\nsgx.max_threads = 2\n'
                 'sgx.isvprodid = 65535\nsgx.isvsvn = 7\n', 16 << 20, 2, False,
                 {'prodid': 65535, 'svn': 7}),
    'not-a-power-of-two': ('plain.so', BASE + 'sgx.enclave_size = "300M"\n', 300 << 20, 4, False, {}),
    'no-threads': ('plain.so', BASE + 'sgx.enclave_size = "1M"\nsgx.max_threads = 0\n', 1 << 20, 0,
                   False, {}),
    'many-threads': ('holes.so', BASE + 'sgx.edmm_enable = true\nsgx.max_threads = 100\n', 1 << 40,
                     100, True, {}),
    'holes': ('holes.so', BASE + 'sgx.enclave_size = "4M"\n', 4 << 20, 4, False, {}),
    'shared-page': ('shared-page.so', BASE + 'sgx.enclave_size = "4M"\n', 4 << 20, 4, False, {}),
    'fixed-address': ('fixed-address.so', BASE + 'sgx.enclave_size = "16M"\n', 16 << 20, 4, False, {}),
    'fixed-address-edmm': ('fixed-address.so', BASE + 'sgx.enclave_size = "16M"\n'
                           'sgx.edmm_enable = true\n', 16 << 20, 4, True, {}),
    'manifest-4095': ('plain.so', sized(BASE + 'sgx.enclave_size = "4M"\n', 4095), 4 << 20, 4, False, {}),
    'manifest-4096': ('plain.so', sized(BASE + 'sgx.enclave_size = "4M"\n', 4096), 4 << 20, 4, False, {}),
    'attributes': ('plain.so', BASE + 'sgx.enclave_size = "4M"\nsgx.debug = true\n'
                   'sgx.use_exinfo = true\nsgx.cpu_features.avx512 = "required"\n'
                   'sgx.cpu_features.amx = "disabled"\nsgx.cpu_features.mpx = "required"\n',
                   4 << 20, 4, False,
                   {'flags': 6, 'xfrm': 0xff, 'xfrm_mask': 0xffffffffffffffff, 'misc': 1}),
}


def up(value):
    return -(-value // PAGE) * PAGE


def headers(pal):
    count = struct.unpack_from('<H', pal, 56)[0]
    for i in range(count):
        kind, flags, offset, vaddr, _, filesz, memsz, _ = struct.unpack_from('<IIQQQQQQ', pal, 64 + 56 * i)
        assert kind == 1
        yield offset, vaddr, filesz, memsz, flags


def pages_of(pal, manifest, size, threads, edmm):
    """(offset, secinfo, content or None when not measured), in order."""
    reg, rw = 0x200, 3
    heap_min, frame, frames, stack_size, sig_size = 0x10000, 0x4000, 2, 0x40000, 0x10000
    top = size

    def take(n):
        nonlocal top
        top -= n
        assert top >= heap_min, 'too small'
        return top

    text = manifest + b'\0'
    manifest_at = take(up(len(text)))
    ssa = take(threads * frame * frames)
    tcs = take(threads * PAGE)
    tls = take(threads * PAGE)
    stacks = [take(stack_size) for _ in range(threads)]
    sigs = [take(sig_size) for _ in range(threads)]
    low = min(v // PAGE * PAGE for _, v, _, _, _ in headers(pal))
    high = max(up(v + m) for _, v, _, m, _ in headers(pal))
    pal_at = low if low else take(high - low)
    entry = struct.unpack_from('<Q', pal, 24)[0]

    for i in range(0, up(len(text)), PAGE):
        yield manifest_at + i, reg | 1, text[i:i + PAGE]
    for i in range(ssa, ssa + threads * frame * frames, PAGE):
        yield i, reg | rw, b''
    for t in range(threads):
        page = bytearray(PAGE)
        struct.pack_into('<Q', page, 16, ssa + t * frame * frames)
        struct.pack_into('<I', page, 28, frames)
        struct.pack_into('<Q', page, 32, pal_at + entry)
        struct.pack_into('<Q', page, 56, tls + t * PAGE)
        struct.pack_into('<II', page, 64, 0xfff, 0xfff)
        yield tcs + t * PAGE, 0x100, bytes(page)
    for t in range(threads):
        page = bytearray(PAGE)
        frame_at = ssa + t * frame * frames
        for at, value in ((0, tls + t * PAGE), (8, 0xbadbadbadbad), (0x110, size),
                          (0x118, tcs + t * PAGE), (0x120, stacks[t] + stack_size),
                          (0x130, sigs[t]), (0x138, sigs[t] + sig_size), (0x148, frame_at),
                          (0x150, frame_at + frame - 0xb8), (0x1a0, len(text)),
                          (0x1a8, heap_min), (0x1b0, pal_at)):
            struct.pack_into('<Q', page, at, value)
        yield tls + t * PAGE, reg | rw, bytes(page)
    for base, length in [(s, stack_size) for s in stacks] + [(s, sig_size) for s in sigs]:
        for i in range(base, base + length, PAGE):
            yield i, reg | rw, b''
    for offset, vaddr, filesz, memsz, flags in headers(pal):
        memory = bytes(vaddr % PAGE) + pal[offset:offset + filesz]
        secinfo = reg | (1 if flags & R else 0) | (2 if flags & W else 0) | (4 if flags & X else 0)
        start = vaddr // PAGE * PAGE
        for i in range(start, up(vaddr + memsz), PAGE):
            yield pal_at - low + i, secinfo, memory[i - start:i - start + PAGE]
    if edmm:
        return
    gaps = [(heap_min, top)] if not low else [(pal_at + high - low, top), (heap_min, pal_at)]
    for start, end in gaps:
        for i in range(start, end, PAGE):
            yield i, reg | 7, None


def mrenclave(pal, manifest, size, threads, edmm):
    sha = hashlib.sha256(struct.pack('<8sIQ44x', b'ECREATE', 4, size))
    for offset, secinfo, content in pages_of(pal, manifest, size, threads, edmm):
        sha.update(struct.pack('<8sQQ40x', b'EADD', offset, secinfo))
        if content is None:
            continue
        content = content.ljust(PAGE, b'\0')
        for i in range(0, PAGE, 256):
            sha.update(struct.pack('<8sQ48x', b'EEXTEND', offset + i) + content[i:i + 256])
    return sha.digest()


def openssl(*args, data=None):
    return subprocess.run(['openssl', *args], input=data, capture_output=True, check=True).stdout


def sigstruct(measurement, prodid=0, svn=0, flags=4, xfrm=3, xfrm_mask=0xfffffffffff9ff1b, misc=0):
    out = bytearray(1808)
    out[0:44] = (bytes.fromhex('06000000e10000000000010000000000') + bytes(4) +
                 struct.pack('<I', 0x20240102) + bytes.fromhex('01010000600000006000000001000000') +
                 bytes(4))
    struct.pack_into('<II', out, 900, misc, 0xffffffff)
    struct.pack_into('<QQQQ', out, 928, flags, xfrm, 0xffffffffffffffff, xfrm_mask)
    out[960:992] = measurement
    struct.pack_into('<HH', out, 1024, prodid, svn)
    data = bytes(out[:128] + out[900:1028])
    signature = openssl('dgst', '-sha256', '-sign', str(KEY), data=data)
    modulus = openssl('rsa', '-in', str(KEY), '-noout', '-modulus').split(b'=')[1].strip()
    n, s = int(modulus, 16), int.from_bytes(signature, 'big')
    for at, number in ((128, n), (516, s), (1040, s * s // n), (1424, s * s % n * s // n)):
        out[at:at + 384] = number.to_bytes(384, 'little')
    struct.pack_into('<I', out, 512, 3)
    return bytes(out)


def main():
    for name, content in PALS.items():
        (HERE / name).write_bytes(content)
    rows = ['# case\tpal\tmrenclave\tsha256 of the SIGSTRUCT of 2024-01-02 signed with ../sign/sgx-pkcs1.pem']
    for name, (pal, manifest, size, threads, edmm, differences) in CASES.items():
        (HERE / f'{name}.manifest.sgx').write_text(manifest)
        value = mrenclave(PALS[pal], manifest.encode(), size, threads, edmm)
        signed = hashlib.sha256(sigstruct(value, **differences)).hexdigest()
        rows.append(f'{name}\t{pal}\t{value.hex()}\t{signed}')
    (HERE / 'expected.tsv').write_text('\n'.join(rows) + '\n')


if __name__ == '__main__':
    main()

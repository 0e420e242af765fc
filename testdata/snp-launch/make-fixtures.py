#!/usr/bin/env python3
"""A firmware of two pages, kernel and initrd, and what a second, plain implementation of the launch
digests says of them. Run with vectors.json beside it, it first checks itself against those."""
import hashlib
import json
import os
import struct
import uuid

here = os.path.dirname(os.path.abspath(__file__))
COMMAND_LINE = "console=ttyS0 panic=-1 cloister.test=1"
SIGNATURES = {"EPYC-v4": 0x800F12, "EPYC-Rome": 0x830F10, "EPYC-Milan": 0xA00F11,
              "EPYC-Genoa": 0xA10F10, "EPYC-Turin": 0xB00F00}
# Hashes before the last memory of the first phase, as older builds have it, and an empty section.
SECTIONS = [(0x800000, 0x2000, 1), (0x80D000, 0x1000, 2), (0x80E000, 0x1000, 3), (0, 0, 4),
            (0x810000, 0x1000, 0x10), (0x811000, 0x3000, 1), (0x80F000, 0x1000, 4)]
AP_EIP, HASHES = 0x80B004, 0x810C00


def guid(text):
    return uuid.UUID(text).bytes_le


def entry(name, data):
    return data + struct.pack("<H", len(data) + 18) + guid(name)


def firmware():
    page = bytes(range(256)) * 16
    metadata = struct.pack("<4sIII", b"ASEV", 16 + 12 * len(SECTIONS), 1, len(SECTIONS))
    metadata += b"".join(struct.pack("<III", *section) for section in SECTIONS)
    table = entry("11111111-2222-3333-4444-555555555555", b"of another")
    table += entry("dc886566-984a-4798-a75e-5585a7bf67cc", struct.pack("<I", 0x1000))
    table += entry("7255371f-3a3b-4b04-927b-1da6efa8d454", struct.pack("<II", HASHES, 0x400))
    table += entry("00f771de-1a7e-4fcb-890e-68c77e2fb44e", struct.pack("<I", AP_EIP))
    table += struct.pack("<H", len(table) + 18) + guid("96b582de-1fb2-45f7-baea-a366c55a082d")
    vector = b"\x90" * 30 + b"\xeb\xfe"
    return page + metadata + bytes(4096 - len(metadata) - len(table) - 32) + table + vector


def vmsa(eip, signature, features, vmm):
    cs, ss, tr, pat, rdx, mxcsr, fcw = 0x9B, 0x93, 0x8B, 0x7040600070406, signature, 0x1F80, 0x37F
    if vmm != "qemu":
        rdx, mxcsr, fcw = 0x600, 0, 0
    if vmm == "ec2":
        cs, ss, tr = 0x9A if eip == 0xFFFFFFF0 else 0x9B, 0x92, 0x83
    if vmm == "gce":
        pat = 0x70106
    page = bytearray(4096)
    for at, selector, attributes, base in (
            (0, 0, 0x93, 0), (0x10, 0xF000, cs, eip & 0xFFFF0000), (0x20, 0, ss, 0), (0x30, 0, 0x93, 0),
            (0x40, 0, 0x93, 0), (0x50, 0, 0x93, 0), (0x60, 0, 0, 0), (0x70, 0, 0x82, 0), (0x80, 0, 0, 0),
            (0x90, 0, tr, 0)):
        struct.pack_into("<HHIQ", page, at, selector, attributes, 0xFFFF, base)
    for at, value in ((0xD0, 0x1000), (0x148, 0x40), (0x158, 0x10), (0x160, 0x400), (0x168, 0xFFFF0FF0),
                      (0x170, 2), (0x178, eip & 0xFFFF), (0x268, pat), (0x310, rdx), (0x3B0, features),
                      (0x3E8, 1)):
        struct.pack_into("<Q", page, at, value)
    struct.pack_into("<I", page, 0x408, mxcsr)
    struct.pack_into("<H", page, 0x410, fcw)
    return bytes(page)


def table(kernel, initrd, command_line):
    out = guid("9438d606-4f22-4cc9-b479-a793d411fd21") + struct.pack("<H", 168)
    for name, digest in (("97d02dd8-bd20-4c94-aa78-e7714d36ab2a", hashlib.sha256(command_line.encode() + b"\0").digest()),
                         ("44baf731-3a2f-4bd7-9af1-41e29169781d", initrd),
                         ("4de79437-abd2-427f-b835-d5b172d2045b", kernel)):
        out += guid(name) + struct.pack("<H", 50) + digest
    return out.ljust(176, b"\0")


def update(digest, kind, gpa, page=None):
    content = hashlib.sha384(page).digest() if page is not None else bytes(48)
    info = digest + content + struct.pack("<HBBBBBBQ", 0x70, kind, 0, 0, 0, 0, 0, gpa)
    return hashlib.sha384(info).digest()


def of_firmware(image):
    digest = bytes(48)
    for at in range(0, len(image), 4096):
        digest = update(digest, 1, (1 << 32) - len(image) + at, image[at:at + 4096])
    return digest


def snp(digest, sections, hashes, vcpus, signature, features, vmm):
    late = [s for s in sections if vmm == "ec2" and s[2] == 3]
    for gpa, size, kind in [s for s in sections if s not in late] + late:
        if kind == 0x10 and hashes and size:
            page = bytearray(4096)
            page[HASHES & 0xFFF:(HASHES & 0xFFF) + 176] = hashes
            digest = update(digest, 1, gpa, bytes(page))
            continue
        kind = {1: 4 if vmm == "gce" else 3, 2: 5, 3: 6}.get(kind, 3)
        for at in range(gpa, gpa + size, 4096):
            digest = update(digest, kind, at)
    for i in range(vcpus):
        page = vmsa(0xFFFFFFF0 if i == 0 else AP_EIP, signature, features, vmm)
        digest = update(digest, 2, 0xFFFFFFFFF000, page)
    return digest


def check_self(known):
    real = [(0x800000, 0x9000, 1), (0x80A000, 0x3000, 1), (0x80D000, 0x1000, 2), (0x80E000, 0x1000, 3),
            (0x80F000, 0x1000, 4), (0x811000, 0x1F000, 1), (0x810000, 0x1000, 0x10)]
    kernel, initrd = (bytes.fromhex(known["inputs"][n]["sha256"]) for n in ("kernel.bin", "initrd.bin"))
    for case in known["snp"]:
        if case["ovmf"] != "amdsev" or case["files"] == "debian":
            continue
        hashes = None if case["files"] == "none" else table(kernel, initrd, case["cmdline"])
        got = snp(bytes.fromhex(known["page_hashes"]["OVMF.amdsev.fd"]), real, hashes, case["vcpus"],
                  int(case["sig"], 16), int(case["guest_features"], 16), case["vmm"].lower())
        assert got.hex() == case["digest"], case


def write(name, data):
    with open(os.path.join(here, name), "wb") as file:
        file.write(data)


def main():
    with open(os.path.join(here, "vectors.json")) as file:
        check_self(json.load(file))
    image, kernel, initrd = firmware(), b"cloister-test-kernel\n" * 500, b"cloister-test-initrd\n" * 300
    write("firmware.bin", image)
    write("kernel.bin", kernel)
    write("initrd.bin", initrd)
    hashes = table(hashlib.sha256(kernel).digest(), hashlib.sha256(initrd).digest(), COMMAND_LINE)
    lines = ["# kind\tvmm\tmodel\tfeatures\tvcpus\tkernel\tdigest"]
    for vmm in ("qemu", "ec2", "gce"):
        for model, features in (("EPYC-v4", 1), ("EPYC-Turin", 0x21)):
            for vcpus in (1, 2, 3, 64):
                for kernel_name, used in (("none", None), ("test", hashes)):
                    digest = snp(of_firmware(image), SECTIONS, used, vcpus, SIGNATURES[model], features, vmm)
                    lines.append(f"snp\t{vmm}\t{model}\t{features:#x}\t{vcpus}\t{kernel_name}\t{digest.hex()}")
    for vcpus in (0, 1, 2):
        pages = b"".join(vmsa(0xFFFFFFF0 if i == 0 else AP_EIP, SIGNATURES["EPYC-v4"], 0, "qemu") for i in range(vcpus))
        digest = hashlib.sha256(image + hashes + pages).hexdigest()
        kind = "sev-es" if vcpus else "sev"
        lines.append(f"{kind}\tqemu\tEPYC-v4\t0x0\t{vcpus}\ttest\t{digest}")
    write("expected.tsv", ("\n".join(lines) + "\n").encode())


main()

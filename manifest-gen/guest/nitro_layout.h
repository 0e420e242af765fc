// The root file systems that AWS's first process of an enclave expects
// (aws-nitro-enclaves-sdk-bootstrap, init/init.c; aws-nitro-enclaves-cli, enclave_build). It says
// to nitro-cli that it runs, reads /cmd and /env, makes /rootfs its root, mounts there what
// container runtimes mount, and starts the program.
//
// We make three ramdisks where nitro-cli makes two: /cmd and /env are in one of their own, the
// last. A kernel that runs out of memory while it unpacks them goes on with what it has, and how
// much memory an enclave has is not measured. So whatever of /rootfs is missing, /cmd is missing
// too, and without it the first process ends, and the enclave with it.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/spool.h"
#include "manifest-gen/guest/guest_plan.h"
#include "manifest-gen/guest/guest_tree.h"

namespace cloister::manifest {

// What AWS gives and nobody else may: the user brings it along.
struct NitroBoot {
  ByteView init;  // the program `init`
  ByteView nsm;   // nsm.ko of the same kernel; empty where that has it built in (Linux 6.8 on)
};

// What a plan becomes with this first process: root runs the program, by its path, in /; nothing is
// read-only, everything in memory; there is no network, nor a name of the machine, and nobody sends
// a signal or sets a clock.
struct NitroPlan {
  GuestPlan plan;
  // What the image wants otherwise.
  bool ignores_user = false, ignores_workdir = false;
};
NitroPlan nitro_plan(GuestPlan plan);

struct NitroLayout {
  GuestTree boot;   // the first ramdisk, in PCR1: /init, /dev, /nsm.ko
  GuestTree root;   // the second, in PCR2 like the next: /rootfs
  GuestTree start;  // the third: /cmd, /env
};

// `root` is the program's root, of which entries are moved; contents that come along are appended
// to `spool`, in which those of `root` lie. `unsupported` for arguments and variables with a line
// feed, which /cmd and /env cannot express, and for a file where a mount point has to be.
// REQUIRES: nitro_plan() made the plan.
Result<NitroLayout> nitro_layout(const GuestPlan& plan, GuestTree root, const NitroBoot& boot,
                                 FileSpool& spool);

}  // namespace cloister::manifest

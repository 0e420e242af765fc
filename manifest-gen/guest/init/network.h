// The guest's network: loopback, and the first Ethernet interface by DHCP or by the kernel command
// line (ip=, as in the kernel's own nfsroot.txt: it is measured, what DHCP says is not).
#pragma once

#include "manifest-gen/guest/init/guest.h"

// A name server is written to `resolv_conf`, an open file, when it is known. While the guest runs,
// a process keeps the lease.
void configure_network(const struct guest* guest, int resolv_conf);

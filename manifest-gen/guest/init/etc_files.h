// /etc/hosts, /etc/hostname and /etc/resolv.conf, which are of the machine and not of the image.
#pragma once

#include "manifest-gen/guest/init/guest.h"

// Puts them over the root's, where it has them. Answers a descriptor of resolv.conf, for whoever
// learns of name servers later; -1 when the root has none.
int mount_etc_files(const struct guest* guest);

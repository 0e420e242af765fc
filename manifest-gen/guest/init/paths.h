// Where things lie in the initramfs; written by manifest-gen/guest/initramfs.h.
#pragma once

#define GUEST_DOCUMENT "/cloister/guest.conf"
#define GUEST_MODULES "/cloister/modules/"
#define GUEST_ROOT "/cloister/root"

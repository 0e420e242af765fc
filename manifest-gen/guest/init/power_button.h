// The machine's power button, with which a host asks its guest to end ("system_powerdown" of QEMU,
// "virsh shutdown"). ACPI's events come by generic netlink; the kernel has its module `button`.
#pragma once

#include <stdbool.h>

// A descriptor on which poll(2) waits for the button; -1 with errno where there is none.
int open_power_button(void);

// Takes what has come. Never waits.
bool power_button_pressed(int button);

/* Stand-in for Gramine's library OS; like the real one it needs libpal.so. */
int pal_entry(int slot);
int libos_entry(int slot) { return pal_entry(slot) + 1; }

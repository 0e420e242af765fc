/* Stand-in for Gramine's SGX PAL, the part that is measured: an ELF shared object with an entry
 * point and segments of every protection, one of them with zero-filled memory beyond its file. */
int pal_initialised = 1;
char pal_zeros[5000];
const char pal_text[] = "stand-in for Gramine's libpal.so";

int pal_entry(int slot) { return slot + pal_initialised + pal_zeros[slot & 1]; }

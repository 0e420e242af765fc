/* Stand-in for libprotobuf-c.so.1, used where the real one is not installed. */
const char* protobuf_c_version(void) { return "stand-in"; }

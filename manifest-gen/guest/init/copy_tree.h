// Copies a directory: files, directories and symbolic links with their modes and owners.
#pragma once

// From one open directory into another. 0, or -1 with errno.
int copy_tree(int from, int to);

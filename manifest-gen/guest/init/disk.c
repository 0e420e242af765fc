#include "manifest-gen/guest/init/disk.h"

#include "manifest-gen/guest/init/dm_verity.h"
#include "manifest-gen/guest/init/kernel_command_line.h"
#include "manifest-gen/guest/init/report.h"

const char* open_disk(const struct disk* disk) {
  static char node[64];
  char root_hash[80], error[256];
  if (!kernel_option("cloister.verity", root_hash, sizeof root_hash))
    refuse("the kernel command line has no root hash: cloister.verity=");
  const struct dm_verity verity = {.device = disk->device,
                                   .name = "root",
                                   .data_blocks = disk->data_blocks,
                                   .hash_start = disk->hash_start,
                                   .root_hash = root_hash,
                                   .salt = "",
                                   .on_corruption = DM_VERITY_PANIC};
  if (dm_verity_open(&verity, node, sizeof node, error, sizeof error) < 0)
    refuse("the disk %s: %s", disk->device, error);
  return node;
}

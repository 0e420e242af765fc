// Enclave image files of any shape, for tests; and the ones of another implementation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "measure/nitro/eif.h"

namespace cloister::measure::nitro {

struct TestSection {
  EifSectionType type = EifSectionType::kernel;
  std::string content;
};

// Header and sections are as they should be; a test changes what it is about. The header's CRC-32
// is made last.
struct TestEif {
  EifHeader header;
  std::vector<TestSection> sections = {{EifSectionType::kernel, "a kernel"},
                                       {EifSectionType::command_line, "console=ttyS0"},
                                       {EifSectionType::metadata, "{}"},
                                       {EifSectionType::ramdisk, "first ramdisk"},
                                       {EifSectionType::ramdisk, "second ramdisk"}};

  Bytes bytes() const;
};
// The same bytes with a CRC-32 that fits.
Bytes with_crc(Bytes eif);

// testdata/nitro-eif/`name`
Bytes eif_vector(std::string_view name);

}  // namespace cloister::measure::nitro

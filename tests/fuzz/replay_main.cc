// Replays a folder of inputs through a fuzz target with any compiler: every seed and every former
// finding runs in the ordinary tests. Each input is copied to a buffer of exactly its length, so
// that a sanitizer sees the first byte read beyond it.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<char> bytes((std::istreambuf_iterator<char>(file)),
                                    std::istreambuf_iterator<char>());
      auto exact = std::make_unique<std::uint8_t[]>(bytes.size());  // NOLINT: exactly this length
      if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
      LLVMFuzzerTestOneInput(exact.get(), bytes.size());
      ++count;
    }
    if (error) std::fprintf(stderr, "%s: %s\n", argv[i], error.message().c_str());
  }
  std::printf("%zu inputs replayed\n", count);
  return count > 0 ? 0 : 1;  // a folder without seeds tests nothing
}

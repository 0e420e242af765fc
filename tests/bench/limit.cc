// The physical limit of what `cloister files` does: the time that ISA-L needs to inflate an image's
// layers, and OpenSSL to hash them, and nothing else. The blobs are hashed once; the tars twice,
// once for their diffIDs and once for the files in them, which are nearly all that a tar holds.
//
//   bench_limit CORES LAYER…     gzip files; prints one JSON object, times in seconds
//
// The work divides among cores, but inflating one layer does not: the limit is the larger of all
// work over all cores and of the longest layer.
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <span>
#include <vector>

namespace {

using Bytes = std::span<const unsigned char>;

// Seconds of this process's time on a processor: what others do meanwhile does not count.
double now() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

[[noreturn]] void give_up(const char* what, const char* file) {
  std::fprintf(stderr, "bench_limit: %s: %s\n", file, what);
  std::exit(1);
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  Sha256(const Sha256&) = delete;
  ~Sha256() { EVP_MD_CTX_free(context_); }
  // Answers how long it took.
  double update(Bytes bytes) {
    const double start = now();
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
    return now() - start;
  }

 private:
  EVP_MD_CTX* context_;
};

struct Work {
  double blob_hash = 0, inflate = 0, tar_hash = 0;
  unsigned long long blob_bytes = 0, tar_bytes = 0;
};

Work work_on(Bytes blob, const char* file) {
  constexpr std::size_t kPiece = 256 << 10;  // as the program does it: it stays in the cache
  Work out;
  out.blob_bytes = blob.size();
  Sha256 blob_hash, tar_hash;
  for (Bytes rest = blob; !rest.empty();) {
    const Bytes piece = rest.first(std::min(rest.size(), kPiece));
    out.blob_hash += blob_hash.update(piece);
    rest = rest.subspan(piece.size());
  }
  const auto state = std::make_unique<inflate_state>();
  std::vector<unsigned char> buffer(kPiece);
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_GZIP;
  // ISA-L does not write through next_in; its interface merely lacks the const.
  state->next_in = const_cast<unsigned char*>(blob.data());
  state->avail_in = static_cast<unsigned>(blob.size());
  while (state->avail_in > 0 || state->block_state != ISAL_BLOCK_FINISH) {
    state->next_out = buffer.data();
    state->avail_out = static_cast<unsigned>(buffer.size());
    const double start = now();
    const int code = isal_inflate(state.get());
    out.inflate += now() - start;
    const std::size_t made = buffer.size() - state->avail_out;
    if (code < 0 || (made == 0 && state->avail_in == 0 && state->block_state != ISAL_BLOCK_FINISH))
      give_up("not a whole gzip file", file);
    out.tar_hash += tar_hash.update(Bytes(buffer).first(made));
    out.tar_bytes += made;
    if (state->block_state == ISAL_BLOCK_FINISH && state->avail_in > 0) {
      isal_inflate_reset(state.get());
      state->crc_flag = ISAL_GZIP;
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const int cores = argc > 2 ? std::atoi(argv[1]) : 0;
  if (cores < 1) {
    std::fprintf(stderr, "usage: bench_limit CORES LAYER...\n");
    return 2;
  }
  Work all;
  double longest = 0;
  for (int i = 2; i < argc; ++i) {
    const int fd = ::open(argv[i], O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0 || status.st_size <= 0)
      give_up("cannot be read", argv[i]);
    const auto size = static_cast<std::size_t>(status.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED) give_up("cannot be mapped", argv[i]);
    const Work one = work_on(Bytes(static_cast<const unsigned char*>(data), size), argv[i]);
    ::munmap(data, size);
    ::close(fd);
    all.blob_hash += one.blob_hash;
    all.inflate += one.inflate;
    all.tar_hash += one.tar_hash;
    all.blob_bytes += one.blob_bytes;
    all.tar_bytes += one.tar_bytes;
    longest = std::max(longest, one.inflate);
  }
  const double cpu = all.blob_hash + all.inflate + 2 * all.tar_hash;
  std::printf(
      "{\"blobBytes\":%llu,\"tarBytes\":%llu,\"blobHash\":%.4f,\"inflate\":%.4f,\"tarHash\":%.4f,"
      "\"cpu\":%.4f,\"wall\":%.4f}\n",
      all.blob_bytes, all.tar_bytes, all.blob_hash, all.inflate, all.tar_hash, cpu,
      std::max(longest, cpu / cores));
  return 0;
}

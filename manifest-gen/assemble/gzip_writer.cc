// Layers are compressed by zlib and not by ISA-L, whose output may differ between processors. The
// header carries no time and the "unknown" operating system (RFC 1952, 2.3.1), so that the bytes
// are the same wherever they are made.
#define ZLIB_CONST
#include <zlib.h>

#include <array>

#include "base/text.h"
#include "manifest-gen/assemble/tar_layer.h"

namespace cloister::manifest {
namespace {

constexpr int kLevel = 5, kGzipWindow = 15 + 16, kMemoryLevel = 8;
constexpr int kUnknownSystem = 255;

}  // namespace

struct GzipWriter::Impl {
  z_stream stream{};
  gz_header header{};
  Bytes out;
  bool ready = false;
};

GzipWriter::GzipWriter() : impl_(std::make_unique<Impl>()) {
  impl_->ready = deflateInit2(&impl_->stream, kLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                              Z_DEFAULT_STRATEGY) == Z_OK;
  impl_->header.os = kUnknownSystem;
  if (impl_->ready) deflateSetHeader(&impl_->stream, &impl_->header);
}

GzipWriter::~GzipWriter() {
  if (impl_->ready) deflateEnd(&impl_->stream);
}

Status GzipWriter::deflate_all(ByteView bytes, int flush) {
  if (!impl_->ready) return Error::internal("zlib cannot be initialised");
  z_stream& stream = impl_->stream;
  std::array<std::byte, 64 << 10> buffer;
  do {
    // avail_in is 32 bits wide.
    const ByteView piece = bytes.first(std::min<std::size_t>(bytes.size(), 1U << 30));
    bytes = bytes.subspan(piece.size());
    stream.next_in = static_cast<const Bytef*>(static_cast<const void*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    do {
      stream.next_out = static_cast<Bytef*>(static_cast<void*>(buffer.data()));
      stream.avail_out = static_cast<uInt>(buffer.size());
      if (deflate(&stream, bytes.empty() ? flush : Z_NO_FLUSH) == Z_STREAM_ERROR)
        return Error::internal("zlib refuses to compress");
      impl_->out.insert(impl_->out.end(), buffer.begin(),
                        buffer.end() - static_cast<std::ptrdiff_t>(stream.avail_out));
    } while (stream.avail_out == 0);
  } while (!bytes.empty());
  return {};
}

Status GzipWriter::write(ByteView bytes) {
  return deflate_all(bytes, Z_NO_FLUSH);
}

Result<Bytes> GzipWriter::finish() {
  CL_CHECK(deflate_all({}, Z_FINISH));
  return std::move(impl_->out);
}

}  // namespace cloister::manifest

// One thread and a fixed level: the bytes depend on libzstd's version alone.
#include <zstd.h>

#include "base/text.h"
#include "manifest-gen/guest/initramfs.h"

namespace cloister::manifest {
namespace {

// Higher levels cost seconds for some percent; the kernel takes windows up to 128 MiB.
constexpr int kZstdLevel = 9;

}  // namespace

struct ZstdWriter::Impl {
  ByteSink out;
  ZSTD_CCtx* context = ZSTD_createCCtx();
  Bytes buffer = Bytes(ZSTD_CStreamOutSize());
};

ZstdWriter::ZstdWriter(ByteSink out) : impl_(std::make_unique<Impl>()) {
  impl_->out = std::move(out);
  if (impl_->context == nullptr) return;
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_compressionLevel, kZstdLevel);
  ZSTD_CCtx_setParameter(impl_->context, ZSTD_c_checksumFlag, 1);
}

ZstdWriter::~ZstdWriter() {
  ZSTD_freeCCtx(impl_->context);
}

Status ZstdWriter::compress(ByteView bytes, int mode) {
  if (impl_->context == nullptr) return Error::internal("zstd cannot be initialised");
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{impl_->buffer.data(), impl_->buffer.size(), 0};
    const std::size_t left =
        ZSTD_compressStream2(impl_->context, &out, &in, static_cast<ZSTD_EndDirective>(mode));
    if (ZSTD_isError(left) != 0)
      return Error::internal(cat("zstd refuses to compress: ", ZSTD_getErrorName(left)));
    if (out.pos > 0) CL_CHECK(impl_->out(ByteView(impl_->buffer).first(out.pos)));
    if (mode == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
  }
}

Status ZstdWriter::write(ByteView bytes) {
  return compress(bytes, ZSTD_e_continue);
}

Status ZstdWriter::finish() {
  return compress({}, ZSTD_e_end);
}

}  // namespace cloister::manifest

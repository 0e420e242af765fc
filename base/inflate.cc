// ISA-L inflates about three times as fast as zlib and checks the gzip trailer itself; it only
// ever reads here, because its compressed output may differ between CPUs.
#include "base/inflate.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>

#include "base/text.h"

namespace cloister {
namespace {

constexpr std::size_t kInputBuffer = 128 << 10;

// The compressed side: a buffer refilled from the inner source.
class Input {
 public:
  explicit Input(Source& inner) : inner_(inner), buffer_(kInputBuffer) {}
  // The bytes not yet consumed; empty only at the end of the inner source.
  Result<ByteView> peek() {
    if (at_ == end_) {
      at_ = 0;
      CL_TRY(end_, inner_.read(buffer_));
    }
    return ByteView(buffer_).subspan(at_, end_ - at_);
  }
  void consume(std::size_t n) { at_ += n; }

 private:
  Source& inner_;
  Bytes buffer_;
  std::size_t at_ = 0, end_ = 0;
};

std::uint8_t* raw(std::byte* p) {
  return reinterpret_cast<std::uint8_t*>(p);
}  // NOLINT

class GunzipSource final : public Source {
 public:
  explicit GunzipSource(Source& inner) : input_(inner) { begin_member(); }

  Result<std::size_t> read(std::span<std::byte> out) override {
    const std::size_t room = std::min<std::size_t>(out.size(), 1U << 30);
    state_.next_out = raw(out.data());
    state_.avail_out = static_cast<std::uint32_t>(room);
    while (!ended_ && state_.avail_out == room) CL_CHECK(step());
    return room - state_.avail_out;
  }

 private:
  void begin_member() {
    auto* out = state_.next_out;
    const auto room = state_.avail_out;
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    state_.next_out = out;
    state_.avail_out = room;
    in_member_ = false;
  }

  Status step() {
    CL_TRY(const ByteView in, input_.peek());
    if (!in_member_) {
      CL_TRY(const bool more, between_members(in));
      if (!more) return {};
    }
    // ISA-L does not write through next_in; its interface merely lacks the const.
    state_.next_in = raw(const_cast<std::byte*>(in.data()));  // NOLINT
    state_.avail_in = static_cast<std::uint32_t>(in.size());
    const auto room = state_.avail_out;
    const int code = isal_inflate(&state_);
    input_.consume(in.size() - state_.avail_in);
    if (code == ISAL_INCORRECT_CHECKSUM)
      return Error::corrupt("gzip data does not match its check sum");
    if (code < 0) return Error::corrupt(cat("gzip data is damaged (isa-l error ", code, ")"));
    if (state_.block_state == ISAL_BLOCK_FINISH) {
      begin_member();
      first_ = false;
    } else if (in.empty() && state_.avail_out == room) {
      return Error::corrupt("gzip data is truncated");
    }
    return {};
  }

  // True when `in` begins a further member.
  Result<bool> between_members(ByteView in) {
    if (!first_) {
      std::size_t zeros = 0;
      while (zeros < in.size() && in[zeros] == std::byte{0}) ++zeros;
      if (zeros > 0) padded_ = true;
      input_.consume(zeros);
      if (in.empty()) ended_ = true;
      if (zeros == in.size()) return false;
      if (padded_ || in[0] != std::byte{0x1f}) return Error::corrupt("garbage after the gzip data");
    } else if (in.empty()) {
      return Error::corrupt("gzip data is empty");
    }
    in_member_ = true;
    return true;
  }

  Input input_;
  inflate_state state_{};
  bool in_member_ = false, first_ = true, padded_ = false, ended_ = false;
};

class ZstdSource final : public Source {
 public:
  explicit ZstdSource(Source& inner) : input_(inner), stream_(ZSTD_createDStream()) {
    // The window is the decoder's memory: 128 MiB (2^27) is what the zstd tool accepts by default.
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, 27);
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  Result<std::size_t> read(std::span<std::byte> out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0) {
      CL_TRY(const ByteView in, input_.peek());
      if (in.empty() && frame_done_) return 0;
      ZSTD_inBuffer source{in.data(), in.size(), 0};
      const std::size_t code = ZSTD_decompressStream(stream_, &output, &source);
      input_.consume(source.pos);
      if (ZSTD_isError(code) != 0)
        return Error::corrupt(
            cat("zstd data is damaged: ", std::string_view(ZSTD_getErrorName(code))));
      if (in.empty() && output.pos == 0) return Error::corrupt("zstd data is truncated");
      frame_done_ = code == 0;
    }
    return output.pos;
  }

 private:
  Input input_;
  ZSTD_DStream* stream_;
  bool frame_done_ = false;
};

class PlainSource final : public Source {
 public:
  explicit PlainSource(Source& inner) : inner_(inner) {}
  Result<std::size_t> read(std::span<std::byte> out) override { return inner_.read(out); }

 private:
  Source& inner_;
};

}  // namespace

Compression detect_compression(ByteView first) {
  auto at = [&](std::size_t i) {
    return i < first.size() ? static_cast<unsigned>(first[i]) : 0x100U;
  };
  if (at(0) == 0x1f && at(1) == 0x8b) return Compression::gzip;
  if (at(1) == 0xb5 && at(0) == 0x28 && at(2) == 0x2f && at(3) == 0xfd) return Compression::zstd;
  if ((at(0) & 0xf0U) == 0x50 && at(0) < 0x100 && at(1) == 0x2a && at(2) == 0x4d && at(3) == 0x18)
    return Compression::zstd;
  return Compression::none;
}

std::unique_ptr<Source> make_inflater(Compression compression, Source& inner) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GunzipSource>(inner);
    case Compression::zstd:
      return std::make_unique<ZstdSource>(inner);
    case Compression::none:
      break;
  }
  return std::make_unique<PlainSource>(inner);
}

}  // namespace cloister

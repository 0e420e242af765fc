// ISA-L inflates about three times as fast as zlib and checks the gzip trailer itself; it only
// ever reads here, because its compressed output may differ between CPUs.
//
// The member header (RFC 1952, 2.3) is read here and not by ISA-L: it loses its place when a header
// with optional fields is split between two pieces of input, as a network may do.
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

// The header of one gzip member, byte by byte.
class GzipHeader {
 public:
  bool done() const { return state_ == State::done; }

  Status feed(std::byte b) {
    const auto v = static_cast<unsigned>(b);
    switch (state_) {
      case State::fixed:
        return fixed(v);
      case State::extra_size:
        extra_left_ |= v << (8 * field_at_++);
        if (field_at_ == 2) enter(extra_left_ > 0 ? State::extra : State::name);
        break;
      case State::extra:
        if (--extra_left_ == 0) enter(State::name);
        break;
      case State::name:
        if (v == 0) enter(State::comment);
        break;
      case State::comment:
        if (v == 0) enter(State::check);
        break;
      case State::check:
        if (++field_at_ == 2) enter(State::done);
        break;
      case State::done:
        break;
    }
    return {};
  }

 private:
  enum class State { fixed, extra_size, extra, name, comment, check, done };
  enum Flag : unsigned { kCheck = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xe0 };

  Status fixed(unsigned v) {
    const std::size_t at = field_at_++;
    if ((at == 0 && v != 0x1f) || (at == 1 && v != 0x8b)) return Error::corrupt("not gzip data");
    if (at == 2 && v != 8) return Error::corrupt("gzip data of an unknown method");
    if (at == 3) flags_ = v;
    if (at == 3 && (v & kReserved) != 0) return Error::corrupt("gzip data with reserved flags");
    if (at == 9) enter(State::extra_size);
    return {};
  }
  // Goes to a field, or past it when the flags say that it is absent.
  void enter(State state) {
    field_at_ = 0;
    if (state == State::extra_size && (flags_ & kExtra) == 0) state = State::name;
    if (state == State::name && (flags_ & kName) == 0) state = State::comment;
    if (state == State::comment && (flags_ & kComment) == 0) state = State::check;
    if (state == State::check && (flags_ & kCheck) == 0) state = State::done;
    state_ = state;
  }

  State state_ = State::fixed;
  std::size_t field_at_ = 0;
  unsigned flags_ = 0, extra_left_ = 0;
};

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
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;
    state_.next_out = out;
    state_.avail_out = room;
    in_member_ = false;
    header_ = GzipHeader();
  }

  Status step() {
    CL_TRY(const ByteView in, input_.peek());
    if (!in_member_) {
      CL_TRY(const bool more, between_members(in));
      if (!more) return {};
    }
    if (!header_.done()) return read_header(in);
    // ISA-L does not write through next_in; its interface merely lacks the const.
    state_.next_in = raw(const_cast<std::byte*>(in.data()));  // NOLINT: isal only reads it
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

  Status read_header(ByteView in) {
    if (in.empty()) return Error::corrupt("gzip data is truncated");
    std::size_t used = 0;
    while (used < in.size() && !header_.done()) CL_CHECK(header_.feed(in[used++]));
    input_.consume(used);
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
  GzipHeader header_;
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

std::uint64_t most_inflated(std::uint64_t compressed, const Limits& limits) {
  if (compressed > limits.layer_bytes / std::max<std::uint64_t>(1, limits.layer_ratio))
    return limits.layer_bytes;
  return std::min(limits.layer_bytes,
                  std::max(limits.layer_ratio_free, compressed * limits.layer_ratio));
}

}  // namespace cloister

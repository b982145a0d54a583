#include "hbk/codec/frame_codec.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <lz4frame.h>
#include <zstd.h>

#include "hbk/base/check.h"

namespace hbk::codec {
namespace {

struct MethodRow {
  FrameMethod method;
  std::string_view name;
  std::string_view suffix;
  int usual_level;
  int level_min;
  int level_max;
};
// Of the negative levels of zstd, which are many, only those that differ much.
constexpr std::array kMethods = {
    MethodRow{FrameMethod::kZstd, "zstd", ".zst", 3, -7, 19},
    MethodRow{FrameMethod::kLz4, "lz4", ".lz4", 1, 1, 12},
};
constexpr int kFastZstdLevel = -5;
constexpr int kFastLz4Level = 1;

const MethodRow& RowOf(FrameMethod method) {
  for (const MethodRow& row : kMethods)
    if (row.method == method) return row;
  HBK_CHECK(false);
}

class ZstdEncoder final : public FrameEncoder {
 public:
  explicit ZstdEncoder(int level) : level_(level), context_(ZSTD_createCCtx()) {
    HBK_CHECK(context_ != nullptr);
    HBK_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1)) == 0);
  }

  Status Encode(ByteView chunk, bool is_fast, std::vector<uint8_t>& frame) override {
    const int level = is_fast ? kFastZstdLevel : level_;
    HBK_CHECK(
        ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level)) == 0);
    frame.resize(ZSTD_compressBound(chunk.size()));
    const size_t size =
        ZSTD_compress2(context_.get(), frame.data(), frame.size(), chunk.data(), chunk.size());
    if (ZSTD_isError(size) != 0)
      return FailedError(fmt::format("zstd: {}", ZSTD_getErrorName(size)));
    frame.resize(size);
    return OkStatus();
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }
  };
  const int level_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

class ZstdDecoder final : public FrameDecoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx()) { HBK_CHECK(context_ != nullptr); }

  Status Decode(ByteView frame, MutableByteView chunk) override {
    // The library goes on to further frames, and takes those of other sizes that fit.
    const size_t frame_size = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
    if (ZSTD_isError(frame_size) != 0 || frame_size != frame.size())
      return CorruptionError("not one whole zstd frame");
    if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != chunk.size())
      return CorruptionError("the zstd frame has another size");
    const size_t size =
        ZSTD_decompressDCtx(context_.get(), chunk.data(), chunk.size(), frame.data(), frame.size());
    if (ZSTD_isError(size) != 0)
      return CorruptionError(fmt::format("zstd: {}", ZSTD_getErrorName(size)));
    if (size != chunk.size()) return CorruptionError("the zstd frame has another size");
    return OkStatus();
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { (void)ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
};

class Lz4Encoder final : public FrameEncoder {
 public:
  explicit Lz4Encoder(int level) : level_(level) {}

  Status Encode(ByteView chunk, bool is_fast, std::vector<uint8_t>& frame) override {
    LZ4F_preferences_t preferences{};
    preferences.frameInfo.blockSizeID = LZ4F_max1MB;
    preferences.frameInfo.blockMode = LZ4F_blockLinked;
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    preferences.frameInfo.contentSize = chunk.size();
    preferences.compressionLevel = is_fast ? kFastLz4Level : level_;
    frame.resize(LZ4F_compressFrameBound(chunk.size(), &preferences));
    const size_t size =
        LZ4F_compressFrame(frame.data(), frame.size(), chunk.data(), chunk.size(), &preferences);
    if (LZ4F_isError(size) != 0)
      return FailedError(fmt::format("lz4: {}", LZ4F_getErrorName(size)));
    frame.resize(size);
    return OkStatus();
  }

 private:
  const int level_;
};

class Lz4Decoder final : public FrameDecoder {
 public:
  Lz4Decoder() {
    LZ4F_dctx* context = nullptr;
    HBK_CHECK(LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) == 0);
    context_.reset(context);
  }

  Status Decode(ByteView frame, MutableByteView chunk) override {
    LZ4F_resetDecompressionContext(context_.get());
    size_t read = 0;
    size_t written = 0;
    for (;;) {
      size_t in = frame.size() - read;
      size_t out = chunk.size() - written;
      const size_t hint = LZ4F_decompress(context_.get(), chunk.data() + written, &out,
                                          frame.data() + read, &in, nullptr);
      if (LZ4F_isError(hint) != 0)
        return CorruptionError(fmt::format("lz4: {}", LZ4F_getErrorName(hint)));
      read += in;
      written += out;
      if (hint == 0) break;
      if (in == 0 && out == 0) return CorruptionError("not one whole lz4 frame");
    }
    if (read != frame.size()) return CorruptionError("not one whole lz4 frame");
    if (written != chunk.size()) return CorruptionError("the lz4 frame has another size");
    return OkStatus();
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* context) const { (void)LZ4F_freeDecompressionContext(context); }
  };
  std::unique_ptr<LZ4F_dctx, Free> context_;
};

Result<int> ParseLevel(const MethodRow& row, std::string_view text) {
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || level < row.level_min || level > row.level_max) {
    return UsageError(fmt::format("'{}' is no level of {}", text, row.name))
        .WithHint(fmt::format("{} to {}", row.level_min, row.level_max));
  }
  return level;
}

}  // namespace

Result<FrameChoice> ParseFrameChoice(std::string_view text) {
  if (text == "none") return FrameChoice{};
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  for (const MethodRow& row : kMethods) {
    if (row.name != name) continue;
    if (colon == std::string_view::npos) return FrameChoice{row.method, row.usual_level};
    HBK_ASSIGN_OR_RETURN(const int level, ParseLevel(row, text.substr(colon + 1)));
    return FrameChoice{row.method, level};
  }
  return UsageError(fmt::format("'{}' is no way to compress", text))
      .WithHint("zstd, zstd:LEVEL, lz4, lz4:LEVEL or none");
}

std::string FormatFrameChoice(const FrameChoice& choice) {
  if (choice.method == FrameMethod::kNone) return "none";
  return fmt::format("{}:{}", RowOf(choice.method).name, choice.level);
}

std::string_view FrameSuffix(FrameMethod method) {
  return method == FrameMethod::kNone ? std::string_view() : RowOf(method).suffix;
}

std::unique_ptr<FrameEncoder> FrameEncoder::Create(const FrameChoice& choice) {
  HBK_CHECK(choice.method != FrameMethod::kNone);
  if (choice.method == FrameMethod::kZstd) return std::make_unique<ZstdEncoder>(choice.level);
  return std::make_unique<Lz4Encoder>(choice.level);
}

std::unique_ptr<FrameDecoder> FrameDecoder::Create(FrameMethod method) {
  HBK_CHECK(method != FrameMethod::kNone);
  if (method == FrameMethod::kZstd) return std::make_unique<ZstdDecoder>();
  return std::make_unique<Lz4Decoder>();
}

}  // namespace hbk::codec

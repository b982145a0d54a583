#include "hbk/datadir/table_definition.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace hbk::datadir {
namespace {

constexpr std::string_view kViewStart = "TYPE=VIEW";
constexpr uint8_t kTableStart[] = {0xFE, 0x01};

constexpr size_t kHeaderBytes = 64;
constexpr size_t kEngineCodeOffset = 3;
constexpr size_t kAttributeSizeOffset = 4;
constexpr size_t kKeysPlaceOffset = 6;
constexpr size_t kShortKeysSizeOffset = 14;
constexpr size_t kRecordSizeOffset = 16;
constexpr size_t kLongKeysSizeOffset = 47;
constexpr size_t kExtraSizeOffset = 55;
constexpr uint16_t kKeysSizeIsLong = 0xFFFF;

// Servers before 10.0 had a list of names where the attributes are now; it begins with a slash.
constexpr uint8_t kNameListStart = '/';
constexpr uint8_t kVersionAttribute = 0;
constexpr uint8_t kPartitionEngineAttribute = 1;

constexpr std::string_view kPartitionEngine = "partition";

struct EngineCode {
  uint8_t code;
  std::string_view engine;
};
// Codes that never change. Engines that come as plugins get theirs when they are loaded.
constexpr EngineCode kEngineCodes[] = {
    {6, "MEMORY"}, {9, "MyISAM"},     {10, "MRG_MyISAM"}, {12, "InnoDB"},         {16, "ARCHIVE"},
    {17, "CSV"},   {18, "FEDERATED"}, {19, "BLACKHOLE"},  {20, kPartitionEngine},
};

Status LeadsOut(std::string_view what) {
  return CorruptionError(fmt::format("{} does not lie in the file", what));
}

// Bytes of a file, from the front; never past its end.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  // False, and nothing is taken, if there are fewer.
  bool Take(size_t size, ByteView& taken) {
    if (size > rest_.size()) return false;
    taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return true;
  }
  bool TakeByte(uint8_t& value) {
    ByteView taken;
    if (!Take(1, taken)) return false;
    value = taken[0];
    return true;
  }
  // Bytes behind their length of 16 bits.
  bool TakeCounted(ByteView& taken) {
    ByteView size;
    return Take(2, size) && Take(LoadLe16(size, 0), taken);
  }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

// Type, length of one byte (0: two more bytes have it), bytes; again and again.
Status ParseAttributes(ByteView bytes, TableDefinition& table) {
  Reader reader(bytes);
  while (!reader.is_at_end()) {
    uint8_t type = 0;
    uint8_t size = 0;
    ByteView value;
    const bool is_whole = reader.TakeByte(type) && reader.TakeByte(size) &&
                          (size != 0 ? reader.Take(size, value) : reader.TakeCounted(value));
    if (!is_whole) return LeadsOut("an attribute of the table");
    if (type == kVersionAttribute) {
      TableVersion version;
      if (value.size() != version.size()) {
        return CorruptionError(fmt::format("the version of the table has {} bytes", value.size()));
      }
      std::copy(value.begin(), value.end(), version.begin());
      table.version = version;
    } else if (type == kPartitionEngineAttribute) {
      table.engine = AsText(value);
    }
  }
  return OkStatus();
}

// The engine's name stands behind keys, default record and connection; empty if it is not there.
Result<std::string> ParseEngineName(ByteView frm) {
  const uint16_t short_size = LoadLe16(frm, kShortKeysSizeOffset);
  const uint64_t keys_size =
      short_size == kKeysSizeIsLong ? LoadLe32(frm, kLongKeysSizeOffset) : short_size;
  const uint64_t begin =
      LoadLe16(frm, kKeysPlaceOffset) + keys_size + LoadLe16(frm, kRecordSizeOffset);
  const uint64_t size = LoadLe32(frm, kExtraSizeOffset);
  if (size == 0) return std::string();
  if (begin > frm.size() || size > frm.size() - begin) return LeadsOut("the table's engine");
  Reader reader(frm.subspan(begin, size));
  ByteView connection;
  ByteView engine;
  if (!reader.TakeCounted(connection)) return LeadsOut("the connection of the table");
  // Some old servers wrote a connection only.
  if (reader.is_at_end()) return std::string();
  if (!reader.TakeCounted(engine)) return LeadsOut("the table's engine");
  return std::string(AsText(engine));
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

Result<TableDefinition> ParseTableDefinition(ByteView frm) {
  TableDefinition table;
  if (AsText(frm).starts_with(kViewStart)) {
    table.is_view = true;
    return table;
  }
  if (frm.size() < kHeaderBytes ||
      !std::equal(std::begin(kTableStart), std::end(kTableStart), frm.begin())) {
    return CorruptionError("not the definition of a table or view");
  }
  const uint16_t attribute_size = LoadLe16(frm, kAttributeSizeOffset);
  if (attribute_size > frm.size() - kHeaderBytes) return LeadsOut("a list of attributes");
  const ByteView attributes = frm.subspan(kHeaderBytes, attribute_size);
  if (!attributes.empty() && attributes[0] != kNameListStart) {
    HBK_RETURN_IF_ERROR(ParseAttributes(attributes, table));
  }
  HBK_ASSIGN_OR_RETURN(std::string name, ParseEngineName(frm));
  if (name.empty()) {
    const auto* const known =
        std::find_if(std::begin(kEngineCodes), std::end(kEngineCodes),
                     [&](const EngineCode& code) { return code.code == frm[kEngineCodeOffset]; });
    if (known != std::end(kEngineCodes)) name = known->engine;
  }
  table.is_partitioned = name == kPartitionEngine;
  if (!table.is_partitioned) table.engine = std::move(name);
  // It goes into messages.
  if (!IsPrintable(table.engine)) return CorruptionError("the table's engine has no name");
  return table;
}

std::string TableVersionText(const TableVersion& version) {
  std::string text;
  for (size_t i = 0; i < version.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", version[i]);
  }
  return text;
}

}  // namespace hbk::datadir

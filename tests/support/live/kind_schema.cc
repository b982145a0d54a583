#include "tests/support/live/kind_schema.h"

#include <fmt/format.h>

namespace hbk::testing {
namespace {

using enum ColumnKind;

constexpr uint32_t kZipPageMaxKib = 16;
constexpr uint32_t kRows = 500;

const std::vector<ColumnSpec>& WrittenColumns() {
  static const std::vector<ColumnSpec> columns = {
      {"k", kInteger, 10'000}, {"v", kText, 300}, {"b", kText, 20'000}, {"t", kText, 3'000}};
  return columns;
}

// Short and long columns, off-page ones, and secondary indexes.
TableSpec Usual(const std::string& name, const std::string& options) {
  return {.name = name,
          .definition =
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, v VARCHAR(300), "
              "b MEDIUMBLOB, t TEXT, KEY (k), KEY (v(40)), KEY (v(10), k)) "
              "ENGINE=InnoDB DEFAULT CHARSET=latin1 " +
              options,
          .columns = WrittenColumns(),
          .row_count = kRows};
}

TableSpec Partitioned(const std::string& name, const std::string& options) {
  return {.name = name,
          .definition =
              "(id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, k INT NOT NULL, v VARCHAR(300), "
              "PRIMARY KEY (id, k), KEY (v(20))) ENGINE=InnoDB DEFAULT CHARSET=latin1 " +
              options + " PARTITION BY HASH (id) PARTITIONS 2",
          .columns = {{"k", kInteger, 9'000}, {"v", kText, 300}},
          .row_count = kRows};
}

TableSpec FullText(const std::string& name, const std::string& options) {
  return {.name = name,
          .definition =
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, title VARCHAR(200), body TEXT, "
              "FULLTEXT (title, body)) ENGINE=InnoDB DEFAULT CHARSET=latin1 " +
              options,
          .columns = {{"title", kWords, 8}, {"body", kWords, 90}},
          .row_count = kRows / 2};
}

TableSpec Spatial(const std::string& name, const std::string& options) {
  return {.name = name,
          .definition =
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, p POINT NOT NULL, "
              "v VARCHAR(80), SPATIAL KEY (p)) ENGINE=InnoDB DEFAULT CHARSET=latin1 " +
              options,
          .columns = {{"p", kPoint, 1000}, {"v", kText, 80}},
          .row_count = kRows};
}

// Rows small enough for pages of 1 KiB.
TableSpec Zip(const std::string& name, uint32_t page_kib, const std::string& options) {
  return {.name = name,
          .definition = fmt::format(
              "(id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, v VARCHAR(60), "
              "b BLOB, KEY (k), KEY (v)) ENGINE=InnoDB DEFAULT CHARSET=latin1 "
              "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE={} {}",
              page_kib, options),
          .columns = {{"k", kInteger, 10'000}, {"v", kText, 60}, {"b", kText, 5'000}},
          .row_count = kRows};
}

class Schema {
 public:
  explicit Schema(const KindOptions& options) : options_(options) {}

  std::vector<TableSpec> Make() {
    const std::string clear = options_.is_encrypted ? " ENCRYPTED=NO" : "";
    AddPlain(clear);
    AddZips(kZipKind, clear);
    AddPageCompressed(kPageCompressedKind, clear);
    if (options_.is_encrypted) {
      AddEncrypted();
      AddZips(kEncryptedZipKind, " ENCRYPTED=YES");
      AddPageCompressed(kEncryptedPageCompressedKind, " ENCRYPTED=YES");
    }
    return std::move(tables_);
  }

 private:
  static std::string Name(const char* kind, const std::string& name) {
    return fmt::format("{}.{}", kind, name);
  }

  void AddPlain(const std::string& clear) {
    tables_.push_back(Usual(Name(kPlainKind, "dynamic_"), "ROW_FORMAT=DYNAMIC" + clear));
    tables_.push_back(Partitioned(Name(kPlainKind, "compact_"), "ROW_FORMAT=COMPACT" + clear));
    tables_.push_back(Partitioned(Name(kPlainKind, "redundant_"), "ROW_FORMAT=REDUNDANT" + clear));
    tables_.push_back(FullText(Name(kPlainKind, "words"), clear));
    tables_.push_back(Spatial(Name(kPlainKind, "places"), clear));
  }

  void AddEncrypted() {
    for (int key_id = 1; key_id <= 3; ++key_id) {
      tables_.push_back(Usual(Name(kEncryptedKind, fmt::format("key{}", key_id)),
                              fmt::format("ENCRYPTED=YES ENCRYPTION_KEY_ID={}", key_id)));
    }
    tables_.push_back(Usual(Name(kEncryptedKind, "by_default"), ""));
    tables_.push_back(Partitioned(Name(kEncryptedKind, "parts"), "ENCRYPTED=YES"));
    tables_.push_back(FullText(Name(kEncryptedKind, "words"), "ENCRYPTED=YES"));
    if (options_.is_full_crc32) {
      tables_.push_back(Spatial(Name(kEncryptedKind, "places"), "ENCRYPTED=YES"));
    }
  }

  void AddZips(const char* kind, const std::string& encryption) {
    if (options_.page_kib > kZipPageMaxKib) return;
    for (uint32_t page_kib = 1; page_kib <= options_.page_kib; page_kib *= 2) {
      tables_.push_back(Zip(Name(kind, fmt::format("zip{}", page_kib)), page_kib, encryption));
    }
  }

  void AddPageCompressed(const char* kind, const std::string& encryption) {
    const std::string options = "PAGE_COMPRESSED=1" + encryption;
    for (const std::string& algorithm : options_.algorithms) {
      tables_.push_back(Usual(Name(kind, algorithm), options));
      tables_.back().preparation = "SET GLOBAL innodb_compression_algorithm = " + algorithm;
    }
    tables_.push_back(Partitioned(Name(kind, "parts"), options));
    tables_.push_back(FullText(Name(kind, "words"), options));
  }

  const KindOptions& options_;
  std::vector<TableSpec> tables_;
};

}  // namespace

std::vector<std::string> KindDatabases(const KindOptions& options) {
  std::vector<std::string> databases = {kPlainKind, kPageCompressedKind};
  if (options.page_kib <= kZipPageMaxKib) databases.emplace_back(kZipKind);
  if (options.is_encrypted) {
    databases.emplace_back(kEncryptedKind);
    databases.emplace_back(kEncryptedPageCompressedKind);
    if (options.page_kib <= kZipPageMaxKib) databases.emplace_back(kEncryptedZipKind);
  }
  return databases;
}

std::vector<TableSpec> KindTables(const KindOptions& options) {
  return Schema(options).Make();
}

const std::vector<std::string>& CompressionAlgorithms() {
  static const std::vector<std::string> all = {"zlib", "lz4", "lzo", "lzma", "bzip2", "snappy"};
  return all;
}

std::vector<std::string> CodecSwitches(const KindOptions& options) {
  std::vector<std::string> statements;
  for (const std::string& algorithm : options.algorithms) {
    statements.push_back("SET GLOBAL innodb_compression_algorithm = " + algorithm);
  }
  return statements;
}

}  // namespace hbk::testing

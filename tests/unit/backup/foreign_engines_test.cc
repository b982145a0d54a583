#include "foreign_engines.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/support/mem_file_system.h"
#include "tests/support/scripted_sql_client.h"
#include "tests/support/status_matchers.h"

namespace hbk::backup {
namespace {

using hbk::testing::IsOk;
using hbk::testing::MemFileSystem;
using hbk::testing::SqlError;
using hbk::testing::SqlRows;
using hbk::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The smallest definition that names an engine.
std::string Definition(const std::string& engine) {
  std::string frm(64, '\0');
  frm[0] = static_cast<char>(0xFE);
  frm[1] = 1;
  frm[6] = 64;
  frm[55] = static_cast<char>(4 + engine.size());
  return frm + std::string(2, '\0') + static_cast<char>(engine.size()) + '\0' + engine;
}

// Decodes the one name that there is, or none.
class DecodingClient final : public server::SqlClient {
 public:
  explicit DecodingClient(bool knows) : knows_(knows) {}
  server::SqlAnswer Execute(std::string_view sql, const server::SqlWait& /*wait*/) override {
    if (!sql.starts_with("SELECT CONVERT")) return {};
    return knows_ ? SqlRows({{"d", "a b"}}) : SqlError(2006, "gone");
  }
  [[nodiscard]] std::string server_version() const override { return "10.11.19-MariaDB"; }

 private:
  bool knows_;
};

class NotingReporter final : public report::Reporter {
 public:
  void BeginPhase(std::string_view /*name*/, const report::Facts& /*facts*/) override {}
  void Progress(uint64_t /*done_bytes*/, uint64_t /*total_bytes*/) override {}
  void Info(std::string_view message, const report::Facts& /*facts*/) override {
    remarks.emplace_back(message);
  }
  void Warning(std::string_view /*message*/, const report::Facts& /*facts*/) override {
    ++warnings_;
  }
  void Finish(const Status& /*status*/, const report::Facts& /*facts*/) override {}
  [[nodiscard]] uint64_t warning_count() const override { return warnings_; }

  std::vector<std::string> remarks;

 private:
  uint64_t warnings_ = 0;
};

class ForeignEnginesTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, const std::string& bytes) {
    fs_.PutFile("/target/" + name, bytes);
    record_.AddFile(name, datadir::FileKind::kDefinition, CopyStage::kBlockDdl, bytes.size(), "");
  }
  void PutTable(const std::string& table, const std::string& engine) {
    Put(table + ".frm", Definition(engine));
  }

  Status Tell(bool has_rocksdb = true, bool knows_names = true) {
    auto session = server::ServerSession::Create(std::make_unique<DecodingClient>(knows_names));
    HBK_RETURN_IF_ERROR(session.status());
    return TellOfForeignEngines(fs_, "/target", **session, has_rocksdb, reporter_, record_);
  }

  MemFileSystem fs_;
  BackupRecord record_;
  NotingReporter reporter_;
};

TEST_F(ForeignEnginesTest, NothingIsSaidOfWhatIsCopied) {
  for (const char* engine : {"InnoDB", "Aria", "MyISAM", "MRG_MyISAM", "CSV", "ARCHIVE", "Mroonga",
                             "ROCKSDB", "PERFORMANCE_SCHEMA"})
    PutTable(std::string("d/") + engine, engine);
  Put("d/v.frm", "TYPE=VIEW\n");
  Put("d/t.par", "no definition of a table");

  ASSERT_THAT(Tell(), IsOk());

  EXPECT_THAT(record_.warnings, IsEmpty());
  EXPECT_THAT(reporter_.remarks, IsEmpty());
}

TEST_F(ForeignEnginesTest, TablesWhoseRowsLieElsewhereAreNamedByEngine) {
  PutTable("d/a", "FEDERATED");
  PutTable("d/b", "CONNECT");
  PutTable("d/c", "SPIDER");
  PutTable("d/e", "S3");
  PutTable("d/f", "Columnstore");

  ASSERT_THAT(Tell(), IsOk());

  EXPECT_THAT(record_.warnings,
              ElementsAre(AllOf(HasSubstr("CONNECT"), HasSubstr("`d`.`a b`")),
                          HasSubstr("Columnstore"), HasSubstr("1 table of the engine FEDERATED"),
                          HasSubstr("S3"), HasSubstr("SPIDER")));
}

TEST_F(ForeignEnginesTest, WhatOnlyTheBaseHasIsReadFromTheServer) {
  record_.layout.datadir = "/data";
  fs_.PutFile("/data/d/a.frm", Definition("FEDERATED"));
  for (const char* name : {"d/a.frm", "d/dropped_meanwhile.frm"}) {
    record_.AddFile(name, datadir::FileKind::kDefinition, CopyStage::kStart, 80, "");
    record_.files[name].content = manifest::FileContent::kBase;
  }

  ASSERT_THAT(Tell(), IsOk());

  EXPECT_THAT(record_.warnings, ElementsAre(HasSubstr("1 table of the engine FEDERATED")));
}

TEST_F(ForeignEnginesTest, TwentyNamesAreShown) {
  for (int i = 0; i < 23; ++i)
    PutTable("d/t" + std::to_string(100 + i), "FEDERATED");

  ASSERT_THAT(Tell(true, /*knows_names=*/false), IsOk());

  EXPECT_THAT(record_.warnings,
              ElementsAre(AllOf(HasSubstr("23 tables"), HasSubstr("d/t119 and 3 more"),
                                Not(HasSubstr("d/t120")))));
}

TEST_F(ForeignEnginesTest, RowsOfMyrocksThatWereLeftOutAreMissed) {
  PutTable("d/r", "ROCKSDB");
  ASSERT_THAT(Tell(/*has_rocksdb=*/false), IsOk());
  EXPECT_THAT(record_.warnings, ElementsAre(AllOf(HasSubstr("ROCKSDB"), HasSubstr("left out"))));
}

TEST_F(ForeignEnginesTest, AnUnknownEngineIsWarnedOf) {
  PutTable("d/t", "TokuDB");
  ASSERT_THAT(Tell(), IsOk());
  EXPECT_THAT(record_.warnings, ElementsAre(AllOf(HasSubstr("TokuDB"), HasSubstr("not know"))));
}

TEST_F(ForeignEnginesTest, TablesWithoutRowsAreARemark) {
  PutTable("d/m", "MEMORY");
  PutTable("d/b", "BLACKHOLE");
  ASSERT_THAT(Tell(), IsOk());
  EXPECT_THAT(record_.warnings, IsEmpty());
  EXPECT_THAT(reporter_.remarks, ElementsAre(HasSubstr("BLACKHOLE"), HasSubstr("MEMORY")));
}

TEST_F(ForeignEnginesTest, ADamagedDefinitionIsARemark) {
  Put("d/t.frm", "");
  ASSERT_THAT(Tell(), IsOk());
  EXPECT_THAT(record_.warnings, IsEmpty());
  EXPECT_THAT(reporter_.remarks, ElementsAre(HasSubstr("d/t.frm")));
}

TEST_F(ForeignEnginesTest, AMissingDefinitionIsAnError) {
  record_.AddFile("d/t.frm", datadir::FileKind::kDefinition, CopyStage::kBlockDdl, 1, "");
  EXPECT_THAT(Tell(), StatusIs(StatusCode::kNotFound, HasSubstr("d/t.frm")));
}

}  // namespace
}  // namespace hbk::backup

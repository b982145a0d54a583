// What a server and its program say: any answer to every question that a backup and a drill ask.
// It is understood within documented bounds, or refused by an error that the callers know; a
// position that was read is the same in the manifest.
//
// Input: answers, in turn, each ended by a line "--". The first line of one has the names of the
// columns, the others are rows, with tabs between values and \N for NULL; or it is "!NUMBER TEXT",
// an error. When all were given, they begin anew.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hbk/base/bytes.h"
#include "hbk/base/check.h"
#include "hbk/manifest/mariadb_backup_files.h"
#include "hbk/server/backup_history.h"
#include "hbk/server/server_session.h"
#include "hbk/server/table_session.h"

#include "../../src/backup/position_reader.h"
#include "../../src/backup/stage_blockers.h"
#include "../../src/drill/server_program.h"

namespace {

using namespace hbk;          // NOLINT(google-build-using-namespace)
using namespace hbk::server;  // NOLINT(google-build-using-namespace)

// What is longer is more of the same.
constexpr size_t kInputBytesMax = 1 << 16;
constexpr size_t kUuidBytes = 36;

std::string_view TakeUntil(std::string_view& text, std::string_view end) {
  const size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  return part;
}

SqlRow RowOf(std::string_view line) {
  SqlRow row;
  do {
    const bool is_last = line.find('\t') == std::string_view::npos;
    const std::string_view value = TakeUntil(line, "\t");
    row.push_back(value == "\\N" ? std::nullopt : std::optional<std::string>(value));
    if (is_last) return row;
  } while (true);
}

SqlAnswer AnswerOf(std::string_view text) {
  SqlAnswer answer;
  if (text.starts_with('!')) {
    text.remove_prefix(1);
    std::from_chars(text.data(), text.data() + text.size(), answer.error_number);
    answer.error_text = text;
    // No server has it, and it would be no error.
    if (answer.error_number == 0) answer.error_number = 1;
    return answer;
  }
  for (const auto& name : RowOf(TakeUntil(text, "\n")))
    answer.columns.push_back(name.value_or(""));
  while (!text.empty())
    answer.rows.push_back(RowOf(TakeUntil(text, "\n")));
  return answer;
}

class Answers final : public SqlClient {
 public:
  explicit Answers(const std::vector<SqlAnswer>& answers) : answers_(answers) {}
  using SqlClient::Execute;
  SqlAnswer Execute(std::string_view sql, const SqlWait& /*wait*/) override {
    HBK_CHECK(!sql.empty());
    if (sql.starts_with("SET SESSION") || answers_.empty()) return {};
    return answers_[next_++ % answers_.size()];
  }
  [[nodiscard]] std::string server_version() const override {
    const bool has_text = !answers_.empty() && !answers_[0].columns.empty();
    return has_text ? answers_[0].columns[0] : "";
  }

 private:
  const std::vector<SqlAnswer>& answers_;
  size_t next_ = 0;
};

void CheckStatus(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
    case StatusCode::kUnsupported:
    case StatusCode::kMissingPrivilege:
    case StatusCode::kLockWaitTimeout:
    case StatusCode::kConnectionLost:
    case StatusCode::kInterrupted:
    case StatusCode::kFailed: return;
    default: HBK_CHECK(false);
  }
}

std::unique_ptr<ServerSession> SessionOf(const std::vector<SqlAnswer>& answers) {
  return ServerSession::Create(std::make_unique<Answers>(answers)).value();
}

void CheckFacts(const std::vector<SqlAnswer>& answers) {
  const auto facts = SessionOf(answers)->ReadFacts();
  CheckStatus(facts.status());
  if (!facts.ok()) return;
  const Status supported = CheckServerSupported(*facts);
  HBK_CHECK(supported.ok() || supported.code() == StatusCode::kUnsupported);
  const auto version = ParseServerVersion(facts->version_text);
  HBK_CHECK(!supported.ok() || (version && version->major >= 10 && version->major <= 12));
  for (const auto& [name, value] : facts->variables)
    HBK_CHECK(facts->Variable(name) == value && (!facts->IsOn(name) || !value.empty()));
  const std::string account = QuoteAccount(facts->current_user);
  HBK_CHECK(std::count(account.begin(), account.end(), '`') % 2 == 0);
}

void CheckQuestions(const std::vector<SqlAnswer>& answers) {
  CheckStatus(SessionOf(answers)->ReadLsn().status());
  CheckStatus(SessionOf(answers)->ListTablespaces().status());
  CheckStatus(SessionOf(answers)->ListClosedTables().status());
  CheckStatus(SessionOf(answers)->FindClosedReason({"d", "t", ""}).status());
  CheckStatus(SessionOf(answers)->DecodeTableName("d/t#P#p0").status());
  CheckStatus(SessionOf(answers)->DoesFlushWriteLog().status());
  CheckStatus(SessionOf(answers)->ReadConnectionId().status());
  CheckStatus(SessionOf(answers)->ReadReplicaTemporaryTables().status());
  CheckStatus(SessionOf(answers)->ProbePrivileges({true, true, true, true, true}).status());
  for (const std::string_view version : {"10.5.1", "11.4.2"}) {
    Answers client(answers);
    CheckStatus(BackupHistory(client, version).FindByName("n", {}).status());
  }
}

void CheckTables(const std::vector<SqlAnswer>& answers) {
  const auto session = TableSession::Create(std::make_unique<Answers>(answers)).value();
  const auto tables = session->ListTables();
  CheckStatus(tables.status());
  const ListedTable table =
      tables.ok() && !tables->empty() ? tables->front() : ListedTable{"d", "t", "InnoDB", false};
  const auto messages = session->Check(table, CheckDepth::kQuick);
  CheckStatus(messages.status());
  HBK_CHECK(!messages.ok() || !messages->empty());
  std::string why;
  const auto sum = session->Sum(table, why);
  CheckStatus(sum.status());
  CheckStatus(session->CountRecoveredTransactions().status());
  CheckStatus(session->PrepareSnapshot());
  CheckStatus(session->SumInSnapshot(table).status());
}

void CheckBlockers(const std::vector<SqlAnswer>& answers) {
  const auto session = SessionOf(answers);
  const auto view = backup::LookAtServer(*session);
  CheckStatus(view.status());
  if (!view.ok()) return;
  for (const BackupStage stage : {BackupStage::kStart, BackupStage::kFlush, BackupStage::kBlockDdl,
                                  BackupStage::kBlockCommit}) {
    const auto blockers = backup::FindBlockers(*view, {.stage = stage, .waited_ms = 1000});
    HBK_CHECK(blockers.size() <= view->sessions.size());
    for (const backup::StageBlocker& blocker : blockers) {
      HBK_CHECK(backup::DescribeBlocker(blocker).find('\n') == std::string::npos);
      const bool may_kill = backup::MayKill(blocker, stage, backup::KillQueryType::kAll);
      HBK_CHECK(!may_kill || (!blocker.is_idle() && blocker.session.user != "system user"));
    }
  }
}

bool IsSame(const manifest::BinlogPosition& a, const manifest::BinlogPosition& b) {
  return a.file == b.file && a.position == b.position && a.gtid == b.gtid &&
         a.gtid_binlog_pos == b.gtid_binlog_pos && a.gtid_slave_pos == b.gtid_slave_pos &&
         a.gtid_binlog_state == b.gtid_binlog_state;
}

bool IsAscii(ByteView bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte < 0x80; });
}

void CheckPositions(const std::vector<SqlAnswer>& answers, bool is_galera, bool is_ascii) {
  const auto session = SessionOf(answers);
  backup::PositionChoice choice;
  choice.binlog = true;
  choice.replica = true;
  choice.galera = is_galera;
  choice.settle_pause = {};
  choice.settle_limit = {};
  backup::PositionReader reader(*session, choice);
  const auto lsn = reader.Begin();
  CheckStatus(lsn.status());
  if (!lsn.ok()) return;
  const auto positions = reader.Finish();
  CheckStatus(positions.status());
  if (!positions.ok()) return;
  if (positions->galera) HBK_CHECK(positions->galera->cluster_uuid.size() == kUuidBytes);

  manifest::BackupManifest said;
  said.server.page_size = 16384;
  said.binlog = positions->binlog;
  said.replica = positions->replica;
  said.galera = positions->galera;
  const auto read = manifest::ParseManifest(manifest::RenderManifest(said));
  HBK_CHECK(read.ok());
  if (said.replica) {
    const std::string text = manifest::RenderSlaveInfo(*said.replica);
    HBK_CHECK(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) <=
              said.replica->connections.size() + 1);
  }
  // JSON has no other bytes than those of UTF-8.
  if (!is_ascii) return;
  HBK_CHECK(read->binlog.has_value() == said.binlog.has_value());
  HBK_CHECK(!said.binlog || IsSame(*read->binlog, *said.binlog));
  HBK_CHECK(read->replica == said.replica && read->galera == said.galera);
}

void CheckTexts(std::string_view text) {
  const auto version = ParseServerVersion(text);
  if (version) {
    const auto again =
        ParseServerVersion(fmt::format("{}.{}.{}", version->major, version->minor, version->patch));
    HBK_CHECK(again && !(*again < *version) && !(*version < *again));
  }
  const auto line = drill::ParseVersionLine(text);
  HBK_CHECK(!line || (ParseServerVersion(*line) && line->find('\n') == std::string::npos));
  const std::string dir = drill::ParsePluginDir(text);
  HBK_CHECK(dir.empty() || (dir.starts_with('/') && dir.find('\n') == std::string::npos));
  (void)backup::ClassifyStatement(text);
  const std::string shown = backup::ShownStatement(text);
  HBK_CHECK(std::ranges::none_of(shown, [](char c) { return c >= 0 && (c < ' ' || c == 0x7f); }));
  const auto characters = std::ranges::count_if(shown, [](char c) { return (c & 0xC0) != 0x80; });
  HBK_CHECK(characters <= 100 + 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kInputBytesMax) return 0;
  std::string_view text = AsText({data, size});
  CheckTexts(text);
  std::vector<SqlAnswer> answers;
  while (!text.empty())
    answers.push_back(AnswerOf(TakeUntil(text, "--\n")));
  CheckFacts(answers);
  CheckQuestions(answers);
  CheckTables(answers);
  CheckBlockers(answers);
  for (const bool is_galera : {false, true})
    CheckPositions(answers, is_galera, IsAscii({data, size}));
  return 0;
}

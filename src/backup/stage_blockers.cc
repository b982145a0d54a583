#include "stage_blockers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hbk::backup {

namespace {

using server::BackupStage;
using server::ListedSession;
using server::ServerVersion;

constexpr size_t kShownCharactersMax = 100;

bool Contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

char UpperOf(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Behind white space, opening brackets and comments.
std::string_view SkipToWord(std::string_view text) {
  for (;;) {
    while (!text.empty() && (IsSpace(text[0]) || text[0] == '('))
      text.remove_prefix(1);
    size_t end = std::string_view::npos;
    size_t end_length = 1;
    if (text.starts_with("/*")) {
      end = text.find("*/", 2);
      end_length = 2;
    } else if (text.starts_with("-- ") || text.starts_with('#')) {
      end = text.find('\n');
    } else {
      return text;
    }
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + end_length);
  }
}

// The next word in capitals; `text` goes on behind it.
std::string TakeWord(std::string_view& text) {
  text = SkipToWord(text);
  std::string word;
  while (!text.empty() && IsWordCharacter(text[0])) {
    word += UpperOf(text[0]);
    text.remove_prefix(1);
  }
  return word;
}

std::string InCapitals(std::string_view text) {
  std::string capitals(text);
  std::ranges::transform(capitals, capitals.begin(), UpperOf);
  return capitals;
}

// CREATE and DROP of what is not a file, or only of this session, take no lock of DDL.
bool IsDdlObject(std::string_view rest) {
  constexpr std::array<std::string_view, 4> kOthers = {"TEMPORARY", "USER", "ROLE", "SERVER"};
  std::string word = TakeWord(rest);
  if (word == "OR") {  // OR REPLACE
    (void)TakeWord(rest);
    word = TakeWord(rest);
  }
  return !Contains(kOthers, word);
}

bool IsApplier(const ListedSession& session) {
  return session.command.starts_with("Slave_");
}

bool IsServerThread(const ListedSession& session) {
  return session.user == "system user" || session.user == "event_scheduler" ||
         session.command == "Daemon" || session.command.starts_with("Binlog Dump") ||
         IsApplier(session);
}

bool RunsStatement(const ListedSession& session) {
  return session.command == "Query" || session.command == "Execute";
}

// The locks that exclude a stage.
std::span<const std::string_view> ExcludingModes(BackupStage stage, bool start_waits_for_ddl) {
  static constexpr std::array<std::string_view, 7> kStart = {
      "BACKUP_START",       "BACKUP_FLUSH",     "BACKUP_WAIT_FLUSH", "BACKUP_WAIT_DDL",
      "BACKUP_WAIT_COMMIT", "BACKUP_BLOCK_DDL", "BACKUP_DDL"};
  static constexpr std::array<std::string_view, 2> kBlockDdl = {"BACKUP_DML", "BACKUP_DDL"};
  static constexpr std::array<std::string_view, 4> kBlockCommit = {
      "BACKUP_COMMIT", "BACKUP_SYS_DML", "BACKUP_DML", "BACKUP_DDL"};
  switch (stage) {
    case BackupStage::kStart:
      return std::span(kStart).first(start_waits_for_ddl ? kStart.size() : kStart.size() - 1);
    case BackupStage::kFlush: return {};  // It waits for nobody.
    case BackupStage::kBlockDdl: return kBlockDdl;
    case BackupStage::kBlockCommit: return kBlockCommit;
  }
  return {};
}

// An ALTER TABLE that copies rows holds up nobody.
bool IsCopyingAlter(const ListedSession& session) {
  constexpr std::array<std::string_view, 3> kCopying = {"copy to tmp table", "altering table",
                                                        "Enabling keys"};
  std::string_view text = session.statement;
  return TakeWord(text) == "ALTER" && Contains(kCopying, session.state);
}

bool MayHoldUp(const StageBlocker& blocker, const ServerView& view, const StageWaitFacts& facts) {
  const ListedSession& session = blocker.session;
  if (blocker.is_idle()) {
    // One that has been idle all the time: LOCK TABLES, or a stage of another backup.
    return session.command == "Sleep" && !IsServerThread(session) &&
           facts.stage != BackupStage::kFlush && facts.waited_ms != 0 &&
           session.time_ms >= facts.waited_ms;
  }
  if (!RunsStatement(session) && !IsApplier(session)) return false;
  if (session.state == "Waiting for backup lock") return false;  // It is held up itself.
  switch (facts.stage) {
    case BackupStage::kStart:
      return facts.start_waits_for_ddl && blocker.kind == StatementKind::kDdl &&
             !IsCopyingAlter(session);
    case BackupStage::kFlush: return false;
    case BackupStage::kBlockDdl:
      if (blocker.kind == StatementKind::kDdl) return !IsCopyingAlter(session);
      return blocker.kind == StatementKind::kWrite && session.time_ms >= facts.flush_held_ms &&
             std::ranges::find(view.innodb_writers, session.id) == view.innodb_writers.end();
    case BackupStage::kBlockCommit:
      return blocker.kind == StatementKind::kWrite || blocker.kind == StatementKind::kOther;
  }
  return false;
}

}  // namespace

StatementKind ClassifyStatement(std::string_view text) {
  constexpr std::array<std::string_view, 5> kWrites = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                                       "LOAD"};
  constexpr std::array<std::string_view, 6> kChanges = {"ALTER",    "RENAME", "TRUNCATE",
                                                        "OPTIMIZE", "REPAIR", "LOCK"};
  std::string word = TakeWord(text);
  if (word == "SET") {  // SET STATEMENT name=value FOR statement
    std::string_view rest = text;
    if (TakeWord(rest) == "STATEMENT") {
      const size_t at = InCapitals(rest).find(" FOR ");
      if (at != std::string::npos) return ClassifyStatement(rest.substr(at + 5));
    }
  }
  if (word.empty() && text.empty()) return StatementKind::kNone;
  if (word == "SELECT" || word == "WITH") return StatementKind::kSelect;
  if (Contains(kWrites, word)) return StatementKind::kWrite;
  if (Contains(kChanges, word)) return StatementKind::kDdl;
  if ((word == "CREATE" || word == "DROP") && IsDdlObject(text)) return StatementKind::kDdl;
  return StatementKind::kOther;
}

std::string ShownStatement(std::string_view text) {
  const std::string capitals = InCapitals(text);
  size_t size = text.size();
  for (const std::string_view word : {"IDENTIFIED", "PASSWORD"}) {
    const size_t at = capitals.find(word);
    if (at != std::string::npos) size = std::min(size, at + word.size());
  }
  std::string shown;
  size_t characters = 0;
  size_t at = 0;
  for (; at < size; ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool begins_character = (byte & 0xc0) != 0x80;
    if (begins_character && characters == kShownCharactersMax) break;
    if (begins_character) ++characters;
    // Line breaks and tabs are usual, and read as a space.
    if (IsSpace(text[at])) {
      shown += ' ';
    } else {
      shown += byte < 0x20 || byte == 0x7f ? '?' : text[at];
    }
  }
  return at < text.size() ? shown + "..." : shown;
}

Result<ServerView> LookAtServer(server::ServerSession& session) {
  ServerView view;
  // The locks first: who lets go in between is missing from the sessions at worst.
  HBK_ASSIGN_OR_RETURN(view.locks, session.ListBackupLocks());
  HBK_ASSIGN_OR_RETURN(view.innodb_writers, session.ListInnodbWriters());
  HBK_ASSIGN_OR_RETURN(view.sessions, session.ListSessions());
  return view;
}

bool StartWaitsForDdl(const ServerVersion& version) {
  struct Since {
    uint32_t major;
    uint32_t minor;
    uint32_t patch;
  };
  // Older series never; 11.3 ended before.
  constexpr Since kSince[] = {{10, 11, 8}, {11, 0, 6}, {11, 1, 5}, {11, 2, 4}};
  for (const Since& since : kSince) {
    if (version.major == since.major && version.minor == since.minor)
      return version.patch >= since.patch;
  }
  return version >= ServerVersion{11, 4, 2};
}

std::vector<StageBlocker> FindBlockers(const ServerView& view, const StageWaitFacts& facts) {
  const auto modes = ExcludingModes(facts.stage, facts.start_waits_for_ddl);
  std::vector<StageBlocker> certain;
  std::vector<StageBlocker> guesses;
  for (const ListedSession& session : view.sessions) {
    if (std::ranges::find(facts.own_ids, session.id) != facts.own_ids.end()) continue;
    StageBlocker blocker;
    blocker.session = session;
    if (session.command != "Sleep") blocker.kind = ClassifyStatement(session.statement);
    if (view.locks) {
      for (const server::HeldBackupLock& lock : *view.locks) {
        if (lock.session_id == session.id && Contains(modes, lock.mode))
          blocker.lock_modes.push_back(lock.mode);
      }
    }
    if (blocker.is_certain()) {
      certain.push_back(std::move(blocker));
    } else if (!view.locks && MayHoldUp(blocker, view, facts)) {
      guesses.push_back(std::move(blocker));
    }
  }
  std::vector<StageBlocker>& found = view.locks ? certain : guesses;
  // A statement that runs is the better guess.
  if (!view.locks && std::ranges::any_of(found, [](const StageBlocker& b) { return !b.is_idle(); }))
    std::erase_if(found, [](const StageBlocker& blocker) { return blocker.is_idle(); });
  std::ranges::stable_sort(found, [](const StageBlocker& a, const StageBlocker& b) {
    return a.session.time_ms > b.session.time_ms;
  });
  return found;
}

bool MayKill(const StageBlocker& blocker, BackupStage stage, KillQueryType type) {
  const ListedSession& session = blocker.session;
  if (IsServerThread(session) || !RunsStatement(session)) return false;
  if (!blocker.is_certain() &&
      (stage == BackupStage::kBlockCommit || session.state.starts_with("Waiting for")))
    return false;
  switch (type) {
    case KillQueryType::kSelect: return blocker.kind == StatementKind::kSelect;
    case KillQueryType::kUpdate:
      return blocker.kind == StatementKind::kWrite || blocker.kind == StatementKind::kDdl;
    case KillQueryType::kAll: return blocker.kind != StatementKind::kNone;
  }
  return false;
}

std::string DescribeBlocker(const StageBlocker& blocker) {
  const ListedSession& session = blocker.session;
  const double seconds = static_cast<double>(session.time_ms) / 1000;
  std::string text =
      fmt::format("session {} of {}@{} ({:.0f} s, ", session.id, ShownStatement(session.user),
                  ShownStatement(session.host), seconds);
  if (blocker.is_idle()) {
    text += session.command == "Sleep" ? "idle" : ShownStatement(session.command);
  } else {
    if (!session.state.empty()) text += ShownStatement(session.state) + ": ";
    text += ShownStatement(session.statement);
  }
  if (blocker.is_certain())
    return text + fmt::format(", holds {})", fmt::join(blocker.lock_modes, " and "));
  return text + ")";
}

}  // namespace hbk::backup

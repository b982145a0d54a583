#include "tests/integration/key_rotator.h"

#include <cstdlib>

namespace hbk::testing {
namespace {

// The least key version in each encrypted tablespace, by its name: an ALTER makes a new id. 0: some
// of its pages are clear.
Result<std::map<std::string, uint64_t>> ReadKeyVersions(const Mariadbd& server) {
  HBK_ASSIGN_OR_RETURN(SqlClient client, server.Connect());
  HBK_ASSIGN_OR_RETURN(const SqlRows rows,
                       client.Query("SELECT name, min_key_version FROM "
                                    "information_schema.INNODB_TABLESPACES_ENCRYPTION"));
  std::map<std::string, uint64_t> versions;
  for (size_t row = 0; row < rows.rows.size(); ++row) {
    versions[rows.Get(row, "name")] =
        std::strtoull(rows.Get(row, "min_key_version").c_str(), nullptr, 10);
  }
  return versions;
}

bool IsRotating(const Mariadbd& server) {
  auto client = server.Connect();
  if (!client.ok()) return false;
  const auto count = client->QueryNumber(
      "SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES_ENCRYPTION "
      "WHERE rotating_or_flushing <> 0 OR key_rotation_page_number IS NOT NULL");
  return count.ok() && count.value() > 0;
}

// They sleep until a setting of theirs is set, whatever versions the keys have by now.
void WakeEncryptionThreads(const Mariadbd& server) {
  auto client = server.Connect();
  if (client.ok()) (void)client->Execute("SET GLOBAL innodb_encryption_rotate_key_age = 1");
}

}  // namespace

void KeyRotator::Run(const VaultServer& vault, const Mariadbd& server) {
  auto before = ReadKeyVersions(server);
  for (uint32_t id = 1; !is_stopping_; id = id % 3 + 1) {
    // What fails here shows as a rotation that is not seen.
    (void)vault.AddKeyVersion(id);
    WakeEncryptionThreads(server);
    std::this_thread::sleep_for(milliseconds(200));
    auto after = ReadKeyVersions(server);
    if (IsRotating(server)) ++running_count_;
    if (before.ok() && after.ok()) Count(before.value(), after.value());
    before = std::move(after);
  }
}

void KeyRotator::Count(const std::map<std::string, uint64_t>& before,
                       const std::map<std::string, uint64_t>& after) {
  for (const auto& [name, version] : after) {
    const auto found = before.find(name);
    const uint64_t old = found == before.end() ? 0 : found->second;
    turned_count_ += (old == 0) != (version == 0) ? 1 : 0;
    rotated_count_ += old != 0 && version > old ? 1 : 0;
  }
}

// Tables that turn: those that say nothing follow the server's setting. One is touched by nobody
// else, so that its ALTER does not wait for transactions.
std::vector<std::string> EncryptionSwitches() {
  std::vector<std::string> all = {
      "ALTER TABLE encrypted.parts ENCRYPTED=NO", "ALTER TABLE encrypted.parts ENCRYPTED=YES",
      "ALTER TABLE plain.compact_ ENCRYPTED=YES", "ALTER TABLE plain.compact_ ENCRYPTED=NO"};
  constexpr int kOften = 4;
  for (int i = 0; i < kOften; ++i) {
    all.insert(all.end(),
               {"ALTER TABLE live.large ENCRYPTED=YES", "ALTER TABLE live.large ENCRYPTED=NO",
                "UPDATE live.large SET v = REVERSE(v) WHERE id < 500",
                "SET GLOBAL innodb_encrypt_tables = ON"});
  }
  // Seldom: no table is given a new key as long as it is off.
  all.emplace_back("SET GLOBAL innodb_encrypt_tables = OFF");
  return all;
}

}  // namespace hbk::testing

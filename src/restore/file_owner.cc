#include "file_owner.h"

#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

namespace hbk::restore {
namespace {

constexpr size_t kEntryBytes = 16384;        // what sysconf() suggests is less
constexpr size_t kEntryBytesMax = 16 << 20;  // a group of many thousand members
constexpr std::string_view kOwnerHint =
    "run as root, or as the user who is to own the files (--owner=USER:GROUP)";

std::optional<uint32_t> ParseId(std::string_view text) {
  uint32_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, id);
  // The largest id means "leave it" to chown().
  if (error != std::errc() || rest != end || id == UINT32_MAX) return std::nullopt;
  return id;
}

// Calls getpwnam_r and the like with a buffer that grows while it is too small.
template <typename Entry, typename Key, typename Lookup>
Result<std::optional<Entry>> LookUp(Lookup lookup, Key key, std::vector<char>& buffer) {
  for (buffer.resize(kEntryBytes);; buffer.resize(buffer.size() * 2)) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = lookup(key, &entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < kEntryBytesMax) continue;
    // Some libraries say "not found" with one of these.
    if (error == ENOENT || error == ESRCH) return std::optional<Entry>();
    if (error != 0) return ErrnoStatus(error, "looking up the owner");
    return found == nullptr ? std::optional<Entry>() : std::optional<Entry>(entry);
  }
}

Result<FileOwner> ParseUser(const std::string& user, FileOwner fallback) {
  std::vector<char> buffer;
  HBK_ASSIGN_OR_RETURN(const std::optional<passwd> by_name,
                       (LookUp<passwd>(getpwnam_r, user.c_str(), buffer)));
  if (by_name) return FileOwner{.uid = by_name->pw_uid, .gid = by_name->pw_gid};
  const std::optional<uint32_t> uid = ParseId(user);
  if (!uid) return UsageError(fmt::format("owner: no user '{}'", user));
  HBK_ASSIGN_OR_RETURN(const std::optional<passwd> by_id,
                       (LookUp<passwd>(getpwuid_r, uid_t{*uid}, buffer)));
  return FileOwner{.uid = *uid, .gid = by_id ? by_id->pw_gid : fallback.gid};
}

Result<uint32_t> ParseGroup(const std::string& name) {
  std::vector<char> buffer;
  HBK_ASSIGN_OR_RETURN(const std::optional<group> by_name,
                       (LookUp<group>(getgrnam_r, name.c_str(), buffer)));
  if (by_name) return uint32_t{by_name->gr_gid};
  const std::optional<uint32_t> gid = ParseId(name);
  if (!gid) return UsageError(fmt::format("owner: no group '{}'", name));
  return *gid;
}

Status WithOwnerHint(const Status& status) {
  return status.code() == StatusCode::kMissingPrivilege ? status.WithHint(kOwnerHint) : status;
}

}  // namespace

Result<FileOwner> ParseOwner(std::string_view text, FileOwner fallback) {
  const size_t colon = text.find(':');
  HBK_ASSIGN_OR_RETURN(FileOwner owner, ParseUser(std::string(text.substr(0, colon)), fallback));
  if (colon != std::string_view::npos) {
    HBK_ASSIGN_OR_RETURN(owner.gid, ParseGroup(std::string(text.substr(colon + 1))));
  }
  return owner;
}

Status GiveTo(io::FileSystem& fs, const std::string& path, FileOwner owner) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, fs.Stat(path, /*follow=*/false));
  if (FileOwner{.uid = info.uid, .gid = info.gid} == owner) return OkStatus();
  return WithOwnerHint(fs.SetOwner(path, owner.uid, owner.gid));
}

Status GiveTo(io::File& file, FileOwner owner) {
  HBK_ASSIGN_OR_RETURN(const io::FileInfo info, file.Stat());
  if (FileOwner{.uid = info.uid, .gid = info.gid} == owner) return OkStatus();
  return WithOwnerHint(file.SetOwner(owner.uid, owner.gid));
}

}  // namespace hbk::restore

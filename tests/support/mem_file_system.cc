#include "tests/support/mem_file_system.h"

#include <algorithm>
#include <cerrno>
#include <random>

#include "hbk/base/check.h"

namespace hbk::testing {

using io::DirectoryEntry;
using io::FileInfo;
using io::FileType;
using io::OpenOptions;

namespace {

constexpr size_t kBlockBytes = 4096;
constexpr size_t kSectorBytes = 512;
constexpr int kSymlinksMax = 40;

// The parts of a path, "." and ".." resolved.
std::vector<std::string> PartsOf(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.emplace_back(part);
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

std::string Joined(const std::vector<std::string>& parts, size_t count) {
  std::string path;
  for (size_t i = 0; i < count; ++i)
    path += "/" + parts[i];
  return path.empty() ? "/" : path;
}

}  // namespace

struct MemNode {
  FileInfo info;
  std::string bytes;  // of a file; of a symlink, its target
  std::string synced_bytes;
  std::vector<bool> block_is_written;  // the others are holes
  std::map<std::string, std::shared_ptr<MemNode>> entries;
  std::map<std::string, std::shared_ptr<MemNode>> synced_entries;
  const void* locked_by = nullptr;

  void Resize(size_t size) {
    bytes.resize(size);
    block_is_written.resize((size + kBlockBytes - 1) / kBlockBytes);
  }
  [[nodiscard]] FileInfo Info() const {
    FileInfo now = info;
    now.size = bytes.size();
    now.allocated_bytes =
        static_cast<uint64_t>(std::ranges::count(block_is_written, true)) * kBlockBytes;
    return now;
  }
};

struct MemFileSystem::Place {
  NodePtr directory;
  std::string name;  // empty for the root
  NodePtr node;      // null if there is nothing under the name
};

class MemFile final : public io::File {
 public:
  MemFile(MemFileSystem& fs, std::shared_ptr<MemNode> node, std::string path, bool can_write,
          bool is_direct, uint64_t crash_count)
      : fs_(fs),
        node_(std::move(node)),
        path_(std::move(path)),
        can_write_(can_write),
        is_direct_(is_direct),
        crash_count_(crash_count) {}
  ~MemFile() override {
    const MutexLock lock(fs_.mutex_);
    Unlock();
  }
  MemFile(const MemFile&) = delete;
  MemFile& operator=(const MemFile&) = delete;

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("reading", false));
    CountUnaligned(offset, out.data(), out.size());
    if (offset >= node_->bytes.size()) return size_t{0};
    const size_t n = std::min<size_t>(out.size(), node_->bytes.size() - offset);
    std::copy_n(AsBytes(node_->bytes).begin() + static_cast<ptrdiff_t>(offset), n, out.begin());
    return n;
  }

  Status WriteAt(uint64_t offset, ByteView data) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("writing", true));
    CountUnaligned(offset, data.data(), data.size());
    if (data.empty()) return OkStatus();
    node_->Resize(std::max<size_t>(node_->bytes.size(), offset + data.size()));
    std::ranges::copy(AsText(data), node_->bytes.begin() + static_cast<ptrdiff_t>(offset));
    for (size_t i = offset / kBlockBytes; i * kBlockBytes < offset + data.size(); ++i)
      node_->block_is_written[i] = true;
    Touch(true);
    return OkStatus();
  }

  Status Truncate(uint64_t size) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("setting the size of", true));
    node_->Resize(size);
    Touch(true);
    return OkStatus();
  }

  Status PunchHole(uint64_t offset, uint64_t size) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("making a hole in", true));
    if (offset >= node_->bytes.size()) return OkStatus();
    const size_t end = offset + std::min<size_t>(size, node_->bytes.size() - offset);
    std::fill(node_->bytes.begin() + static_cast<ptrdiff_t>(offset),
              node_->bytes.begin() + static_cast<ptrdiff_t>(end), '\0');
    for (size_t i = (offset + kBlockBytes - 1) / kBlockBytes; (i + 1) * kBlockBytes <= end; ++i)
      node_->block_is_written[i] = false;
    Touch(true);
    return OkStatus();
  }

  Result<bool> CloneFrom(io::File& source) override {
    const auto* const other = dynamic_cast<MemFile*>(&source);
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("cloning to", true));
    if (other == nullptr || !fs_.has_clones_) return false;
    node_->bytes = other->node_->bytes;
    node_->block_is_written = other->node_->block_is_written;
    Touch(true);
    ++fs_.clone_count_;
    return true;
  }

  Status Sync() override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("syncing", false));
    node_->synced_bytes = node_->bytes;
    fs_.synced_.push_back(path_);
    return OkStatus();
  }

  Result<FileInfo> Stat() override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("reading the attributes of", false));
    return node_->Info();
  }

  Result<uint64_t> SeekData(uint64_t offset) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("looking for data in", false));
    const uint64_t size = node_->bytes.size();
    while (offset < size && !node_->block_is_written[offset / kBlockBytes])
      offset = (offset / kBlockBytes + 1) * kBlockBytes;
    return std::min(offset, size);
  }

  Status SetOwner(uint32_t uid, uint32_t gid) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("setting the owner of", false));
    node_->info.uid = uid;
    node_->info.gid = gid;
    Touch(false);
    return OkStatus();
  }

  Status SetMode(uint32_t mode) override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("setting the mode of", false));
    node_->info.mode = mode;
    Touch(false);
    return OkStatus();
  }

  Result<bool> TryLock() override {
    const MutexLock lock(fs_.mutex_);
    HBK_RETURN_IF_ERROR(Check("locking", false));
    if (node_->locked_by != nullptr && node_->locked_by != this) return false;
    node_->locked_by = this;
    return true;
  }

  Status Close() override {
    const MutexLock lock(fs_.mutex_);
    HBK_CHECK(is_open_);
    is_open_ = false;
    Unlock();
    return OkStatus();
  }

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return is_direct_; }

 private:
  Status Check(std::string_view verb, bool needs_write) HBK_REQUIRES(fs_.mutex_) {
    HBK_CHECK(is_open_);
    const std::string what = std::string(verb) + " " + path_;
    if (crash_count_ != fs_.crash_count_) return ErrnoStatus(EIO, what);
    if (needs_write && !can_write_) return ErrnoStatus(EBADF, what);
    return OkStatus();
  }

  void CountUnaligned(uint64_t offset, const uint8_t* memory, size_t size)
      HBK_REQUIRES(fs_.mutex_) {
    const uint64_t bits = offset | reinterpret_cast<uintptr_t>(memory) | size;
    if (is_direct_ && bits % io::kDirectAlignment != 0) ++fs_.unaligned_count_;
  }

  void Touch(bool is_content) HBK_REQUIRES(fs_.mutex_) {
    node_->info.ctime_ns = fs_.Tick();
    if (is_content) node_->info.mtime_ns = node_->info.ctime_ns;
  }

  void Unlock() HBK_REQUIRES(fs_.mutex_) {
    if (node_->locked_by == this) node_->locked_by = nullptr;
  }

  MemFileSystem& fs_;
  const std::shared_ptr<MemNode> node_;
  const std::string path_;
  const bool can_write_;
  const bool is_direct_;
  const uint64_t crash_count_;
  bool is_open_ = true;
};

MemFileSystem::MemFileSystem() {
  const MutexLock lock(mutex_);
  root_ = NewNode(FileType::kDirectory, 0755);
}

MemFileSystem::~MemFileSystem() = default;

Result<std::unique_ptr<io::File>> MemFileSystem::Open(const std::string& path,
                                                      const OpenOptions& options) {
  HBK_CHECK(options.write || (!options.create && !options.truncate));
  HBK_CHECK(!(options.create && options.truncate));
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const NodePtr node, OpenNode(path, options));
  opened_.push_back(path);
  return std::unique_ptr<io::File>(std::make_unique<MemFile>(
      *this, node, path, options.write, options.direct && has_direct_, crash_count_));
}

Result<MemFileSystem::NodePtr> MemFileSystem::OpenNode(const std::string& path,
                                                       const OpenOptions& options) {
  const std::string what = (options.create ? "creating " : "opening ") + path;
  HBK_ASSIGN_OR_RETURN(const Place place, Find(path, options.follow && !options.create));
  if (options.create) {
    if (place.node != nullptr) return ErrnoStatus(EEXIST, what);
    const NodePtr node = NewNode(FileType::kRegular, options.mode);
    place.directory->entries[place.name] = node;
    Touch(*place.directory);
    return node;
  }
  if (place.node == nullptr) return ErrnoStatus(ENOENT, what);
  if (place.node->info.type == FileType::kSymlink) return ErrnoStatus(ELOOP, what);
  if (place.node->info.type != FileType::kRegular) {
    return FailedError(what + ": not a regular file");
  }
  if (options.truncate) {
    place.node->Resize(0);
    place.node->info.mtime_ns = place.node->info.ctime_ns = Tick();
  }
  return place.node;
}

Result<FileInfo> MemFileSystem::Stat(const std::string& path, bool follow) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const NodePtr node, FindNode(path, follow));
  return node->Info();
}

Result<std::vector<DirectoryEntry>> MemFileSystem::List(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const NodePtr node, FindNode(path, true));
  if (node->info.type != FileType::kDirectory) return ErrnoStatus(ENOTDIR, "listing " + path);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, entry] : node->entries)
    entries.push_back({name, entry->info.type});
  return entries;
}

Status MemFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const Place place, Find(path, false));
  if (place.node != nullptr) return ErrnoStatus(EEXIST, "creating directory " + path);
  place.directory->entries[place.name] = NewNode(FileType::kDirectory, mode);
  Touch(*place.directory);
  return OkStatus();
}

Status MemFileSystem::Rename(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  const std::string what = "renaming " + from + " to " + to;
  HBK_ASSIGN_OR_RETURN(const Place source, Find(from, false));
  HBK_ASSIGN_OR_RETURN(const Place target, Find(to, false));
  if (source.node == nullptr) return ErrnoStatus(ENOENT, what);
  if (target.node == source.node) return OkStatus();
  const bool is_directory = source.node->info.type == FileType::kDirectory;
  if (target.node != nullptr) {
    const bool replaces_directory = target.node->info.type == FileType::kDirectory;
    if (replaces_directory && !is_directory) return ErrnoStatus(EISDIR, what);
    if (!replaces_directory && is_directory) return ErrnoStatus(ENOTDIR, what);
    if (!target.node->entries.empty()) return ErrnoStatus(ENOTEMPTY, what);
  }
  target.directory->entries[target.name] = source.node;
  source.directory->entries.erase(source.name);
  Touch(*source.directory);
  Touch(*target.directory);
  source.node->info.ctime_ns = Tick();
  return OkStatus();
}

Status MemFileSystem::Remove(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const Place place, Find(path, false));
  if (place.node == nullptr) return ErrnoStatus(ENOENT, "removing " + path);
  if (place.node->info.type == FileType::kDirectory) return ErrnoStatus(EISDIR, "removing " + path);
  place.directory->entries.erase(place.name);
  Touch(*place.directory);
  return OkStatus();
}

Status MemFileSystem::RemoveDirectory(const std::string& path) {
  const MutexLock lock(mutex_);
  const std::string what = "removing directory " + path;
  HBK_ASSIGN_OR_RETURN(const Place place, Find(path, false));
  if (place.node == nullptr) return ErrnoStatus(ENOENT, what);
  if (place.node->info.type != FileType::kDirectory) return ErrnoStatus(ENOTDIR, what);
  if (!place.node->entries.empty()) return ErrnoStatus(ENOTEMPTY, what);
  if (place.name.empty()) return ErrnoStatus(EBUSY, what);
  place.directory->entries.erase(place.name);
  Touch(*place.directory);
  return OkStatus();
}

Status MemFileSystem::SyncDirectory(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const NodePtr node, FindNode(path, true));
  if (node->info.type != FileType::kDirectory) {
    return ErrnoStatus(ENOTDIR, "opening directory " + path);
  }
  node->synced_entries = node->entries;
  synced_.push_back(path);
  return OkStatus();
}

namespace {

void SyncBelow(MemNode& node) {
  node.synced_bytes = node.bytes;
  node.synced_entries = node.entries;
  for (const auto& [name, entry] : node.entries)
    SyncBelow(*entry);
}

}  // namespace

class MemWholeSync final : public io::WholeSync {
 public:
  explicit MemWholeSync(MemFileSystem& fs) : fs_(fs) {}
  Status Sync() override {
    const MutexLock lock(fs_.mutex_);
    SyncBelow(*fs_.root_);
    fs_.synced_.emplace_back("*");
    return OkStatus();
  }

 private:
  MemFileSystem& fs_;
};

Result<std::unique_ptr<io::WholeSync>> MemFileSystem::BeginWholeSync(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(FindNode(path, true).status());
  std::unique_ptr<io::WholeSync> sync;
  if (has_whole_sync_) sync = std::make_unique<MemWholeSync>(*this);
  return sync;
}

Status MemFileSystem::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const NodePtr node, FindNode(path, false));
  node->info.uid = uid;
  node->info.gid = gid;
  node->info.ctime_ns = Tick();
  return OkStatus();
}

Result<uint64_t> MemFileSystem::FreeBytes(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(FindNode(path, true).status());
  return free_bytes_;
}

Result<bool> MemFileSystem::KeepsFileTimes(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(FindNode(path, true).status());
  return keeps_file_times_;
}

Result<std::string> MemFileSystem::ReadLink(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_ASSIGN_OR_RETURN(const NodePtr node, FindNode(path, false));
  if (node->info.type != FileType::kSymlink) {
    return ErrnoStatus(EINVAL, "reading the symbolic link " + path);
  }
  return node->bytes;
}

Result<int64_t> MemFileSystem::LockHolder(const std::string& path) {
  const MutexLock lock(mutex_);
  HBK_RETURN_IF_ERROR(FindNode(path, true).status());
  const auto found = lock_holders_.find(path);
  return found == lock_holders_.end() ? int64_t{0} : found->second;
}

Result<MemFileSystem::Place> MemFileSystem::Find(const std::string& path, bool follow) {
  std::vector<std::string> parts = PartsOf(path);
  Place place{.directory = root_, .name = "", .node = root_};
  int symlinks = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (place.node == nullptr) return ErrnoStatus(ENOENT, "looking for " + path);
    if (place.node->info.type != FileType::kDirectory) {
      return ErrnoStatus(ENOTDIR, "looking for " + path);
    }
    place.directory = place.node;
    place.name = parts[i];
    const auto found = place.directory->entries.find(place.name);
    place.node = found == place.directory->entries.end() ? nullptr : found->second;
    const bool is_last = i + 1 == parts.size();
    if (place.node == nullptr || place.node->info.type != FileType::kSymlink) continue;
    if (is_last && !follow) continue;
    if (++symlinks > kSymlinksMax) return ErrnoStatus(ELOOP, "looking for " + path);
    // From the top again, with the target in place of the symlink.
    std::vector<std::string> rest = PartsOf(io::JoinPath(Joined(parts, i), place.node->bytes));
    rest.insert(rest.end(), parts.begin() + static_cast<ptrdiff_t>(i) + 1, parts.end());
    parts = std::move(rest);
    place = {.directory = root_, .name = "", .node = root_};
    i = static_cast<size_t>(-1);
  }
  return place;
}

Result<MemFileSystem::NodePtr> MemFileSystem::FindNode(const std::string& path, bool follow) {
  HBK_ASSIGN_OR_RETURN(Place place, Find(path, follow));
  if (place.node == nullptr) return ErrnoStatus(ENOENT, "looking for " + path);
  return place.node;
}

MemFileSystem::NodePtr MemFileSystem::NewNode(FileType type, uint32_t mode) {
  auto node = std::make_shared<MemNode>();
  node->info.type = type;
  node->info.device = 1;
  node->info.inode = ++last_inode_;
  node->info.mode = mode;
  node->info.mtime_ns = node->info.ctime_ns = Tick();
  if (has_births_) node->info.birth_ns = node->info.ctime_ns;
  return node;
}

void MemFileSystem::Touch(MemNode& directory) {
  directory.info.mtime_ns = directory.info.ctime_ns = Tick();
}

MemFileSystem::NodePtr MemFileSystem::MakeDirectoriesSynced(const std::string& path) {
  NodePtr node = root_;
  for (const std::string& part : PartsOf(path)) {
    NodePtr& entry = node->entries[part];
    if (entry == nullptr) {
      entry = NewNode(FileType::kDirectory, 0700);
      node->synced_entries[part] = entry;
      Touch(*node);
    }
    HBK_CHECK(entry->info.type == FileType::kDirectory);
    node = entry;
  }
  return node;
}

void MemFileSystem::PutFile(const std::string& path, std::string_view bytes) {
  const MutexLock lock(mutex_);
  const NodePtr directory = MakeDirectoriesSynced(io::DirName(path));
  const NodePtr node = NewNode(FileType::kRegular, 0660);
  node->Resize(bytes.size());
  node->bytes = node->synced_bytes = bytes;
  node->block_is_written.assign(node->block_is_written.size(), true);
  const std::string name(io::BaseName(path));
  directory->entries[name] = directory->synced_entries[name] = node;
  Touch(*directory);
}

void MemFileSystem::PutDirectory(const std::string& path) {
  const MutexLock lock(mutex_);
  (void)MakeDirectoriesSynced(path);
}

void MemFileSystem::PutSymlink(const std::string& path, const std::string& target) {
  const MutexLock lock(mutex_);
  const NodePtr directory = MakeDirectoriesSynced(io::DirName(path));
  const NodePtr node = NewNode(FileType::kSymlink, 0777);
  node->bytes = node->synced_bytes = target;
  const std::string name(io::BaseName(path));
  directory->entries[name] = directory->synced_entries[name] = node;
  Touch(*directory);
}

std::string MemFileSystem::Contents(const std::string& path) {
  const MutexLock lock(mutex_);
  const Result<NodePtr> node = FindNode(path, true);
  HBK_CHECK(node.ok() && (*node)->info.type == FileType::kRegular);
  return (*node)->bytes;
}

std::map<std::string, std::string> MemFileSystem::Tree(const std::string& dir) {
  std::map<std::string, std::string> tree;
  const auto entries = List(dir);
  HBK_CHECK(entries.ok());
  for (const DirectoryEntry& entry : *entries) {
    const std::string path = io::JoinPath(dir, entry.name);
    if (entry.type == FileType::kDirectory) {
      tree.merge(Tree(path));
    } else if (entry.type == FileType::kRegular) {
      tree[path] = Contents(path);
    }
  }
  return tree;
}

void MemFileSystem::SetFreeBytes(uint64_t bytes) {
  const MutexLock lock(mutex_);
  free_bytes_ = bytes;
}

void MemFileSystem::SetKeepsFileTimes(bool keeps_file_times) {
  const MutexLock lock(mutex_);
  keeps_file_times_ = keeps_file_times;
}

void MemFileSystem::SetHasBirths(bool has_births) {
  const MutexLock lock(mutex_);
  has_births_ = has_births;
}

void MemFileSystem::SetLockHolder(const std::string& path, int64_t pid) {
  const MutexLock lock(mutex_);
  lock_holders_[path] = pid;
}

void MemFileSystem::SetHasClones(bool has_clones) {
  const MutexLock lock(mutex_);
  has_clones_ = has_clones;
}

void MemFileSystem::SetHasWholeSync(bool has_whole_sync) {
  const MutexLock lock(mutex_);
  has_whole_sync_ = has_whole_sync;
}

uint64_t MemFileSystem::clone_count() const {
  const MutexLock lock(mutex_);
  return clone_count_;
}

void MemFileSystem::SetHasDirect(bool has_direct) {
  const MutexLock lock(mutex_);
  has_direct_ = has_direct;
}

std::vector<std::string> MemFileSystem::opened() const {
  const MutexLock lock(mutex_);
  return opened_;
}

std::vector<std::string> MemFileSystem::synced() const {
  const MutexLock lock(mutex_);
  return synced_;
}

uint64_t MemFileSystem::unaligned_direct_transfer_count() const {
  const MutexLock lock(mutex_);
  return unaligned_count_;
}

namespace {

// Every sector that differs is the old one or the new one.
void MixBytes(MemNode& node, std::mt19937* random) {
  std::string mixed = node.synced_bytes;
  if (random != nullptr) {
    if ((*random)() % 2 == 0) mixed.resize(node.bytes.size());
    for (size_t at = 0; at < std::min(mixed.size(), node.bytes.size()); at += kSectorBytes) {
      if ((*random)() % 2 == 0) continue;
      const size_t n = std::min({kSectorBytes, mixed.size() - at, node.bytes.size() - at});
      mixed.replace(at, n, node.bytes, at, n);
    }
  }
  node.Resize(mixed.size());
  node.bytes = node.synced_bytes = mixed;
  node.block_is_written.assign(node.block_is_written.size(), true);
}

void CrashBelow(MemNode& node, bool keeps_names, std::mt19937* random) {
  node.locked_by = nullptr;
  if (node.info.type == FileType::kRegular && node.bytes != node.synced_bytes) {
    MixBytes(node, random);
  }
  (keeps_names ? node.synced_entries : node.entries) =
      keeps_names ? node.entries : node.synced_entries;
  for (const auto& [name, entry] : node.entries)
    CrashBelow(*entry, keeps_names, random);
}

}  // namespace

void MemFileSystem::Crash(uint32_t seed) {
  const MutexLock lock(mutex_);
  ++crash_count_;
  if (seed == 0) {
    CrashBelow(*root_, false, nullptr);
    return;
  }
  std::mt19937 random(seed);
  CrashBelow(*root_, random() % 2 == 0, &random);
}

}  // namespace hbk::testing

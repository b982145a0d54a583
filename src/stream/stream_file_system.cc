#include "hbk/stream/stream_file_system.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hbk/base/check.h"

namespace hbk::stream {
namespace {

constexpr uint64_t kEndlessBytes = uint64_t{1} << 62;
constexpr std::string_view kTemporarySuffix = ".tmp";

Status NotFound(const std::string& path) {
  return NotFoundError(fmt::format("{} in the stream: there is no such file", path));
}

Status Unsupported(const std::string& path, std::string_view what) {
  return UnsupportedError(fmt::format("{}: in a stream a file cannot {}", path, what));
}

std::string ParentOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

}  // namespace

struct StreamFileSystem::Node {
  bool is_directory = false;
  bool is_held = false;
  uint32_t file = 0;
  std::atomic<uint64_t> size = 0;
  std::atomic<bool> is_open = false;
  Mutex mutex;
  std::vector<uint8_t> content HBK_GUARDED_BY(mutex);  // if it is held

  [[nodiscard]] io::FileInfo Info() const {
    io::FileInfo info;
    info.type = is_directory ? io::FileType::kDirectory : io::FileType::kRegular;
    info.size = size;
    info.allocated_bytes = size;
    info.mode = is_directory ? 0700 : 0600;
    info.inode = file;
    return info;
  }
  void GrowTo(uint64_t end) {
    uint64_t known = size;
    while (known < end && !size.compare_exchange_weak(known, end)) {
    }
  }
};

// One that is in the stream: being written, or opened once more to be synced.
class StreamFileSystem::SentFile final : public io::File {
 public:
  SentFile(StreamWriter& writer, NodePtr node, std::string path, bool is_written)
      : writer_(writer), node_(std::move(node)), path_(std::move(path)), is_written_(is_written) {}

  Result<size_t> ReadAt(uint64_t /*offset*/, MutableByteView /*out*/) override {
    return Unsupported(path_, "be read back");
  }
  Status WriteAt(uint64_t offset, ByteView data) override {
    if (!is_written_) return Unsupported(path_, "be written to again");
    HBK_RETURN_IF_ERROR(writer_.Write(node_->file, offset, data));
    node_->GrowTo(offset + data.size());
    return OkStatus();
  }
  Status Truncate(uint64_t size) override {
    if (!is_written_) return Unsupported(path_, "be cut once it is closed");
    node_->size = size;
    return OkStatus();
  }
  // An archive has no holes that it is not told of, and large pieces are better than small ones.
  Result<uint64_t> WriteSparse(uint64_t offset, ByteView data, size_t /*hole_bytes*/) override {
    HBK_RETURN_IF_ERROR(WriteAt(offset, data));
    return uint64_t{data.size()};
  }
  Status SkipZeros(uint64_t offset, uint64_t size) override { return PunchHole(offset, size); }
  Status PunchHole(uint64_t offset, uint64_t size) override {
    const uint64_t end = node_->size;
    if (!is_written_) return Unsupported(path_, "be written to again");
    if (offset >= end) return OkStatus();
    return writer_.SkipHole(node_->file, offset, std::min(size, end - offset));
  }
  Status Sync() override { return OkStatus(); }
  Result<io::FileInfo> Stat() override { return node_->Info(); }
  Result<uint64_t> SeekData(uint64_t offset) override { return offset; }
  Status SetOwner(uint32_t /*uid*/, uint32_t /*gid*/) override { return OkStatus(); }
  Status SetMode(uint32_t /*mode*/) override { return OkStatus(); }
  Status Close() override {
    if (!is_written_) return OkStatus();
    is_written_ = false;
    HBK_RETURN_IF_ERROR(writer_.CloseFile(node_->file, node_->size));
    node_->is_open = false;
    return OkStatus();
  }
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return false; }
  [[nodiscard]] bool is_encoded() const override { return true; }

 private:
  StreamWriter& writer_;
  const NodePtr node_;
  const std::string path_;
  bool is_written_;
};

// One in memory.
class StreamFileSystem::HeldFile final : public io::File {
 public:
  HeldFile(NodePtr node, std::string path) : node_(std::move(node)), path_(std::move(path)) {}

  Result<size_t> ReadAt(uint64_t offset, MutableByteView out) override {
    const MutexLock lock(node_->mutex);
    const uint64_t end = node_->content.size();
    if (offset >= end) return size_t{0};
    const size_t size = std::min<uint64_t>(out.size(), end - offset);
    std::copy_n(node_->content.begin() + static_cast<ptrdiff_t>(offset), size, out.begin());
    return size;
  }
  Status WriteAt(uint64_t offset, ByteView data) override {
    const MutexLock lock(node_->mutex);
    HBK_RETURN_IF_ERROR(CheckSize(offset, data.size()));
    if (node_->content.size() < offset + data.size()) node_->content.resize(offset + data.size());
    std::ranges::copy(data, node_->content.begin() + static_cast<ptrdiff_t>(offset));
    node_->size = node_->content.size();
    return OkStatus();
  }
  Status Truncate(uint64_t size) override {
    const MutexLock lock(node_->mutex);
    HBK_RETURN_IF_ERROR(CheckSize(size, 0));
    node_->content.resize(size);
    node_->size = size;
    return OkStatus();
  }
  Status Sync() override { return OkStatus(); }
  Result<io::FileInfo> Stat() override { return node_->Info(); }
  Result<uint64_t> SeekData(uint64_t offset) override { return offset; }
  Status SetOwner(uint32_t /*uid*/, uint32_t /*gid*/) override { return OkStatus(); }
  Status SetMode(uint32_t /*mode*/) override { return OkStatus(); }
  Status Close() override { return OkStatus(); }
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] bool is_direct() const override { return false; }

 private:
  [[nodiscard]] Status CheckSize(uint64_t offset, uint64_t size) const {
    if (offset <= kHeldBytesMax && size <= kHeldBytesMax - offset) return OkStatus();
    return Unsupported(path_, "be so large before it has its name");
  }

  const NodePtr node_;
  const std::string path_;
};

StreamFileSystem::StreamFileSystem(io::FileSystem& below, Options options,
                                   std::unique_ptr<StreamWriter> writer)
    : below_(below), options_(std::move(options)), writer_(std::move(writer)) {}

StreamFileSystem::~StreamFileSystem() = default;

std::optional<std::string> StreamFileSystem::NameOf(const std::string& path) const {
  std::string_view root = options_.root;
  while (root.size() > 1 && root.ends_with('/'))
    root.remove_suffix(1);
  std::string_view rest = path;
  if (!rest.starts_with(root)) return std::nullopt;
  rest.remove_prefix(root.size());
  if (!rest.empty() && rest.front() != '/' && !root.ends_with('/')) return std::nullopt;
  while (rest.starts_with('/'))
    rest.remove_prefix(1);
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  return std::string(rest);
}

bool StreamFileSystem::IsHeld(const std::string& name) const {
  return name.ends_with(kTemporarySuffix) || options_.unsent.contains(name);
}

StreamFileSystem::NodePtr StreamFileSystem::Find(const std::string& name) {
  if (name.empty()) {
    auto root = std::make_shared<Node>();
    root->is_directory = true;
    return root;
  }
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : found->second;
}

Status StreamFileSystem::CheckParent(const std::string& name) {
  const std::string parent = ParentOf(name);
  const NodePtr node = Find(parent);
  if (node && node->is_directory) return OkStatus();
  return NotFoundError(fmt::format("{} in the stream: there is no such directory", parent));
}

Status StreamFileSystem::Finish() {
  const MutexLock lock(mutex_);
  for (const auto& [name, node] : nodes_) {
    if (node->is_open) return FailedError(fmt::format("{} in the stream was not closed", name));
    // Its content would be in no archive.
    if (node->is_held && !options_.unsent.contains(name))
      return FailedError(fmt::format("{} in the stream has not got its final name", name));
  }
  return writer_->Finish();
}

Result<std::unique_ptr<io::File>> StreamFileSystem::Open(const std::string& path,
                                                         const io::OpenOptions& options) {
  const auto name = NameOf(path);
  if (!name) return below_.Open(path, options);
  const MutexLock lock(mutex_);
  if (options.write) return OpenForWriting(*name, path, options);
  const NodePtr node = Find(*name);
  if (!node) return NotFound(path);
  if (node->is_directory) return FailedError(fmt::format("opening {}: it is a directory", path));
  if (node->is_held) return std::unique_ptr<io::File>(std::make_unique<HeldFile>(node, path));
  return std::unique_ptr<io::File>(
      std::make_unique<SentFile>(*writer_, node, path, /*is_written=*/false));
}

Result<std::unique_ptr<io::File>> StreamFileSystem::OpenForWriting(const std::string& name,
                                                                   const std::string& path,
                                                                   const io::OpenOptions& options) {
  NodePtr node = Find(name);
  if (!node && !options.create) return NotFound(path);
  if (node && options.create)
    return Status(StatusCode::kAlreadyExists, fmt::format("creating {}: it exists", path));
  if (node && node->is_directory)
    return FailedError(fmt::format("opening {}: it is a directory", path));
  HBK_RETURN_IF_ERROR(CheckParent(name));
  if (node && node->is_held) {
    auto held = std::make_unique<HeldFile>(node, path);
    if (options.truncate) HBK_RETURN_IF_ERROR(held->Truncate(0));
    return std::unique_ptr<io::File>(std::move(held));
  }
  if (node && !options.truncate) return Unsupported(path, "be written to again");
  // What was there is taken back.
  if (node) HBK_RETURN_IF_ERROR(RemoveNode(name, node));
  node = std::make_shared<Node>();
  node->is_held = IsHeld(name);
  node->file = ++last_file_;
  if (node->is_held) {
    nodes_[name] = node;
    return std::unique_ptr<io::File>(std::make_unique<HeldFile>(node, path));
  }
  HBK_RETURN_IF_ERROR(writer_->OpenFile(node->file, name));
  node->is_open = true;
  nodes_[name] = node;
  return std::unique_ptr<io::File>(
      std::make_unique<SentFile>(*writer_, node, path, /*is_written=*/true));
}

Result<io::FileInfo> StreamFileSystem::Stat(const std::string& path, bool follow) {
  const auto name = NameOf(path);
  if (!name) return below_.Stat(path, follow);
  const MutexLock lock(mutex_);
  const NodePtr node = Find(*name);
  if (!node) return NotFound(path);
  return node->Info();
}

Result<std::vector<io::DirectoryEntry>> StreamFileSystem::List(const std::string& path) {
  const auto name = NameOf(path);
  if (!name) return below_.List(path);
  const MutexLock lock(mutex_);
  const NodePtr directory = Find(*name);
  if (!directory || !directory->is_directory) return NotFound(path);
  const std::string prefix = name->empty() ? "" : *name + "/";
  std::vector<io::DirectoryEntry> entries;
  for (auto it = nodes_.lower_bound(prefix); it != nodes_.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    const std::string entry = it->first.substr(prefix.size());
    if (entry.find('/') != std::string::npos) continue;
    entries.push_back({entry, it->second->Info().type});
  }
  std::ranges::sort(entries, {}, &io::DirectoryEntry::name);
  return entries;
}

Result<std::vector<io::FileEntry>> StreamFileSystem::ListWithInfo(
    const std::string& path, const std::function<bool(std::string_view)>& is_wanted) {
  // That of the file system below may be faster than the one that is made of List and Stat.
  if (!NameOf(path)) return below_.ListWithInfo(path, is_wanted);
  return io::FileSystem::ListWithInfo(path, is_wanted);
}

Status StreamFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  const auto name = NameOf(path);
  if (!name) return below_.MakeDirectory(path, mode);
  const MutexLock lock(mutex_);
  if (Find(*name))
    return {StatusCode::kAlreadyExists, fmt::format("creating directory {}: it exists", path)};
  HBK_RETURN_IF_ERROR(CheckParent(*name));
  HBK_RETURN_IF_ERROR(writer_->MakeDirectory(*name));
  auto node = std::make_shared<Node>();
  node->is_directory = true;
  nodes_[*name] = std::move(node);
  return OkStatus();
}

Status StreamFileSystem::RemoveNode(const std::string& name, const NodePtr& node) {
  if (node->is_open) return Unsupported(name, "be removed while it is open");
  if (!node->is_held) HBK_RETURN_IF_ERROR(writer_->Remove(name));
  nodes_.erase(name);
  return OkStatus();
}

// Under its final name.
Status StreamFileSystem::SendHeld(const std::string& name, Node& node) {
  // It was written like that because somebody relies on it.
  HBK_RETURN_IF_ERROR(writer_->Settle());
  node.file = ++last_file_;
  HBK_RETURN_IF_ERROR(writer_->OpenFile(node.file, name));
  const MutexLock lock(node.mutex);
  HBK_RETURN_IF_ERROR(writer_->Write(node.file, 0, node.content));
  HBK_RETURN_IF_ERROR(writer_->CloseFile(node.file, node.content.size()));
  node.is_held = false;
  node.content = {};
  return OkStatus();
}

Status StreamFileSystem::Rename(const std::string& from, const std::string& to) {
  const auto old_name = NameOf(from);
  const auto new_name = NameOf(to);
  if (!old_name && !new_name) return below_.Rename(from, to);
  if (!old_name || !new_name) return Unsupported(from, "come from elsewhere, or go there");
  const MutexLock lock(mutex_);
  const NodePtr node = Find(*old_name);
  if (!node) return NotFound(from);
  if (node->is_directory || node->is_open)
    return Unsupported(from, "be renamed while it is open, nor can a directory");
  if (*old_name == *new_name) return OkStatus();
  HBK_RETURN_IF_ERROR(CheckParent(*new_name));
  const NodePtr replaced = Find(*new_name);
  if (replaced && replaced->is_directory)
    return FailedError(fmt::format("renaming {} to {}: that is a directory", from, to));
  const bool stays_held = IsHeld(*new_name);
  if (stays_held && !node->is_held) return Unsupported(from, "get a temporary name again");
  if (replaced) HBK_RETURN_IF_ERROR(RemoveNode(*new_name, replaced));
  if (!node->is_held) {
    HBK_RETURN_IF_ERROR(writer_->Rename(*old_name, *new_name));
  } else if (!stays_held) {
    HBK_RETURN_IF_ERROR(SendHeld(*new_name, *node));
  }
  nodes_.erase(*old_name);
  nodes_[*new_name] = node;
  return OkStatus();
}

Status StreamFileSystem::Remove(const std::string& path) {
  const auto name = NameOf(path);
  if (!name) return below_.Remove(path);
  const MutexLock lock(mutex_);
  const NodePtr node = Find(*name);
  if (!node) return NotFound(path);
  if (node->is_directory) return FailedError(fmt::format("removing {}: it is a directory", path));
  return RemoveNode(*name, node);
}

Status StreamFileSystem::RemoveDirectory(const std::string& path) {
  const auto name = NameOf(path);
  if (!name) return below_.RemoveDirectory(path);
  const MutexLock lock(mutex_);
  const NodePtr node = Find(*name);
  if (!node) return NotFound(path);
  if (!node->is_directory || name->empty())
    return FailedError(fmt::format("removing directory {}: it is none that can go", path));
  const auto inside = nodes_.lower_bound(*name + "/");
  if (inside != nodes_.end() && inside->first.starts_with(*name + "/"))
    return FailedError(fmt::format("removing directory {}: it is not empty", path));
  HBK_RETURN_IF_ERROR(writer_->RemoveDirectory(*name));
  nodes_.erase(*name);
  return OkStatus();
}

Status StreamFileSystem::SyncDirectory(const std::string& path) {
  return NameOf(path) ? OkStatus() : below_.SyncDirectory(path);
}

Status StreamFileSystem::SetOwner(const std::string& path, uint32_t uid, uint32_t gid) {
  return NameOf(path) ? OkStatus() : below_.SetOwner(path, uid, gid);
}

Result<uint64_t> StreamFileSystem::FreeBytes(const std::string& path) {
  if (!NameOf(path)) return below_.FreeBytes(path);
  return kEndlessBytes;
}

Result<bool> StreamFileSystem::KeepsFileTimes(const std::string& path) {
  if (!NameOf(path)) return below_.KeepsFileTimes(path);
  return false;
}

Result<std::string> StreamFileSystem::ReadLink(const std::string& path) {
  if (!NameOf(path)) return below_.ReadLink(path);
  return Unsupported(path, "be a symlink");
}

Result<int64_t> StreamFileSystem::LockHolder(const std::string& path) {
  if (!NameOf(path)) return below_.LockHolder(path);
  return int64_t{0};
}

Result<std::unique_ptr<StreamFileSystem>> OpenStreamToStdout(io::FileSystem& below,
                                                             StreamFormat format,
                                                             StreamFileSystem::Options options,
                                                             std::stop_token stop) {
  auto sink = io::OpenStdout(std::move(stop));
  if (!sink.ok()) {
    return sink.status().WithHint(
        "send the stream somewhere: hbk backup --stream=hbk ... > FILE, or into a pipe");
  }
  return std::make_unique<StreamFileSystem>(below, std::move(options),
                                            MakeStreamWriter(format, std::move(*sink)));
}

}  // namespace hbk::stream

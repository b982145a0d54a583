#include "tests/support/live/mariadbd.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/support/live/scratch_dir.h"

namespace hbk::testing {
namespace {

using std::chrono::steady_clock;

// A start after a crash, on a machine that does something else too.
constexpr milliseconds kStartLimit{120'000};
constexpr milliseconds kStopLimit{120'000};

void AddUserWhenRoot(std::vector<std::string>& argv) {
  if (geteuid() == 0) {
    argv.emplace_back("--user=root");
  }
}

Status InstallTemplate(const std::string& work_dir, const std::string& final_dir,
                       const std::vector<std::string>& install_options, const ServerTree& tree) {
  HBK_RETURN_IF_ERROR(RemoveTree(work_dir));
  HBK_RETURN_IF_ERROR(MakeDirectory(work_dir));
  // Not /tmp: a server that starts there meanwhile removes the temporary tables.
  const std::string temporary_dir = work_dir + ".tmp";
  HBK_RETURN_IF_ERROR(MakeDirectory(temporary_dir));
  std::vector<std::string> argv = {tree.Program("mariadb-install-db"), "--no-defaults",
                                   "--datadir=" + work_dir,
                                   "--auth-root-authentication-method=normal",
                                   // --force: on a machine whose own name does not resolve, too.
                                   "--force", "--skip-test-db", "--tmpdir=" + temporary_dir};
  AddUserWhenRoot(argv);
  argv.insert(argv.end(), install_options.begin(), install_options.end());
  HBK_ASSIGN_OR_RETURN(const ProcessEnd end, RunProcess(argv, {.output_path = work_dir + ".log"}));
  if (!end.succeeded()) {
    return FailedError("mariadb-install-db: " + end.Describe());
  }
  if (rename(work_dir.c_str(), final_dir.c_str()) != 0) {
    return ErrnoStatus(errno, "renaming " + work_dir);
  }
  return OkStatus();
}

}  // namespace

Result<int> FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return ErrnoStatus(errno, "socket");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
  const bool is_bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  const int error_number = errno;
  close(fd);
  if (!is_bound) {
    return ErrnoStatus(error_number, "binding to 127.0.0.1");
  }
  return static_cast<int>(ntohs(address.sin_port));
}

Result<std::string> TemplateDataDir(const std::vector<std::string>& install_options,
                                    const ServerTree& tree) {
  const std::string parent = HBK_TEST_BINARY_DIR;
  std::string dir = parent + "/template-datadir" + tree.series;
  for (const std::string& option : install_options) {
    dir += option;  // "--innodb-page-size=4k" is a good part of a name
  }
  HBK_RETURN_IF_ERROR(MakeDirectory(parent));
  const int lock_fd = open((dir + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd < 0 || flock(lock_fd, LOCK_EX) != 0) {
    return ErrnoStatus(errno, "locking " + dir + ".lock");
  }
  std::error_code error;
  const Status status = std::filesystem::exists(dir, error)
                            ? OkStatus()
                            : InstallTemplate(dir + ".new", dir, install_options, tree);
  close(lock_fd);
  HBK_RETURN_IF_ERROR(status);
  return dir;
}

Mariadbd::Mariadbd(MariadbdOptions options) : options_(std::move(options)) {
  if (options_.data_dir.empty()) {
    options_.data_dir = options_.base_dir + "/data";
  }
  socket_path_ = options_.base_dir + "/server.sock";
}

Result<std::unique_ptr<Mariadbd>> Mariadbd::Start(const MariadbdOptions& options) {
  std::unique_ptr<Mariadbd> server(new Mariadbd(options));
  HBK_RETURN_IF_ERROR(server->PrepareDirectories());
  HBK_RETURN_IF_ERROR(server->Start());
  return server;
}

Status Mariadbd::PrepareDirectories() const {
  HBK_RETURN_IF_ERROR(MakeDirectory(options_.base_dir + "/tmp"));
  if (options_.has_data) {
    return OkStatus();
  }
  HBK_ASSIGN_OR_RETURN(const std::string source,
                       TemplateDataDir(options_.install_options, options_.tree));
  return CopyTree(source, options_.data_dir);
}

Status Mariadbd::Start() {
  HBK_ASSIGN_OR_RETURN(port_, FreePort());
  std::vector<std::string> argv = {options_.tree.Program("mariadbd"),
                                   "--no-defaults",
                                   "--datadir=" + options_.data_dir,
                                   "--socket=" + socket_path_,
                                   fmt::format("--port={}", port_),
                                   "--bind-address=127.0.0.1",
                                   "--skip-name-resolve",
                                   "--tmpdir=" + options_.base_dir + "/tmp",
                                   "--pid-file=" + options_.base_dir + "/server.pid",
                                   "--log-error=" + options_.base_dir + "/error.log",
                                   fmt::format("--server-id={}", options_.server_id),
                                   "--innodb-buffer-pool-size=64M",
                                   "--key-buffer-size=8M",
                                   "--aria-pagecache-buffer-size=8M"};
  AddUserWhenRoot(argv);
  for (const auto* more : {&options_.install_options, &options_.extra}) {
    argv.insert(argv.end(), more->begin(), more->end());
  }
  HBK_ASSIGN_OR_RETURN(process_,
                       Process::Start(argv, {.output_path = options_.base_dir + "/stdout.log"}));
  return WaitUntilItAnswers();
}

Status Mariadbd::WaitUntilItAnswers() {
  const auto deadline = steady_clock::now() + kStartLimit;
  Status last;
  while (steady_clock::now() < deadline) {
    if (process_->HasEndedWithin(milliseconds(20))) {
      return FailedError(fmt::format("mariadbd ended at its start:\n{}{}", Tail(ErrorLog(), 40),
                                     process_->Wait(milliseconds(0)).Describe()));
    }
    last = Connect().status();
    if (last.ok()) {
      return last;
    }
  }
  return last.WithContext("mariadbd did not answer in time:\n" + Tail(ErrorLog(), 40));
}

Status Mariadbd::Stop() {
  process_->Signal(SIGTERM);
  const ProcessEnd end = process_->Wait(kStopLimit);
  if (!end.succeeded()) {
    return FailedError(
        fmt::format("shutdown of mariadbd: {}\n{}", end.Describe(), Tail(ErrorLog(), 40)));
  }
  return OkStatus();
}

void Mariadbd::Kill9() {
  process_->Signal(SIGKILL);
  process_->Wait(kStopLimit);
}

Result<SqlClient> Mariadbd::Connect() const {
  return SqlClient::Connect(socket_path_);
}

bool Mariadbd::IsRunning() {
  return !process_->HasEndedWithin(milliseconds(0));
}

std::string Mariadbd::ErrorLog() const {
  auto text = ReadWholeFile(options_.base_dir + "/error.log");
  return text.ok() ? std::move(text).value() : "";
}

}  // namespace hbk::testing

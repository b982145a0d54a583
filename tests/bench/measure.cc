// measure LABEL FILE -- COMMAND...: runs a command and appends one line of what it cost to FILE:
// label, exit code, wall, user and system seconds, peak memory in KiB, by how many KiB the page
// cache has grown, KiB read from and written to disks, tab separated.
//
// Of the command and of those it has waited for; memory is that of the largest process.
//
// The command's own output goes where ours goes. Exit code: that of the command.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

double Seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

// Files in the page cache of the machine, KiB.
int64_t CachedKib() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  int64_t kib = 0;
  std::string unit;
  while (meminfo >> name >> kib && std::getline(meminfo, unit))
    if (name == "Cached:") return kib;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || std::strcmp(argv[3], "--") != 0) {
    (void)std::fputs("usage: measure LABEL FILE -- COMMAND...\n", stderr);
    return 2;
  }
  const int64_t cached_before = CachedKib();
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = fork();
  if (pid < 0) return 2;
  if (pid == 0) {
    execvp(argv[4], argv + 4);
    std::perror(argv[4]);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (wait4(pid, &status, 0, &usage) != pid) return 2;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

  std::ofstream out(argv[2], std::ios::app);
  out << argv[1] << '\t' << code << '\t' << wall.count() << '\t' << Seconds(usage.ru_utime) << '\t'
      << Seconds(usage.ru_stime) << '\t' << usage.ru_maxrss << '\t' << CachedKib() - cached_before
      << '\t' << usage.ru_inblock / 2 << '\t' << usage.ru_oublock / 2 << '\n';
  return out.flush() ? code : 2;
}

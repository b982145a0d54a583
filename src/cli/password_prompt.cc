#include "password_prompt.h"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <termios.h>

#include "wipe.h"

namespace hbk::cli {
namespace {

constexpr size_t kPasswordBytesMax = 1024;

// The terminal without echo and without signals from keys, as long as this lives: Ctrl-C must not
// leave the terminal of the user without echo.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    if (tcgetattr(fd_, &saved_) != 0) return;
    termios silent = saved_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG | ICANON);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    is_silent_ = tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
  }
  ~SilentTerminal() {
    if (is_silent_) tcsetattr(fd_, TCSAFLUSH, &saved_);
    close(fd_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  [[nodiscard]] bool is_silent() const { return is_silent_; }

 private:
  int fd_;
  termios saved_ = {};
  bool is_silent_ = false;
};

constexpr char kCtrlC = 3;
constexpr char kCtrlD = 4;
constexpr char kCtrlU = 21;
constexpr char kBackspace = 8;
constexpr char kDelete = 127;

// Reads up to the end of the line; keys edit as they do in a shell.
Result<Secret> ReadHiddenLine(int fd) {
  std::string text;
  text.reserve(kPasswordBytesMax);  // never moved, so that one place is to be wiped
  char c = 0;
  while (text.size() < kPasswordBytesMax) {
    const ssize_t got = read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || c == '\n' || c == '\r' || c == kCtrlD) break;
    if (c == kCtrlC) {
      WipeText(text);
      return InterruptedError();
    }
    if (c == kCtrlU) {
      WipeText(text);
    } else if (c == kBackspace || c == kDelete) {
      if (!text.empty()) text.pop_back();
    } else {
      text += c;
    }
  }
  Secret password(text);
  WipeText(text);
  return password;
}

}  // namespace

Result<Secret> AskPassword(std::string_view prompt, std::string_view variable) {
  const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (fd < 0) {
    return UsageError("no terminal to ask for the password on")
        .WithHint(fmt::format("put it into an option file, or into {}", variable));
  }
  const SilentTerminal terminal(fd);
  if (!terminal.is_silent()) return UsageError("the terminal cannot hide a password");
  if (write(fd, prompt.data(), prompt.size()) < 0) return ErrnoStatus(errno, "asking the password");
  Result<Secret> password = ReadHiddenLine(fd);
  [[maybe_unused]] const ssize_t ended = write(fd, "\n", 1);
  return password;
}

}  // namespace hbk::cli

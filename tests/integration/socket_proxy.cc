#include "tests/integration/socket_proxy.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace hbk::testing {
namespace {

constexpr int kPollMs = 20;
constexpr std::chrono::milliseconds kStall{400};
// Of a packet: three bytes of length and a number.
constexpr size_t kPacketHeadBytes = 4;

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(),
              std::min(path.size() + 1, sizeof(address.sun_path) - 1));
  return address;
}

const sockaddr* Generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

int ConnectTo(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  if (fd >= 0 && connect(fd, Generic(address), sizeof(address)) == 0) return fd;
  if (fd >= 0) (void)close(fd);
  return -1;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void FlipByte(std::string& bytes, size_t first, uint32_t seed) {
  if (bytes.size() <= first) first = 0;
  const size_t at = first + seed % (bytes.size() - first);
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << (seed / 7 % 8)));
}

}  // namespace

struct SocketProxy::Connection {
  int client = -1;
  int server = -1;
  std::string from_client;  // that is no whole packet yet
  bool flips_answer = false;
  bool is_stalled = false;
  uint32_t seed = 0;
};

Result<std::unique_ptr<SocketProxy>> SocketProxy::Start(const std::string& socket_path,
                                                        const std::string& server_path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return ErrnoStatus(errno, "making a socket");
  const sockaddr_un address = AddressOf(socket_path);
  if (bind(fd, Generic(address), sizeof(address)) != 0 || listen(fd, 64) != 0) {
    const Status status = ErrnoStatus(errno, "listening at " + socket_path);
    (void)close(fd);
    return status;
  }
  std::unique_ptr<SocketProxy> proxy(new SocketProxy(fd, server_path));
  proxy->acceptor_ = std::thread([p = proxy.get()] { p->AcceptAll(); });
  return proxy;
}

SocketProxy::~SocketProxy() {
  must_end_ = true;
  acceptor_.join();
  (void)close(listener_);
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads)
    thread.join();
}

void SocketProxy::Arm(ProxyFault fault, uint64_t k, uint32_t seed, Watcher watcher) {
  const MutexLock lock(mutex_);
  fault_ = fault;
  k_ = k;
  seed_ = seed;
  watcher_ = std::move(watcher);
  packet_count_ = 0;
  has_fired_ = false;
}

void SocketProxy::AcceptAll() {
  while (!must_end_) {
    pollfd waited{listener_, POLLIN, 0};
    if (poll(&waited, 1, kPollMs) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int server = ConnectTo(server_path_);
    if (server < 0) {
      (void)close(client);
      continue;
    }
    const MutexLock lock(mutex_);
    threads_.emplace_back([this, client, server] { Serve(client, server); });
  }
}

void SocketProxy::Serve(int client, int server) {
  Connection connection{.client = client, .server = server, .from_client = {}};
  bool goes_on = true;
  while (goes_on && !must_end_) {
    std::array<pollfd, 2> waited = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (poll(waited.data(), waited.size(), kPollMs) <= 0) continue;
    if (waited[0].revents != 0) goes_on = PassFromClient(connection);
    if (goes_on && waited[1].revents != 0) goes_on = PassFromServer(connection);
  }
  (void)close(client);
  (void)close(server);
}

bool SocketProxy::PassFromClient(Connection& connection) {
  std::array<char, 65536> buffer;
  const ssize_t n = recv(connection.client, buffer.data(), buffer.size(), 0);
  if (n <= 0) return false;
  // Once a packet is held back, so is what follows it.
  if (connection.is_stalled) return true;
  connection.from_client.append(buffer.data(), static_cast<size_t>(n));
  while (connection.from_client.size() >= kPacketHeadBytes) {
    const std::string& bytes = connection.from_client;
    const size_t size = kPacketHeadBytes + (size_t{static_cast<unsigned char>(bytes[0])} |
                                            size_t{static_cast<unsigned char>(bytes[1])} << 8 |
                                            size_t{static_cast<unsigned char>(bytes[2])} << 16);
    if (bytes.size() < size) return true;
    std::string packet = bytes.substr(0, size);
    connection.from_client.erase(0, size);
    if (!PassPacket(connection, std::move(packet))) return false;
    if (connection.is_stalled) return true;
  }
  return true;
}

bool SocketProxy::PassPacket(Connection& connection, std::string packet) {
  ProxyFault fault = ProxyFault::kNone;
  Watcher watcher;
  {
    const MutexLock lock(mutex_);
    watcher = watcher_;
    if (++packet_count_ == k_) {
      fault = fault_;
      connection.seed = seed_;
    }
  }
  if (watcher) watcher(std::string_view(packet).substr(kPacketHeadBytes));
  if (fault != ProxyFault::kNone) has_fired_ = true;
  switch (fault) {
    case ProxyFault::kNone: break;
    case ProxyFault::kCutBefore: return false;
    case ProxyFault::kCutAfter: (void)SendAll(connection.server, packet); return false;
    case ProxyFault::kStall: std::this_thread::sleep_for(kStall); break;
    case ProxyFault::kStallForever: connection.is_stalled = true; return true;
    case ProxyFault::kFlipStatement:
      // Not in the length: then both would wait for the other for ever.
      FlipByte(packet, kPacketHeadBytes, connection.seed);
      break;
    case ProxyFault::kFlipAnswer: connection.flips_answer = true; break;
  }
  return SendAll(connection.server, packet);
}

bool SocketProxy::PassFromServer(Connection& connection) {
  std::array<char, 65536> buffer;
  const ssize_t n = recv(connection.server, buffer.data(), buffer.size(), 0);
  if (n <= 0) return false;
  std::string bytes(buffer.data(), static_cast<size_t>(n));
  if (std::exchange(connection.flips_answer, false)) FlipByte(bytes, 0, connection.seed);
  return SendAll(connection.client, bytes);
}

}  // namespace hbk::testing

// A proxy at a Unix socket, between a client and a server, that does harm to what goes through it.
//
// It counts the packets of the client's side over all connections, from 1 on, and does what was
// asked for with the k-th: statements are packets, and so are the logins.
//
// Threads  One for each connection and one that accepts; the functions may be called from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hbk/base/mutex.h"
#include "hbk/base/status.h"

namespace hbk::testing {

enum class ProxyFault {
  kNone,
  kCutBefore,      // the connection ends, and the server does not get the packet
  kCutAfter,       // the server gets it, and the client no answer
  kStall,          // a part of a second passes before the server gets it
  kStallForever,   // the server never gets it, and nobody closes anything
  kFlipStatement,  // a byte of the packet is another one
  kFlipAnswer,     // a byte of what the server says next
};

class SocketProxy {
 public:
  // Called with each packet of a client before it goes on.
  using Watcher = std::function<void(std::string_view packet)>;

  static Result<std::unique_ptr<SocketProxy>> Start(const std::string& socket_path,
                                                    const std::string& server_path);
  ~SocketProxy();  // ends all connections
  SocketProxy(const SocketProxy&) = delete;
  SocketProxy& operator=(const SocketProxy&) = delete;

  // From now on the count begins anew. `seed` chooses the byte.
  void Arm(ProxyFault fault, uint64_t k, uint32_t seed, Watcher watcher = {});
  [[nodiscard]] uint64_t packet_count() const { return packet_count_; }
  [[nodiscard]] bool has_fired() const { return has_fired_; }

 private:
  struct Connection;

  SocketProxy(int listener, std::string server_path)
      : listener_(listener), server_path_(std::move(server_path)) {}
  void AcceptAll();
  void Serve(int client, int server);
  // False: the connection ends.
  bool PassFromClient(Connection& connection);
  bool PassPacket(Connection& connection, std::string packet);
  bool PassFromServer(Connection& connection);

  const int listener_;
  const std::string server_path_;
  std::atomic<bool> must_end_ = false;
  std::atomic<uint64_t> packet_count_ = 0;
  std::atomic<bool> has_fired_ = false;
  Mutex mutex_;
  ProxyFault fault_ HBK_GUARDED_BY(mutex_) = ProxyFault::kNone;
  uint64_t k_ HBK_GUARDED_BY(mutex_) = 0;
  uint32_t seed_ HBK_GUARDED_BY(mutex_) = 0;
  Watcher watcher_ HBK_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ HBK_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace hbk::testing

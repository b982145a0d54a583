// How to reach the server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::server {

class SqlClient;

enum class TlsMode { kDefault, kRequired, kDisabled };

struct ConnectOptions {
  std::string user;  // empty: the name of the operating system's user
  Secret password;
  std::string host;  // empty: socket, unless a port is given
  uint16_t port = 0;
  std::string socket;    // empty: the library's default
  std::string protocol;  // "", "tcp", "socket"

  TlsMode tls = TlsMode::kDefault;
  bool tls_verify_server_cert = false;
  std::string tls_ca, tls_ca_path, tls_cert, tls_key, tls_cipher, tls_crl, tls_crl_path,
      tls_version;

  uint32_t connect_timeout_s = 10;

  // Makes the connections instead of the library, if set: for tests that play the server. Called
  // from any thread.
  std::function<Result<std::unique_ptr<SqlClient>>()> dial;
};

}  // namespace hbk::server

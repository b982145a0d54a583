// HTTPS GET, as a Vault needs it.
//
// Errors   kCannotConnect: no answer, or no TLS connection that can be trusted. kInterrupted.
//          An answer with an error status is an answer.
// Threads  Any number at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "hbk/base/secret.h"
#include "hbk/base/status.h"

namespace hbk::keys {

struct HttpReply {
  long status = 0;
  Secret body;
};

struct HttpOptions {
  std::string ca_file;  // empty: what the system trusts
  uint32_t timeout_s = 15;
  uint32_t max_retries = 3;  // of an answer that did not come, or of "not now"
  bool allow_http = false;
};

class HttpClient {
 public:
  HttpClient() = default;
  virtual ~HttpClient() = default;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Redirections are not followed: `token` is for this host.
  virtual Result<HttpReply> Get(const std::string& url, const Secret& token) = 0;
};

std::unique_ptr<HttpClient> MakeHttpClient(const HttpOptions& options, std::stop_token stop);

}  // namespace hbk::keys

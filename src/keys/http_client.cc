#include "http_client.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>

namespace hbk::keys {
namespace {

constexpr size_t kBodyBytesMax = 64 << 10;
constexpr auto kFirstPause = std::chrono::milliseconds(200);
constexpr auto kLongestPause = std::chrono::milliseconds(2000);
constexpr auto kStopTick = std::chrono::milliseconds(50);

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Wiped {
  std::string text;
  Wiped() = default;
  ~Wiped() { std::fill(text.begin(), text.end(), '\0'); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
};

size_t TakeBody(char* data, size_t size, size_t count, void* user) {
  std::string& body = static_cast<Wiped*>(user)->text;
  const size_t bytes = size * count;
  if (bytes > kBodyBytesMax - body.size()) return 0;  // curl ends with CURLE_WRITE_ERROR
  body.append(data, bytes);
  return bytes;
}

int EndIfStopped(void* user, curl_off_t /*download_total*/, curl_off_t /*downloaded*/,
                 curl_off_t /*upload_total*/, curl_off_t /*uploaded*/) {
  return static_cast<const std::stop_token*>(user)->stop_requested() ? 1 : 0;
}

bool IsTlsError(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
         code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
         code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR;
}

bool IsWorthARetry(CURLcode code) {
  return code == CURLE_OPERATION_TIMEDOUT || code == CURLE_COULDNT_CONNECT ||
         code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

// "Too many requests", and gateways that have nobody behind them.
bool IsNotNow(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

class CurlClient final : public HttpClient {
 public:
  CurlClient(const HttpOptions& options, std::stop_token stop)
      : options_(options), stop_(std::move(stop)) {}

  Result<HttpReply> Get(const std::string& url, const Secret& token) override {
    auto pause = kFirstPause;
    for (uint32_t attempt = 0;; ++attempt) {
      CURLcode code = CURLE_OK;
      Result<HttpReply> reply = GetOnce(url, token, code);
      const bool is_last = attempt >= options_.max_retries;
      const bool is_retry = reply.ok() ? IsNotNow(reply->status) : IsWorthARetry(code);
      if (is_last || !is_retry) return reply;
      HBK_RETURN_IF_ERROR(Sleep(pause));
      pause = std::min(pause * 2, kLongestPause);
    }
  }

 private:
  Result<HttpReply> GetOnce(const std::string& url, const Secret& token, CURLcode& code) {
    const std::unique_ptr<CURL, FreeCurl> curl(curl_easy_init());
    Wiped header;
    header.text.reserve(token.Reveal().size() + 32);  // one buffer, that is wiped
    header.text += "X-Vault-Token: ";
    header.text += token.Reveal();
    const std::unique_ptr<curl_slist, FreeList> headers(
        curl_slist_append(nullptr, header.text.c_str()));
    if (curl == nullptr || headers == nullptr) return FailedError("no memory for a request");

    Wiped body;
    body.text.reserve(kBodyBytesMax);
    std::array<char, CURL_ERROR_SIZE> error_text{};
    CURL* const c = curl.get();
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, options_.allow_http ? "https,http" : "https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(c, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);
    }
    curl_easy_setopt(c, CURLOPT_TIMEOUT, static_cast<long>(options_.timeout_s));
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.timeout_s));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error_text.data());
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, TakeBody);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, EndIfStopped);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, &stop_);
    code = curl_easy_perform(c);
    if (code != CURLE_OK) return ErrorOf(code, error_text.data());
    HttpReply reply;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &reply.status);
    reply.body = Secret(body.text);
    return reply;
  }

  [[nodiscard]] Status ErrorOf(CURLcode code, const char* text) const {
    if (stop_.stop_requested()) return InterruptedError();
    if (code == CURLE_WRITE_ERROR) {
      return FailedError(fmt::format("the answer is longer than {} bytes", kBodyBytesMax));
    }
    const std::string why = *text != '\0' ? text : curl_easy_strerror(code);
    const Status error(StatusCode::kCannotConnect, why);
    if (!IsTlsError(code)) return error;
    return error.WithHint(
        options_.ca_file.empty()
            ? "--hashicorp-key-management-vault-ca=FILE names the authority to trust"
            : fmt::format("the authority to trust is read from {}", options_.ca_file));
  }

  Status Sleep(std::chrono::milliseconds pause) const {
    const auto end = std::chrono::steady_clock::now() + pause;
    while (std::chrono::steady_clock::now() < end) {
      if (stop_.stop_requested()) return InterruptedError();
      std::this_thread::sleep_for(kStopTick);
    }
    return OkStatus();
  }

  const HttpOptions options_;
  std::stop_token stop_;
};

}  // namespace

std::unique_ptr<HttpClient> MakeHttpClient(const HttpOptions& options, std::stop_token stop) {
  static const CURLcode kIsReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(kIsReady);  // curl_easy_init() fails where this did
  return std::make_unique<CurlClient>(options, std::move(stop));
}

}  // namespace hbk::keys

// SqlClient over Connector/C.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <mysql.h>
#include <pwd.h>

#include "hbk/server/sql_client.h"

namespace hbk::server {

namespace {

constexpr std::chrono::milliseconds kStopPoll{100};
constexpr uint32_t kServerGone = 2006;  // as the library numbers it

std::string OsUserName() {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return "root";
  return entry.pw_name;
}

// "user 'root' at socket /run/mysqld/mysqld.sock", for messages.
std::string Describe(const ConnectOptions& options, const std::string& user, bool tcp) {
  if (tcp) {
    return fmt::format("user '{}' at {}:{}", user,
                       options.host.empty() ? "127.0.0.1" : options.host,
                       options.port == 0 ? 3306 : options.port);
  }
  if (options.socket.empty()) return fmt::format("user '{}' at the default socket", user);
  return fmt::format("user '{}' at socket {}", user, options.socket);
}

bool WantsTcp(const ConnectOptions& options) {
  if (options.protocol == "tcp") return true;
  if (options.protocol == "socket") return false;
  if (!options.host.empty()) return options.host != "localhost";
  return options.port != 0 && options.socket.empty();
}

void SetText(MYSQL* mysql, mysql_option option, const std::string& value) {
  if (!value.empty()) mysql_options(mysql, option, value.c_str());
}

void SetTls(MYSQL* mysql, const ConnectOptions& options, bool tcp) {
  if (options.tls == TlsMode::kDisabled) {
    const my_bool no = 0;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &no);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    return;
  }
  // Not all versions of the library look for TLS by themselves; this makes it take what the server
  // offers. Whether it checks the certificate is left to the library: from 3.4 on it does, in a way
  // that the certificates which servers from 11.4 on make for themselves pass.
  if (tcp) mysql_ssl_set(mysql, nullptr, nullptr, nullptr, nullptr, nullptr);
  SetText(mysql, MYSQL_OPT_SSL_CA, options.tls_ca);
  SetText(mysql, MYSQL_OPT_SSL_CAPATH, options.tls_ca_path);
  SetText(mysql, MYSQL_OPT_SSL_CERT, options.tls_cert);
  SetText(mysql, MYSQL_OPT_SSL_KEY, options.tls_key);
  SetText(mysql, MYSQL_OPT_SSL_CIPHER, options.tls_cipher);
  SetText(mysql, MYSQL_OPT_SSL_CRL, options.tls_crl);
  SetText(mysql, MYSQL_OPT_SSL_CRLPATH, options.tls_crl_path);
  SetText(mysql, MARIADB_OPT_TLS_VERSION, options.tls_version);
  const my_bool yes = 1;
  if (options.tls == TlsMode::kRequired || options.tls_verify_server_cert)
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  if (options.tls_verify_server_cert) mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

std::string_view ConnectHint(uint32_t error_number, bool tcp) {
  switch (error_number) {
    case 1044:
    case 1045:
    case 1698: return "check --user and the password (option file, MYSQL_PWD or prompt)";
    case 1130: return "the server takes no connections from this host for any user";
    case 1040:
    case 1203: return "the server has no free connection; hbk needs three";
    case 2026:
      return "check the TLS options; a certificate that the server has made for itself needs "
             "--ssl-ca, or no --ssl-verify-server-cert";
    default:
      return tcp ? "is the server running, and does it listen at this host and port?"
                 : "is the server running, and is --socket its socket?";
  }
}

class MariadbClient final : public SqlClient {
 public:
  MariadbClient() : mysql_(mysql_init(nullptr)) { HBK_CHECK(mysql_ != nullptr); }
  ~MariadbClient() override { Close(); }
  MariadbClient(const MariadbClient&) = delete;
  MariadbClient& operator=(const MariadbClient&) = delete;

  Status Connect(const ConnectOptions& options) {
    const std::string user = options.user.empty() ? OsUserName() : options.user;
    const bool tcp = WantsTcp(options);
    unsigned int timeout = options.connect_timeout_s;
    mysql_options(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    const my_bool no = 0;
    mysql_options(mysql_, MYSQL_OPT_RECONNECT, &no);
    mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "hbk");
    unsigned int protocol = tcp ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    mysql_options(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
    SetTls(mysql_, options, tcp);

    const char* host = "localhost";
    if (tcp) host = options.host.empty() ? "127.0.0.1" : options.host.c_str();
    const char* socket = options.socket.empty() ? nullptr : options.socket.c_str();
    const char* password = options.password.empty() ? nullptr : options.password.Reveal().c_str();
    if (mysql_real_connect(mysql_, host, user.c_str(), password, nullptr, tcp ? options.port : 0,
                           tcp ? nullptr : socket, 0) != nullptr)
      return OkStatus();
    const uint32_t error_number = mysql_errno(mysql_);
    return Status(StatusCode::kCannotConnect,
                  fmt::format("connecting as {}: {} (error {})", Describe(options, user, tcp),
                              mysql_error(mysql_), error_number))
        .WithHint(ConnectHint(error_number, tcp));
  }

  SqlAnswer Execute(std::string_view sql, const SqlWait& wait) override {
    if (mysql_ == nullptr) return Failure(kServerGone, "the connection is closed");
    if (mysql_send_query(mysql_, sql.data(), sql.size()) != 0) return LastError();
    const uint32_t given_up = AwaitAnswer(wait);
    if (given_up != 0) {
      Close();  // The answer would be taken for that of the next statement.
      return Failure(given_up,
                     given_up == kErrorInterrupted ? "interrupted" : "no answer within the bound");
    }
    SqlAnswer answer = ReadAnswer(wait);
    if (answer.error_number == 0 || !wait.stop.stop_requested()) return answer;
    Close();
    return Failure(kErrorInterrupted, "interrupted");
  }

  [[nodiscard]] std::string server_version() const override { return server_version_; }
  void RememberVersion() { server_version_ = mysql_get_server_info(mysql_); }

 private:
  static SqlAnswer Failure(uint32_t number, std::string text) {
    SqlAnswer answer;
    answer.error_number = number;
    answer.error_text = std::move(text);
    return answer;
  }
  [[nodiscard]] SqlAnswer LastError() const {
    return Failure(mysql_errno(mysql_), mysql_error(mysql_));
  }

  // Waits until bytes arrive, so that a stop request is heard while the server is silent. 0: they
  // are there, or the connection is gone, which reading them will say.
  [[nodiscard]] uint32_t AwaitAnswer(const SqlWait& wait) const {
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
      const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - begin);
      if (wait.stop.stop_requested()) return kErrorInterrupted;
      if (spent >= wait.bound) return kErrorBoundReached;
      pollfd waited{mysql_get_socket(mysql_), POLLIN, 0};
      const auto slice = std::min(kStopPoll, wait.bound - spent);
      const int ready = poll(&waited, 1, static_cast<int>(slice.count()));
      if (ready > 0 || (ready < 0 && errno != EINTR)) return 0;
      if (wait.meanwhile) wait.meanwhile();
    }
  }

  // An answer that has begun is read by the library, which waits for the rest of it as long as it
  // takes. A stop request ends the connection under it.
  SqlAnswer ReadAnswer(const SqlWait& wait) {
    const auto socket = mysql_get_socket(mysql_);
    const std::stop_callback cut(wait.stop, [socket] { (void)shutdown(socket, SHUT_RDWR); });
    if (mysql_read_query_result(mysql_) != 0) return LastError();
    return ReadRows();
  }

  SqlAnswer ReadRows() {
    SqlAnswer answer;
    MYSQL_RES* result = mysql_store_result(mysql_);
    if (result == nullptr) return mysql_errno(mysql_) == 0 ? answer : LastError();
    const unsigned int column_count = mysql_num_fields(result);
    const MYSQL_FIELD* fields = mysql_fetch_fields(result);
    for (unsigned int i = 0; i < column_count; ++i)
      answer.columns.emplace_back(fields[i].name);
    while (MYSQL_ROW row = mysql_fetch_row(result)) {
      const unsigned long* lengths = mysql_fetch_lengths(result);
      SqlRow values(column_count);
      for (unsigned int i = 0; i < column_count; ++i)
        if (row[i] != nullptr) values[i] = std::string(row[i], lengths[i]);
      answer.rows.push_back(std::move(values));
    }
    mysql_free_result(result);
    return answer;
  }

  void Close() {
    if (mysql_ != nullptr) mysql_close(mysql_);
    mysql_ = nullptr;
  }

  MYSQL* mysql_;
  std::string server_version_;
};

}  // namespace

Result<std::unique_ptr<SqlClient>> ConnectSqlClient(const ConnectOptions& options) {
  if (options.dial) return options.dial();
  static std::once_flag library_once;
  std::call_once(library_once, [] { mysql_server_init(0, nullptr, nullptr); });
  auto client = std::make_unique<MariadbClient>();
  HBK_RETURN_IF_ERROR(client->Connect(options));
  client->RememberVersion();
  return std::unique_ptr<SqlClient>(std::move(client));
}

}  // namespace hbk::server
